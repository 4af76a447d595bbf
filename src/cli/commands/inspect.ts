/** `timonier list`, `status`, `logs`, `kubeconfig` and `version`: what is there, without changing it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { Instance, type InstanceState, listInstances } from '../../cluster/instance.ts';
import { renderLogLine } from '../../cluster/logging.ts';
import { OperationError } from '../../cluster/operation-error.ts';
import type { ClusterStatus } from '../../cluster/status.ts';
import { isFirstStart, readLeftProcess, readSupervision } from '../../cluster/supervision.ts';
import { kubernetesVersion, version } from '../../cluster/version.ts';
import { createOutput, renderColumns } from '../output.ts';

export function addInspect(program: Command): void {
  program
    .command('list')
    .description('the clusters of this machine')
    .option('--json', 'as JSON')
    .action((flags: { json?: boolean }) => {
      const output = createOutput(flags.json === true);
      const all = listInstances().map((instance) => ({ name: instance.name, dir: instance.dir, ...conditionOf(instance) }));
      output.event({
        clusters: all.map(({ name, state, condition, dir }) => ({
          name,
          running: state !== undefined,
          state: condition,
          dir,
          ...(state && { server: state.server }),
        })),
      });
      const rows = all.map(({ name, state, condition, dir }) => [name, condition, state?.server ?? '-', nodesOf(state), dir]);
      for (const line of renderColumns([['NAME', 'STATE', 'SERVER', 'NODES', 'DIRECTORY'], ...rows])) output.line(line);
    });
  program
    .command('status')
    .description('how a cluster is: its process, checks, nodes and pods')
    .argument('[NAME]', 'the cluster’s name', 'default')
    .option('--json', 'as JSON')
    .action(async (name: string, flags: { json?: boolean }) => {
      const output = createOutput(flags.json === true);
      const instance = new Instance(name);
      const [state, supervision, left] = [instance.running(), readSupervision(instance.dir), readLeftProcess(instance.dir)];
      const { leftStatus, readStatus, waitingStatus } = await import('../../cluster/status.ts');
      let status: ClusterStatus;
      if (state) status = await readStatus({ name, kubeconfig: instance.readKubeconfig() }, state, supervision);
      else if (supervision) status = waitingStatus(supervision);
      else if (left) status = leftStatus(left);
      else throw notRunning(name);
      output.event(status);
      for (const [label, value] of status.lines) output.line(`${`${label}:`.padEnd(12)} ${value}`);
      if (!status.healthy) process.exitCode = 1;
    });
  program
    .command('logs')
    .description('what the cluster’s process logged')
    .argument('[NAME]', 'the cluster’s name', 'default')
    .option('-f, --follow', 'go on with what comes')
    .option('--tail <LINES>', 'the last lines only', '200')
    .option('--json', 'as they were written; so it is too when the output is no terminal')
    .action(async (name: string, flags: { follow?: boolean; tail: string; json?: boolean }) => {
      const instance = new Instance(name);
      if (!existsSync(instance.logFile))
        throw new OperationError({ code: 'no-log', message: `no log at ${instance.logFile}`, fix: '`timonier list` shows what there is' });
      const asWritten = flags.json === true || !process.stdout.isTTY;
      const child = spawn('tail', ['-n', flags.tail, ...(flags.follow ? ['-F'] : []), instance.logFile], {
        stdio: ['ignore', asWritten ? 'inherit' : 'pipe', 'inherit'],
      });
      if (child.stdout) for await (const line of createInterface(child.stdout)) process.stdout.write(`${renderLogLine(line)}\n`);
      if (child.exitCode === null) await once(child, 'exit');
    });
  program
    .command('kubeconfig')
    .description('print the administrator’s kubeconfig')
    .argument('[NAME]', 'the cluster’s name', 'default')
    .action((name: string) => {
      const { instance } = runningInstance(name);
      process.stdout.write(instance.readKubeconfig());
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

interface Condition {
  readonly condition: 'running' | 'starting' | 'restarting' | 'stopped' | 'damaged';
  readonly state?: InstanceState;
}

function conditionOf(instance: Instance): Condition {
  try {
    const state = instance.running();
    if (state) return { condition: 'running', state };
    const supervision = readSupervision(instance.dir);
    if (supervision) return { condition: isFirstStart(supervision) ? 'starting' : 'restarting' };
    return { condition: readLeftProcess(instance.dir) ? 'starting' : 'stopped' };
  } catch {
    return { condition: 'damaged' }; // the other commands say what is
  }
}

const nodesOf = (state: InstanceState | undefined): string => (state ? `${state.nodes} real, ${state.hollow} simulated` : '-');

export function runningInstance(name: string): { instance: Instance; state: InstanceState } {
  const instance = new Instance(name);
  const state = instance.running();
  if (state) return { instance, state };
  const { condition } = conditionOf(instance);
  const fix = `timonier status ${name} says when; timonier logs ${name} says why`;
  if (condition === 'starting') throw new OperationError({ code: condition, message: `cluster "${name}" is being started`, fix });
  if (condition === 'restarting')
    throw new OperationError({ code: condition, message: `cluster "${name}" is being started again, since its process died`, fix });
  throw notRunning(name);
}

const notRunning = (name: string): OperationError =>
  new OperationError({ code: 'not-running', message: `cluster "${name}" is not running`, fix: `timonier up ${name}` });
