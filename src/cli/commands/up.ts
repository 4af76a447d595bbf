/** `timonier up`: a cluster in the background, back when it is ready. */
import { type Command, Option } from 'commander';
import { realClock } from '../../client/clock.ts';
import { knownProcess } from '../../client/processes.ts';
import type { PhaseReport } from '../../cluster/cluster.ts';
import { refuseInMemory } from '../../cluster/instance/cluster-name.ts';
import { type Facts, readFacts, stateFrom } from '../../cluster/instance/condition.ts';
import { Instance, type InstanceState, startingAlready } from '../../cluster/instance/instance.ts';
import { isFirstStart, readSupervision } from '../../cluster/instance/supervision.ts';
import { explainFullDisk } from '../../cluster/machine/disk-full.ts';
import { installMissing } from '../../cluster/machine/install.ts';
import { detectMachine, noRealNodes, realNodesPossible } from '../../cluster/machine/machine.ts';
import { OperationError } from '../../cluster/operation-error.ts';
import type { ClusterConfig } from '../../cluster/settings/config.ts';
import type { CiProcess } from '../../cluster/settings/settings.ts';
import { changeRunning } from '../change-running.ts';
import { killDaemon, type ReadyReport, startDaemon, superviseAgain } from '../daemon.ts';
import { interrupted } from '../interruption.ts';
import { createOutput, type Output, renderColumns } from '../output.ts';
import { forgetStart, prepareStart, refuseRestartOfDead, tellChanges } from '../start-record.ts';
import { addClusterFlags, backgroundWords, type ClusterFlags, settingsFrom, timeoutMsFrom } from './cluster-flags.ts';

interface UpFlags extends ClusterFlags {
  readonly ci?: string;
}

export function addUp(program: Command): void {
  addClusterFlags(program.command('up').description('start a cluster, or take up a stopped one; returns when it is ready'))
    .addOption(new Option('--ci <DIR>', 'made by `ci`, which has started this').hideHelp())
    .action(async (name: string, flags: UpFlags) => {
      const output = createOutput(flags.json === true);
      const instance = new Instance(name, flags.dataDir);
      const given = await settingsFrom(flags);
      const timeoutMs = timeoutMsFrom(flags);
      refuseInMemory(name);
      const running = instance.running();
      if (running) {
        const { isUnsupervised } = await refuseTroubled(instance);
        if (isUnsupervised) await restoreSupervisor(instance, running, flags, output);
        return changeRunning(instance, running, given, output);
      }
      const facts = await readFacts(instance);
      if (facts.damage?.code === 'files-gone') throw facts.damage;
      const start = await prepareStart(instance, given);
      await checkBeforehand(flags, start.settings.config, output);
      refuseRestartOfDead(name, start.changes, facts);
      refuseSecondStart(instance);
      const fresh = !instance.hasBegun;
      inPlace(instance, () => instance.create());
      using _lock = inPlace(instance, () => instance.lockStart());
      await killDaemon(instance); // what waits to be started again, or is being started again; its containers go on
      inPlace(instance, () => instance.writeSettings({ ...start.record, ci: ciOf(flags) }));
      tellChanges(start.changes, output);
      const onPhase = (report: PhaseReport): void => {
        output.line(
          `  ${report.phase.padEnd(13)} ${String(Math.round(report.durationMs)).padStart(6)} ms${report.note ? `   ${report.note}` : ''}`,
        );
        output.event({ event: 'phase', ...report });
      };
      let report: ReadyReport;
      const startMs = realClock.monotonic();
      try {
        report = await startDaemon(instance, backgroundWords(instance, flags, start.destination.file), { timeoutMs, onPhase });
      } catch (error) {
        if (!instance.isWanted) throw deletedMeanwhile(name);
        const told = explainFullDisk(error, instance); // while its files are there
        const isInterrupted = error instanceof OperationError && error.code === interrupted;
        if (fresh) await clearFirstStart(instance, { keepLog: !isInterrupted });
        forgetStart(instance);
        throw isInterrupted && !fresh ? stoppedAgain(error) : told;
      }
      const state = instance.readState();
      const durationMs = Math.round(realClock.monotonic() - startMs);
      output.line(`\nReady in ${(durationMs / 1000).toFixed(1)} s.\n`);
      for (const line of renderColumns(places(state, report))) output.line(`  ${line}`);
      output.line(`\n  ${nextCommand(name, state?.kubeconfig ?? '', state?.ownKubeconfig === true)}`);
      output.event({
        event: 'ready',
        name,
        durationMs,
        server: state?.server,
        kubeconfig: state?.kubeconfig,
        nodes: report.nodes,
        simulated: report.simulated,
      });
    });
}

