/** `timonier down` and `timonier delete`. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { readFacts } from '../../cluster/instance/condition.ts';
import { existingInstance, existingOrItsLog } from '../../cluster/instance/find-instance.ts';
import type { Instance } from '../../cluster/instance/instance.ts';
import { startedOf } from '../../cluster/instance/started-processes.ts';
import { describeError, OperationError } from '../../cluster/operation-error.ts';
import { endAbandoned } from '../ci-guard.ts';
import { isStarted, killDaemon, resumeDaemon, type StopOptions, stopDaemon, stopTimeoutMs } from '../daemon.ts';
import { type Aftermath, sayWhenInterrupted } from '../interruption.ts';
import { createOutput, type Output } from '../output.ts';
import { forgetContext, userPathIfAny } from '../user-kubeconfig.ts';
import { nameArgument } from './cluster-flags.ts';

const podsShownMax = 5;

interface StopFlags {
  readonly dataDir?: string;
  readonly json?: boolean;
}

export function addStop(program: Command): void {
  program
    .command('down')
    .description('stop a cluster and its pods; `up` brings every object back')
    .addArgument(nameArgument())
    .option('--data-dir <DIR>', 'where it is kept')
    .option('--json', 'one JSON value per event')
    .action(async (name: string, flags: StopFlags) => {
      const output = createOutput(flags.json === true);
      const instance = await existingInstance(name, flags.dataDir);
      const wasRunning = isStarted(instance);
      const isLost = !instance.hasBegun && !instance.isWanted;
      let isAsked = false;
      using _word = sayWhenInterrupted(() => afterDown(name, { isAsked, isThere: isStarted(instance) }), output.json);
      resumeDaemon(instance); // else nobody says which pods there are
      if (wasRunning) {
        const telling = await tellingPods(instance, output);
        isAsked = true;
        if (!(await stopDaemon(instance, telling))) output.line('It did not stop in time, and was ended as it was.');
      }
      const left = await clearStopped(instance);
      output.line(describeStop(name, { wasRunning, left, isLost }));
      output.event({ event: 'stopped', name, wasRunning, podsEnded: left?.pods });
    });
  program
    .command('delete')
    .description('end a cluster at once and remove everything of it')
    .addArgument(nameArgument())
    .option('--data-dir <DIR>', 'where it is kept')
    .option('--json', 'one JSON value per event')
    .action(async (name: string, flags: StopFlags) => {
      const output = createOutput(flags.json === true);
      const instance = await existingOrItsLog(name, flags.dataDir);
      instance.checkWritable();
      const places = kubeconfigsOf(instance);
      const ci = ifWhole(() => instance.readSettings())?.ci;
      using _word = sayWhenInterrupted(() => afterDelete(instance), output.json);
      const firstFailed = !instance.exists;
      instance.setUnwanted();
      resumeDaemon(instance);
      await killDaemon(instance); // nothing of it is to be kept, so nothing has to end well
      const { removeTraces } = await import('../../cluster/instance/remove.ts');
      await removeTraces(instance);
      for (const error of await forgetContext(`timonier-${name}`, places))
        warn(`its context may still be in a kubeconfig: ${describeError(error)}`);
      if (!places.areKnown && !firstFailed)
        warn(`its record is gone or damaged: context timonier-${name} may still be in a file of --kubeconfig`);
      await endAbandoned(ci);
      await instance.remove();
      output.line(`Cluster "${name}" is deleted.`);
      output.event({ event: 'deleted', name });
    });
}

interface Stop {
  readonly wasRunning: boolean;
  readonly left: Left | undefined;
  /** there is nothing to bring back */
  readonly isLost: boolean;
}

export function describeStop(name: string, { wasRunning, left, isLost }: Stop): string {
  const { hasCrashed = false, pods = 0 } = left ?? {};
  if (!wasRunning && !hasCrashed && pods === 0 && !isLost) return `Cluster "${name}" was not running.`;
  const ended = pods === 0 ? '' : `; ${pods === 1 ? 'a pod that still ran is' : `${pods} pods that still ran are`} ended`;
  const then = isLost ? `Its files are gone: \`timonier delete ${name}\`.` : `\`timonier up ${name}\` brings it back.`;
  return `Cluster "${name}" ${wasRunning || !hasCrashed ? 'is stopped' : 'had crashed'}${ended}. ${then}`;
}

