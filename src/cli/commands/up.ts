/** `timonier up`: a cluster in the background, back when it is ready. */
import type { Command } from 'commander';
import type { PhaseReport } from '../../cluster/cluster.ts';
import type { ClusterConfig } from '../../cluster/config.ts';
import { explainFullDisk } from '../../cluster/disk-full.ts';
import { installMissing } from '../../cluster/install.ts';
import { Instance } from '../../cluster/instance.ts';
import { detectMachine, noRealNodes, realNodesPossible } from '../../cluster/machine.ts';
import { OperationError } from '../../cluster/operation-error.ts';
import { isFirstStart, readSupervision } from '../../cluster/supervision.ts';
import { killDaemon, startDaemon } from '../daemon.ts';
import { createOutput, type Output } from '../output.ts';
import { addClusterFlags, type ClusterFlags, configFrom, flagWords, timeoutMsFrom } from './cluster-flags.ts';

export function addUp(program: Command): void {
  addClusterFlags(program.command('up').description('start a cluster, or take up a stopped one; returns when it is ready')).action(
    async (name: string, flags: ClusterFlags) => {
      const output = createOutput(flags.json === true);
      const instance = new Instance(name, flags.dataDir);
      const running = instance.running();
      if (running) {
        output.line(`Cluster "${name}" runs already, at ${running.server} (process ${running.pid}).`);
        output.event({ event: 'ready', name, server: running.server, kubeconfig: running.kubeconfig, alreadyRunning: true });
        return;
      }
      const config = await checkBeforehand(flags, output);
      refuseSecondStart(instance);
      await killDaemon(instance); // what waits to be started again, or is being started again; its containers go on
      const settings = makePlace(instance, config);
      const fresh = !instance.hasBegun;
      const words = flagWords(name, flags, settings);
      const onPhase = (report: PhaseReport): void => {
        output.line(
          `  ${report.phase.padEnd(13)} ${String(Math.round(report.durationMs)).padStart(6)} ms${report.note ? `   ${report.note}` : ''}`,
        );
        output.event({ event: 'phase', ...report });
      };
      try {
        await startDaemon(instance, words, { timeoutMs: timeoutMsFrom(flags), onPhase });
      } catch (error) {
        if (!instance.isWanted) throw deletedMeanwhile(name);
        const told = explainFullDisk(error, instance); // while its files are there
        if (fresh) await clearFirstStart(instance);
        throw told;
      }
      const state = instance.readState();
      output.line(`\nCluster "${name}" is ready: ${state?.server}`);
      output.line(`\n  ${nextCommand(name, state?.kubeconfig ?? '', state?.ownKubeconfig === true)}`);
      output.event({ event: 'ready', name, server: state?.server, kubeconfig: state?.kubeconfig });
    },
  );
}

/** Gives the file of its settings. */
function makePlace(instance: Instance, config: ClusterConfig): string {
  try {
    instance.create();
    return instance.writeSettings(config);
  } catch (error) {
    throw explainFullDisk(error, instance);
  }
}

function refuseSecondStart({ name, dir }: Instance): void {
  const supervision = readSupervision(dir);
  if (!supervision || !isFirstStart(supervision)) return;
  const message = `cluster "${name}" is being started already (process ${supervision.process ?? supervision.pid})`;
  throw new OperationError({ code: 'starting', message, fix: `wait for it: timonier status ${name}; or end it: timonier down ${name}` });
}

/** Its process has done so itself, if it was not killed. Files stay, for the log's sake, once there is something in them. */
async function clearFirstStart(instance: Instance): Promise<void> {
  const { removeTraces } = await import('../../cluster/remove.ts');
  await removeTraces(instance);
  if (!instance.hasBegun) await instance.remove();
}

const deletedMeanwhile = (name: string): OperationError =>
  new OperationError({
    code: 'deleted',
    message: `cluster "${name}" was deleted while it started`,
    fix: `start it again: timonier up ${name}`,
  });

/** What can be known to fail before a process is started. */
async function checkBeforehand(flags: ClusterFlags, output: Output): Promise<ClusterConfig> {
  timeoutMsFrom(flags);
  const config = await configFrom(flags);
  let machine = await detectMachine();
  if (flags.install) machine = await installMissing(machine, (line) => output.event({ event: 'install', line }));
  const possible = realNodesPossible(machine);
  if (possible.ok || config.nodes === 0) return config;
  if (config.nodes !== undefined) throw noRealNodes(possible);
  output.line(`No real node here: ${possible.missing}.`);
  output.line('A simulated one instead: pods become Running, but no container runs, and no traffic flows.');
  output.line(`For real ones: ${possible.fix}\n`);
  return config;
}

function nextCommand(name: string, kubeconfig: string, ownFile: boolean): string {
  return ownFile ? `kubectl --kubeconfig ${kubeconfig} get nodes` : `kubectl --context timonier-${name} get nodes`;
}
