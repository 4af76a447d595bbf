/**
 * `timonier test`: installs what is missing and runs all checks and tests, in a checkout. Host tests (real containers)
 * need root on Linux: where that can't be had they are skipped with the reason printed; in CI (CI=true) a machine that
 * could run them and lacks something is a failure.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { ownFile } from '../../api/own-file.ts';
import { realClock } from '../../client/clock.ts';
import { installMissing } from '../../cluster/machine/install.ts';
import { detectMachine, realNodesPossible } from '../../cluster/machine/machine.ts';
import { OperationError } from '../../cluster/operation-error.ts';

interface Step {
  readonly name: string;
  readonly words: readonly string[];
}

const steps: readonly Step[] = [
  { name: 'types', words: ['npm', 'run', '--silent', 'check:types'] },
  { name: 'words of clients as keys', words: ['npm', 'run', '--silent', 'check:words'] },
  { name: 'lint and import direction', words: ['npm', 'run', '--silent', 'check:lint'] },
  { name: 'import direction is really checked', words: ['npm', 'run', '--silent', 'check:direction'] },
  { name: 'generated files are current', words: ['npm', 'run', '--silent', 'check:generated'] },
  { name: 'circles of imports, missing files, rooms', words: ['npm', 'run', '--silent', 'check:house'] },
  { name: 'dead code', words: ['npm', 'run', '--silent', 'check:dead'] },
  { name: 'unit and contract tests', words: ['npm', 'run', '--silent', 'test:unit'] },
  { name: 'scenario tests', words: ['npm', 'run', '--silent', 'test:scenario'] },
];
const hostSteps: readonly Step[] = [
  { name: 'tests of known weaknesses', words: ['npm', 'run', '--silent', 'test:security'] },
  { name: 'package test', words: ['npm', 'run', '--silent', 'test:package'] },
  { name: 'host tests', words: ['npm', 'run', '--silent', 'test:host'] },
];

export function addTest(program: Command): void {
  program
    .command('test')
    .description('install what is missing and run all checks and tests (in a checkout)')
    .action(async () => {
      const root = ownFile('..');
      if (!existsSync(join(root, 'test'))) {
        throw new OperationError({
          code: 'no-checkout',
          message: 'the tests are not part of the package',
          fix: 'run ./timonier test in a checkout',
        });
      }
      for (const step of steps) await runStep(root, step);
      const skipped = await prepareHost();
      for (const step of hostSteps) await runStep(root, step);
      if (skipped) process.stdout.write(`\nSkipped: host tests (${skipped})\n`);
      process.stdout.write('\nAll checks and tests passed.\n');
    });
}

/** Why host tests can't run here, or undefined when they can. In CI as root on Linux, not being able is an error. */
async function prepareHost(): Promise<string | undefined> {
  let machine = await detectMachine();
  if (machine.platform === 'linux' && machine.isRoot && machine.hasApt) {
    machine = await installMissing(machine, (line) => process.stdout.write(`  ${line}\n`));
  }
  const possible = realNodesPossible(machine);
  if (possible.ok) return undefined;
  if (process.env['CI'] && machine.platform === 'linux' && machine.isRoot) {
    throw new OperationError({
      code: 'host-tests-missing',
      message: `host tests could run here, but for: ${possible.missing}`,
      fix: possible.fix,
    });
  }
  return possible.missing;
}

async function runStep(root: string, step: Step): Promise<void> {
  process.stdout.write(`\n== ${step.name}\n`);
  const startMs = realClock.monotonic();
  const [command = '', ...args] = step.words;
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (exitCode, signal) => resolve(exitCode ?? (signal ? 1 : 0)));
  });
  process.stdout.write(`== ${step.name}: ${code === 0 ? 'ok' : 'FAILED'} (${((realClock.monotonic() - startMs) / 1000).toFixed(1)} s)\n`);
  if (code !== 0) throw new OperationError({ code: 'test-failed', message: `${step.name} failed`, fix: `run: ${step.words.join(' ')}` });
}
