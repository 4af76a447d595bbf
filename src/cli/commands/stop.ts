/** `timonier down` and `timonier delete`. */
import type { Command } from 'commander';
import { Instance } from '../../cluster/instance.ts';
import { describeError, OperationError } from '../../cluster/operation-error.ts';
import { isStarted, killDaemon, stopDaemon } from '../daemon.ts';
import { createOutput } from '../output.ts';
import { forgetContext, userPathIfAny } from '../user-kubeconfig.ts';

interface StopFlags {
  readonly dataDir?: string;
  readonly json?: boolean;
}

export function addStop(program: Command): void {
  program
    .command('down')
    .description('stop a cluster and its pods; `up` brings every object back')
    .argument('[NAME]', 'the cluster’s name', 'default')
    .option('--data-dir <DIR>', 'where it is kept')
    .option('--json', 'one JSON value per event')
    .action(async (name: string, flags: StopFlags) => {
      const output = createOutput(flags.json === true);
      const instance = existing(name, flags);
      const wasRunning = isStarted(instance);
      if (wasRunning) await stopDaemon(instance);
      instance.clearState();
      output.line(
        wasRunning ? `Cluster "${name}" is stopped. \`timonier up ${name}\` brings it back.` : `Cluster "${name}" was not running.`,
      );
      output.event({ event: 'stopped', name, wasRunning });
    });
  program
    .command('delete')
    .description('end a cluster at once and remove everything of it')
    .argument('[NAME]', 'the cluster’s name', 'default')
    .option('--data-dir <DIR>', 'where it is kept')
    .option('--json', 'one JSON value per event')
    .action(async (name: string, flags: StopFlags) => {
      const output = createOutput(flags.json === true);
      const instance = existing(name, flags);
      const places = kubeconfigsOf(instance);
      instance.setUnwanted();
      await killDaemon(instance); // nothing of it is to be kept, so nothing has to end well
      const { removeTraces } = await import('../../cluster/remove.ts');
      await removeTraces(instance);
      for (const error of await forgetContext(`timonier-${name}`, places))
        warn(`its context may still be in a kubeconfig: ${describeError(error)}`);
      await instance.remove();
      output.line(`Cluster "${name}" is deleted.`);
      output.event({ event: 'deleted', name });
    });
}

/** To stderr, whoever reads the rest. */
function warn(text: string): void {
  process.stderr.write(`timonier: warning: ${text}\n`);
}

function existing(name: string, flags: StopFlags): Instance {
  const instance = new Instance(name, flags.dataDir);
  if (instance.exists) return instance;
  throw new OperationError({
    code: 'no-such-cluster',
    message: `there is no cluster "${name}" in ${instance.dir}`,
    fix: '`timonier list` shows what there is',
  });
}

/** Where its context may be; of damaged files, what the others say. */
function kubeconfigsOf(instance: Instance): string[] {
  const kept = ifWhole(() => instance.readSettings())?.kubeconfigs ?? [];
  const told = ifWhole(() => instance.readState())?.kubeconfig;
  const usual = kept.length === 0 && told === undefined ? userPathIfAny() : undefined;
  const files = [...kept, told, usual].filter((file) => file !== undefined);
  return [...new Set(files)].filter((file) => file !== instance.kubeconfig);
}

function ifWhole<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // it goes, whatever was in it
  }
}
