/**
 * `npm run bench`: what timonier costs and how fast it is, in one run; beside another API server when asked. Starts its
 * own servers on loopback with their data in a directory that it removes, ends by itself, and prints a table.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ApiCase, type ApiContext, apiCases, createNamespace, removeNamespaces } from './api-cases.ts';
import { customCases } from './custom-cases.ts';
import type { Row } from './figures.ts';
import { Generator } from './generator.ts';
import { ownCases } from './own-cases.ts';
import { type OwnContext, OwnServer, sourceRoot } from './own-server.ts';
import { measureRealPod, whyNoRealPod } from './real-pod.ts';
import { describeMachine, type Report, renderText, writeIntoDocument } from './report.ts';
import { otherServer, type Target } from './target.ts';
import { type WorkloadCase, workloadCases } from './workload-cases.ts';

const usage = `usage: npm run bench -- [flags]
  --only NAME            only this case; may be given more than once: ${[...apiCases, ...customCases, ...workloadCases, ...ownCases].map(({ name }) => name).join(', ')}, real-pod
  --quick                a fifth of the requests: for a look, not for the record
  --row TEXT             of the worst requests, those with this in their name; may be given more than once
  --against KUBECONFIG   the same requests to this API server too
  --against-name NAME    what to call it (default: the other)
  --against-pids A,B     its processes, for their processor time and memory
  --against-cluster KUBECONFIG, --against-cluster-pids A,B,C
                         one with controllers and a scheduler: the Deployment and the pods go there too
  --idle-seconds N       how long an idle cluster is watched (default 60)
  --json FILE            all figures as JSON
  --write FILE           puts the tables into this Markdown file, between its marks
  --profile DIR          a processor profile of timonier for each case (slows it a little)
  --dir DIR              where the data goes (default: a new directory in ${tmpdir()})`;

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    row: { type: 'string', multiple: true, default: [] },
    against: { type: 'string' },
    'against-name': { type: 'string', default: 'the other' },
    'against-pids': { type: 'string', default: '' },
    'against-cluster': { type: 'string' },
    'against-cluster-pids': { type: 'string', default: '' },
    'idle-seconds': { type: 'string', default: '60' },
    json: { type: 'string' },
    write: { type: 'string' },
    profile: { type: 'string' },
    dir: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const quickScale = 0.2;
const isWanted = ({ name }: { readonly name: string }): boolean => flags.only.length === 0 || flags.only.includes(name);

function tell(row: Row): Row {
  process.stderr.write(`  ${row.name}: ${JSON.stringify({ ...row.ours, theirs: row.theirs, note: row.note }, rounded)}\n`);
  return row;
}

const rounded = (_key: string, value: unknown): unknown => (typeof value === 'number' ? Math.round(value * 100) / 100 : value);

async function profiled<T>(server: Target, name: string, work: () => Promise<T>): Promise<T> {
  if (flags.profile === undefined || !server.startProfile) return work();
  await server.startProfile();
  const result = await work();
  await server.endProfile?.(join(flags.profile, `${name}.cpuprofile`));
  return result;
}

/** Each case on ours, then on the other: what disturbs the machine disturbs both. */
async function runApiCases(dir: string, cases: readonly ApiCase[]): Promise<Row[]> {
  if (cases.length === 0) return [];
  await using own = await OwnServer.start({ dir, name: 'api' });
  const other = await otherTarget(flags.against, flags['against-pids']);
  using generator = new Generator();
  const contexts: ApiContext[] = [];
  for (const target of [own, other]) {
    if (!target) continue;
    await generator.connect(target.access, 1);
    const namespace = `bench-${process.pid}`;
    for (const suffix of ['', '-list', '-records', '-watch']) await createNamespace({ generator }, namespace + suffix);
    const made = { configMaps: 0, records: 0, listed: false, recordsListed: false, watched: false };
    contexts.push({ target, generator, scale: flags.quick ? quickScale : 1, namespace, made });
  }
  const [ours, theirs] = contexts;
  const rows: Row[] = [];
  try {
    for (const { name, title, group = 'api', run } of cases) {
      const mine = ours && (await profiled(own, name, () => run(ours)));
      const its = theirs && (await run(theirs));
      const note = mine?.note ?? its?.note;
      rows.push(
        tell({
          group,
          name: title,
          ours: mine?.figures,
          theirs: its?.figures,
          note,
        }),
      );
    }
  } finally {
    if (theirs) await removeNamespaces(theirs);
  }
  return rows;
}

async function otherTarget(kubeconfig: string | undefined, pids: string): Promise<Target | undefined> {
  if (kubeconfig === undefined) return undefined;
  return otherServer(flags['against-name'], kubeconfig, pids.split(',').filter(Boolean).map(Number));
}

async function runWorkloadCases(dir: string, cases: readonly WorkloadCase[]): Promise<Row[]> {
  const rows: Row[] = [];
  const other = await otherTarget(flags['against-cluster'], flags['against-cluster-pids']);
  for (const { name, title, run } of cases) {
    using generator = new Generator();
    await using own = await OwnServer.start({ dir, name });
    const ours = await profiled(own, name, () => run(own, generator));
    const theirs = other && (await run(other, generator));
    rows.push(tell({ group: 'scheduling', name: title, ours, theirs }));
  }
  return rows;
}

async function runOwnCases(dir: string): Promise<Row[]> {
  const context: OwnContext = { dir, quick: flags.quick, rows: flags.row, idleSeconds: Number(flags['idle-seconds']), profiled };
  const rows: Row[] = [];
  for (const ownCase of ownCases.filter(isWanted)) rows.push(...(await ownCase.run(context)).map(tell));
  if (!isWanted({ name: 'real-pod' })) return rows;
  const why = whyNoRealPod();
  const real: Row[] = why === undefined ? measureRealPod(dir) : [{ group: 'start', name: 'first pod on a real node', note: why }];
  return [...rows, ...real.map(tell)];
}

async function main(): Promise<void> {
  if (flags.help) return void process.stdout.write(`${usage}\n`);
  if (flags.profile !== undefined) mkdirSync(flags.profile, { recursive: true });
  const dir = flags.dir ?? mkdtempSync(join(tmpdir(), 'timonier-bench-'));
  mkdirSync(dir, { recursive: true });
  try {
    // Ours alone first: the other servers go on with what the later cases leave them.
    const own = await runOwnCases(dir);
    const api = await runApiCases(dir, [...apiCases, ...customCases].filter(isWanted));
    const workloads = await runWorkloadCases(dir, workloadCases.filter(isWanted));
    const report: Report = {
      takenAt: new Date().toISOString(),
      commit: execFileSync('git', ['-C', sourceRoot, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
      machine: describeMachine(),
      node: process.version,
      against: (flags.against ?? flags['against-cluster']) === undefined ? undefined : flags['against-name'],
      rows: [...api, ...workloads, ...own],
    };
    process.stdout.write(`${renderText(report)}\n`);
    if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(report, undefined, 2)}\n`);
    if (flags.write !== undefined) writeIntoDocument(flags.write, report, flags.only.length === 0);
  } finally {
    if (flags.dir === undefined) rmSync(dir, { recursive: true, force: true });
  }
}

await main();
