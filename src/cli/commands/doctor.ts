/** `timonier doctor`: what this machine can and can't do, and the fix for each. */
import type { Command } from 'commander';
import { checkMachine, detectMachine } from '../../cluster/machine/machine.ts';
import { createOutput } from '../output.ts';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('what this machine can and can’t do, and the fix for each')
    .option('--json', 'as JSON')
    .action(async (flags: { json?: boolean }) => {
      const output = createOutput(flags.json === true);
      const checks = checkMachine(await detectMachine());
      const ok = checks.every((check) => check.ok);
      output.event({ realNodes: ok, checks });
      for (const check of checks) {
        output.line(`${check.ok ? 'ok     ' : 'missing'}  ${check.name.padEnd(16)} ${check.detail}`);
        if (check.warning) output.line(`${' '.repeat(26)}warning: ${check.warning}`);
        if (check.fix) output.line(`${' '.repeat(26)}fix: ${check.fix}`);
      }
      output.line(ok ? '\nReal nodes are possible here.' : '\nNo real nodes here; simulated ones (--nodes 0 --simulated N) work anywhere.');
      if (!ok) process.exitCode = 1;
    });
}
