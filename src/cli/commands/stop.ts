/** `timonier down` and `timonier delete`. */
import type { Command } from 'commander';
import { existingInstance } from '../../cluster/find-instance.ts';
import type { Instance, InstanceState } from '../../cluster/instance.ts';
import { isStarted, killDaemon, stopDaemon } from '../daemon.ts';
import { createOutput } from '../output.ts';
import { forgetContext } from '../user-kubeconfig.ts';

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
      const instance = existingInstance(name, flags.dataDir);
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
      const instance = existingInstance(name, flags.dataDir);
      instance.setUnwanted();
      await killDaemon(instance); // nothing of it is to be kept, so nothing has to end well
      const state = stateIfWhole(instance);
      const { removeTraces } = await import('../../cluster/remove.ts');
      await removeTraces(instance);
      if (!state?.ownKubeconfig) await forgetContext(`timonier-${name}`, state?.kubeconfig);
      await instance.remove();
      output.line(`Cluster "${name}" is deleted.`);
      output.event({ event: 'deleted', name });
    });
}

function stateIfWhole(instance: Instance): InstanceState | undefined {
  try {
    return instance.readState();
  } catch {
    return undefined; // the usual kubeconfig, then
  }
}
