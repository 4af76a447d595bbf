/** `timonier list`, `status`, `logs`, `kubeconfig` and `version`: what is there, without changing it. */
import { existsSync, readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { realClock } from '../../client/clock.ts';
import { kubeconfigInMemory } from '../../cluster/instance/cluster-name.ts';
import { readFacts, stateFrom } from '../../cluster/instance/condition.ts';
import { allInstances, existingInstance, existingOrItsLog, runningInstance } from '../../cluster/instance/find-instance.ts';
import type { InstanceState } from '../../cluster/instance/instance.ts';
import { logLines } from '../../cluster/log/log-lines.ts';
import { renderLogLine } from '../../cluster/log/logging.ts';
import { OperationError } from '../../cluster/operation-error.ts';
import { kubernetesVersion, version } from '../../cluster/version.ts';
import { createOutput, readerGone, renderColumns } from '../output.ts';
import { renderLine, renderStatus } from '../render-status.ts';
import { nameArgument } from './cluster-flags.ts';

export function addInspect(program: Command): void {
  program
    .command('list')
    .description('the clusters of this machine')
    .option('--json', 'as JSON')
    .action(async (flags: { json?: boolean }) => {
      const output = createOutput(flags.json === true);
      const all = await Promise.all(
        (await allInstances()).map(async (instance) => {
          const facts = await readFacts(instance);
          return { name: instance.name, dir: instance.dir, facts, state: stateFrom(facts) };
        }),
      );
      output.event({
        clusters: all.map(({ name, dir, state, facts: { serving, leftPods, isAbandoned } }) => ({
          name,
          running: serving !== undefined,
          state,
          dir,
          server: serving?.server,
          leftPods: leftPods || undefined,
          abandoned: isAbandoned || undefined,
        })),
      });
      const rows = all.map(({ name, dir, state, facts: { serving, isAbandoned } }) => [
        name,
        `${state.replace('-', ' ')}${isAbandoned ? ', its ci was killed' : ''}`,
        serving?.server ?? '-',
        nodesOf(serving),
        dir,
      ]);
      for (const line of renderColumns([['NAME', 'STATE', 'SERVER', 'NODES', 'DIRECTORY'], ...rows])) output.line(line);
    });
  program
    .command('status')
    .description('how a cluster is: its process, checks, nodes and pods')
    .addArgument(nameArgument())
    .option('--json', 'as JSON')
    .action(async (name: string, flags: { json?: boolean }) => {
      const output = createOutput(flags.json === true);
      const instance = await existingInstance(name);
      const { readStatus } = await import('../../cluster/instance/status.ts');
      const status = await readStatus(instance);
      output.event(status);
      for (const line of renderStatus(status, realClock.now())) output.line(renderLine(line));
      if (!status.healthy) process.exitCode = 1;
    });
  program
    .command('logs')
    .description('what the cluster’s process logged')
    .addArgument(nameArgument())
    .option('-f, --follow', 'go on with what comes')
    .option('--tail <LINES>', 'the last lines only', wholeNumber, 200)
    .option('--json', 'as they were written; so it is too when the output is no terminal')
    .action(async (name: string, flags: { follow?: boolean; tail: number; json?: boolean }) => {
      const logFile = await logFileOf(name);
      const render = flags.json === true || !process.stdout.isTTY ? (line: string) => line : renderLogLine;
      const gone = readerGone();
      for await (const line of logLines(logFile, { last: flags.tail, follow: flags.follow ? gone : undefined })) {
        if (gone.aborted) break;
        process.stdout.write(`${render(line)}\n`);
      }
    });
  program
    .command('kubeconfig')
    .description('print the administrator’s kubeconfig')
    .addArgument(nameArgument())
    .action(async (name: string) => {
      const inMemory = kubeconfigInMemory(name);
      process.stdout.write(inMemory ? readFileSync(inMemory, 'utf8') : (await runningInstance(name)).instance.readKubeconfig());
    });
  program
    .command('version')
    .description('what this is')
    .option('--json', 'as JSON')
    .action((flags: { json?: boolean }) => {
      const output = createOutput(flags.json === true);
      output.line(`timonier ${version} (Kubernetes API ${kubernetesVersion}, Node ${process.version})`);
      output.event({ version, kubernetes: kubernetesVersion, node: process.version });
    });
}

async function logFileOf(name: string): Promise<string> {
  const { logFile } = await existingOrItsLog(name);
  if (existsSync(logFile)) return logFile;
  throw new OperationError({
    code: 'no-log',
    message: `cluster "${name}" has no log: ${logFile} is not there`,
    fix: `timonier status ${name}`,
  });
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number, such as 100.');
}

/** Those of its own process; there may be nodes elsewhere, which `status` asks for. */
function nodesOf(state: InstanceState | undefined): string {
  if (!state) return '-';
  return state.nodes + state.simulated > 0 ? `${state.nodes} real, ${state.simulated} simulated` : 'none here';
}