const ciOf = ({ ci: dir }: UpFlags): CiProcess | undefined => (dir === undefined ? undefined : { dir, ...knownProcess(process.ppid) });

const nodesShownMax = 5;

function places(state: InstanceState | undefined, { nodes, simulated }: ReadyReport): string[][] {
  const more = nodes.length - nodesShownMax;
  return [
    ['API', state?.server ?? ''],
    ...nodes.slice(0, nodesShownMax).map(({ name, address }) => ['node', `${name}, ${address}`]),
    ...(more > 0 ? [['', `and ${more} more`]] : []),
    ...(simulated > 0 ? [['simulated', `${simulated} ${simulated === 1 ? 'node' : 'nodes'}: no containers run there`]] : []),
    ['kubeconfig', state?.kubeconfig ?? ''],
  ];
}

const stoppedAgain = ({ code, exitCode }: OperationError): OperationError =>
  new OperationError({ code, message: 'Interrupted; the cluster is stopped', exitCode });

/** It runs, and something is wrong with it that `up` does not mend. */
async function refuseTroubled(instance: Instance): Promise<Facts> {
  const facts = await readFacts(instance);
  const state = stateFrom(facts);
  if (state === 'running') return facts;
  const { problemsOf } = await import('../../cluster/instance/status.ts');
  const [problem] = problemsOf({ name: instance.name, dir: instance.dir, state, process: facts.serving });
  if (problem) throw new OperationError({ ...problem, message: `cluster "${instance.name}": ${problem.message}` });
  return facts;
}

async function restoreSupervisor(
  instance: Instance,
  { pid, kubeconfig }: InstanceState,
  flags: ClusterFlags,
  output: Output,
): Promise<void> {
  using _lock = inPlace(instance, () => instance.lockStart());
  const supervisor = await superviseAgain(instance, pid, backgroundWords(instance, flags, kubeconfig));
  output.line(`Its supervisor had died; process ${supervisor} is the new one.`);
  output.event({ event: 'supervised', name: instance.name, supervisor });
}

/** What its directory has no room for is said as such. */
function inPlace<T>(instance: Instance, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw explainFullDisk(error, instance);
  }
}

function refuseSecondStart({ name, dir }: Instance): void {
  const supervision = readSupervision(dir);
  if (supervision && isFirstStart(supervision)) throw startingAlready(name, supervision.process ?? supervision.pid);
}

/** Its process has done so itself, if it was not killed. Of a failure the log stays. */
async function clearFirstStart(instance: Instance, { keepLog }: { readonly keepLog: boolean }): Promise<void> {
  const { removeTraces } = await import('../../cluster/instance/remove.ts');
  await removeTraces(instance);
  await instance.remove({ keepLog });
}

const deletedMeanwhile = (name: string): OperationError =>
  new OperationError({
    code: 'deleted',
    message: `cluster "${name}" was deleted while it started`,
    fix: `start it again: timonier up ${name}`,
  });

/** What can be known to fail before a process is started. */
async function checkBeforehand(flags: ClusterFlags, { nodes }: ClusterConfig, output: Output): Promise<void> {
  let machine = await detectMachine();
  if (flags.install) machine = await installMissing(machine, (line) => output.event({ event: 'install', line }));
  const possible = realNodesPossible(machine);
  if (possible.ok || nodes === 0) return;
  if (nodes !== undefined) throw noRealNodes(possible);
  output.line(`No real node here: ${possible.missing}.`);
  output.line('A simulated one instead: pods become Running, but no container runs, and no traffic flows.');
  output.line(`For real ones: ${possible.fix}\n`);
}

function nextCommand(name: string, kubeconfig: string, ownFile: boolean): string {
  return ownFile ? `kubectl --kubeconfig ${kubeconfig} get nodes` : `kubectl --context timonier-${name} get nodes`;
}
