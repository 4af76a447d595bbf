/**
 * Runs upstream's conformance suite against a cluster, in groups that end by themselves, and compares what comes out
 * with the ledger. Exit code 1: something differs from it.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compareOutcomes, isDue, nodeSorts, type Outcome, readLedger, recordOutcomes, writeLedger } from './ledger.ts';
import { planGroups } from './plan-groups.ts';
import { runSuite } from './suite-run.ts';

const usage = `usage: node test/conformance/run.ts --e2e PROGRAM --kubeconfig FILE --nodes simulated|real [flags] [-- FLAGS FOR e2e.test]
  --only REGEX        the tests whose name matches, whatever the ledger says of them
  --all               also those that are not expected to pass
  --group-size N      tests per run of e2e.test (default 10)
  --timeout MINUTES   for each of these runs (default 20)
  --parallel N        runs at a time; [Serial] tests stay alone (default 1)
  --kubectl PROGRAM   for the tests of sig-cli
  --out DIR           logs and reports (default: a new directory)
  --record            write what was seen into the ledger`;

const ledgerFile = join(import.meta.dirname, 'ledger.json');

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    e2e: { type: 'string' },
    kubeconfig: { type: 'string' },
    nodes: { type: 'string' },
    only: { type: 'string' },
    all: { type: 'boolean', default: false },
    'group-size': { type: 'string', default: '10' },
    timeout: { type: 'string', default: '20' },
    parallel: { type: 'string', default: '1' },
    kubectl: { type: 'string' },
    out: { type: 'string' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  const { e2e, kubeconfig, only, kubectl } = flags;
  const sort = nodeSorts.find((known) => known === flags.nodes);
  if (flags.help || e2e === undefined || kubeconfig === undefined || sort === undefined) {
    process.stdout.write(`${usage}\n`);
    return flags.help ? 0 : 2;
  }
  const dir = resolve(flags.out ?? mkdtempSync(join(tmpdir(), 'timonier-conformance-')));
  mkdirSync(dir, { recursive: true });
  const ledger = readLedger(ledgerFile);
  const pattern = only === undefined ? undefined : new RegExp(only);
  const names = Object.entries(ledger).flatMap(([name, verdicts]) =>
    (pattern ? pattern.test(name) : flags.all || isDue(verdicts[sort])) ? [name] : [],
  );
  const { together, alone } = planGroups(names, Number(flags['group-size']));
  process.stdout.write(`${names.length} tests in ${together.length + alone.length} groups; logs in ${dir}\n`);

  const outcomes: Outcome[] = [];
  let count = 0;
  const runGroup = async (group: readonly string[]): Promise<void> => {
    const label = `group-${++count}`;
    const seen = await runSuite({
      program: resolve(e2e),
      kubeconfig: resolve(kubeconfig),
      ...(kubectl !== undefined && { kubectl: resolve(kubectl) }),
      names: group,
      timeoutMinutes: Number(flags.timeout),
      dir,
      label,
      extraArgs: positionals,
    });
    for (const { passed, seconds, name, message } of seen)
      process.stdout.write(
        `${passed ? 'passed' : 'FAILED'} ${seconds.toFixed(0).padStart(4)} s  ${label}  ${name}${passed ? '' : `\n    ${message}`}\n`,
      );
    outcomes.push(...seen);
    writeFileSync(join(dir, 'outcomes.json'), JSON.stringify(outcomes, undefined, 1));
  };
  const queue = [...together];
  const worker = async (): Promise<void> => {
    for (let group = queue.shift(); group !== undefined; group = queue.shift()) await runGroup(group);
  };
  await Promise.all(Array.from({ length: Number(flags.parallel) }, worker));
  for (const group of alone) await runGroup(group);

  const differences = compareOutcomes(ledger, sort, outcomes);
  process.stdout.write(
    `\n${outcomes.filter(({ passed }) => passed).length} of ${outcomes.length} passed; ${differences.length} differ from the ledger\n`,
  );
  for (const difference of differences) process.stdout.write(`  ${difference}\n`);
  // Read again: another run may have recorded meanwhile.
  if (flags.record) writeLedger(ledgerFile, recordOutcomes(readLedger(ledgerFile), sort, outcomes));
  return differences.length > 0 ? 1 : 0;
}

process.exitCode = await main();