/** Of a `down` that was not let finish. The cluster's process ends by itself once it was asked. */
export function afterDown(name: string, { isAsked, isThere }: { readonly isAsked: boolean; readonly isThere: boolean }): Aftermath {
  if (isThere && !isAsked) return { left: `cluster "${name}" goes on` };
  if (isThere) return { left: `cluster "${name}" goes on stopping`, fix: `wait for it: timonier down ${name}` };
  return { left: `cluster "${name}" does not run`, fix: `end what may be left of it: timonier down ${name}` };
}

/** Of a `delete`. */
export function afterDelete({ name, isWanted, exists }: Pick<Instance, 'name' | 'isWanted' | 'exists'>): Aftermath {
  if (isWanted) return { left: `cluster "${name}" is as it was` };
  if (!exists) return { left: `cluster "${name}" is deleted` };
  return { left: `cluster "${name}" is deleted in part`, fix: `once more: timonier delete ${name}` };
}

interface Left {
  readonly hasCrashed: boolean;
  readonly pods: number;
}

/** Takes away what a process that did not end well has left on the machine; its files stay. Nothing of a start that came after it. */
export async function clearStopped(instance: Instance): Promise<Left | undefined> {
  instance.checkWritable();
  using lock = existsSync(instance.dir) ? lockUnlessStarting(instance) : new DisposableStack();
  if (!lock || isStarted(instance)) return undefined;
  const { died, leftPods = 0, damage } = await readFacts(instance);
  const hasLeft = died !== undefined || damage !== undefined || leftPods > 0;
  if (hasLeft) {
    const { removeTraces } = await import('../../cluster/instance/remove.ts');
    await removeTraces(instance);
  }
  instance.clearState();
  return hasLeft ? { hasCrashed: died !== undefined, pods: leftPods } : undefined;
}

function lockUnlessStarting(instance: Instance): Disposable | undefined {
  try {
    return instance.lockStart();
  } catch (error) {
    if (error instanceof OperationError && error.code === 'starting') return undefined;
    throw error;
  }
}

async function tellingPods(instance: Instance, output: Output): Promise<StopOptions> {
  const state = ifWhole(() => instance.running());
  const { readWaitedPods, runningOf } = await import('../../cluster/instance/stopping-pods.ts');
  const known = state?.nodes ? await readWaitedPods(ifWhole(() => instance.readKubeconfig())) : undefined;
  return {
    onSlow: (processes) => {
      const pods = known ? runningOf(known, instance.name) : [];
      if (pods.length === 0) {
        const atMostSeconds = stopTimeoutMs / 1000;
        output.line(`Waiting for process ${processes.join(', ')} to end, ${atMostSeconds} s at most.`);
        output.event({ event: 'waiting', processes, atMostSeconds });
        return;
      }
      const names = pods.map(({ name }) => name);
      const atMostSeconds = Math.max(...pods.map(({ graceSeconds }) => graceSeconds));
      output.line(`Waiting for ${pods.length === 1 ? 'a pod' : `${pods.length} pods`} to end, ${atMostSeconds} s at most:`);
      for (const pod of names.slice(0, podsShownMax)) output.line(`  ${pod}`);
      if (pods.length > podsShownMax) output.line(`  and ${pods.length - podsShownMax} more`);
      output.event({ event: 'waiting', pods: names, atMostSeconds });
    },
  };
}

/** To stderr, whoever reads the rest. */
function warn(text: string): void {
  process.stderr.write(`timonier: warning: ${text}\n`);
}

interface Places {
  /** where its context may be; of damaged files, what the others say */
  readonly files: readonly string[];
  /** of them, those that were made for it */
  readonly made: readonly string[];
  /** that is all */
  readonly areKnown: boolean;
}

function kubeconfigsOf(instance: Instance): Places {
  const started = startedOf(instance).map(({ kubeconfig }) => kubeconfig);
  const record = ifWhole(() => instance.readSettings());
  const kept = record?.kubeconfigs ?? [];
  const told = ifWhole(() => instance.readState())?.kubeconfig;
  const usual = kept.length + started.length === 0 && told === undefined ? userPathIfAny() : undefined;
  const files = [...kept, told, ...started, usual].filter((file) => file !== undefined);
  return {
    files: [...new Set(files)].filter((file) => file !== instance.kubeconfig),
    made: record?.made ?? [],
    areKnown: record !== undefined || started.length > 0,
  };
}

function ifWhole<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // it goes, whatever was in it
  }
}
