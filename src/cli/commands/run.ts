/**
 * `timonier run`: a cluster in the foreground, logs to the terminal; what systemd, containers and `up` start. Or some
 * of its components, beside an API server that a kubeconfig leads to: these keep nothing.
 */
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { type Command, Option } from 'commander';
import { Node } from '../../api/generated/kinds.ts';
import { realClock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import type { Cluster, StartOptions } from '../../cluster/cluster.ts';
import { type ComponentName, componentNames, parseComponents } from '../../cluster/component-names.ts';
import { realNodeName } from '../../cluster/identities.ts';
import { refuseInMemory } from '../../cluster/instance/cluster-name.ts';
import { readFacts } from '../../cluster/instance/condition.ts';
import { Instance } from '../../cluster/instance/instance.ts';
import { createLog, logToBoth } from '../../cluster/log/logging.ts';
import { explainFullDisk } from '../../cluster/machine/disk-full.ts';
import { endAfter, giveUpMsMax, stopMsMax } from '../../cluster/machine/end-process.ts';
import { installMissing } from '../../cluster/machine/install.ts';
import { detectMachine } from '../../cluster/machine/machine.ts';
import { watchProcess } from '../../cluster/machine/process-faults.ts';
import { describeError, OperationError } from '../../cluster/operation-error.ts';
import { describeSettingChange } from '../../cluster/settings/settings.ts';
import { refuseServerOptions } from '../../cluster/start-options.ts';
import { version } from '../../cluster/version.ts';
import { type ReadyReport, tellParent } from '../daemon.ts';
import { interruption } from '../interruption.ts';
import { forgetStart, keepStart, type PlannedStart, plannedStart, prepareStart, refuseRestartOfDead } from '../start-record.ts';
import { accessFrom } from '../user-kubeconfig.ts';
import { addClusterFlags, type ClusterFlags, configFrom, settingsFrom, timeoutMsFrom } from './cluster-flags.ts';

interface RunFlags extends ClusterFlags {
  readonly components?: string;
  /** by the supervisor, after the process died */
  readonly again?: boolean;
}

export function addRun(program: Command): void {
  addClusterFlags(program.command('run').description('run a cluster, or some of its components, in the foreground'))
    .option('--components <LIST>', `only these: ${componentNames.join(', ')}. Without api-server, --kubeconfig is read: it leads to one`)
    .addOption(new Option('--kept', 'as its directory says').hideHelp())
    .addOption(new Option('--again', 'as it was before its process died').hideHelp())
    .action(async (name: string, flags: RunFlags, command: Command) => {
      const components = flags.components === undefined ? componentNames : parseComponents(flags.components);
      if (components.includes('api-server')) await runCluster(name, components, flags);
      else if (await runBeside(command.args[0], components, flags)) throw interruption('SIGINT', { left: 'the components have stopped' });
    });
}

async function runCluster(name: string, components: readonly ComponentName[], flags: RunFlags): Promise<void> {
  const instance = new Instance(name, flags.dataDir);
  refuseInMemory(name);
  const running = instance.running();
  if (running) {
    throw new OperationError({
      code: 'already-running',
      message: `cluster "${name}" ${running.stopping ? 'is being stopped' : 'runs already'} (process ${running.pid})`,
      fix: `timonier down ${name}`,
    });
  }
  const start = flags.kept ? plannedStart(instance) : await prepareStart(instance, await settingsFrom(flags));
  const fresh = !flags.kept && !instance.hasBegun;
  using begun = new DisposableStack(); // `up` does it for a process of its own
  if (!flags.kept) {
    begun.use(await beginForeground(instance, start, flags));
    begun.defer(() => forgetStart(instance));
  }
  const { config, logLevel } = start.settings;
  let wasReady = false;
  const clear = async ({ keepLog }: { readonly keepLog: boolean }): Promise<void> => {
    if (fresh && !wasReady) await instance.remove({ keepLog });
  };
  let isInterrupted: boolean;
  try {
    isInterrupted = await runForeground(
      { ...flags, logLevel: logLevel ?? flags.logLevel },
      { ...config, components, name, dataDir: instance.dir },
      {
        onReady: async (cluster) => {
          const placed = await keepStart(instance, start, cluster);
          wasReady = true;
          instance.writeState({
            pid: process.pid,
            server: cluster.server,
            startedAt: new Date(realClock.now()).toISOString(),
            nodes: cluster.nodes,
            simulated: cluster.simulated,
            version,
            ...placed,
          });
          begun.dispose();
          return placed;
        },
        onStop: () => markStopping(instance),
      },
    );
  } catch (error) {
    if (!flags.again) instance.clearState(); // else it still says how the process that died was
    await clear({ keepLog: true });
    throw error;
  }
  instance.clearState();
  await clear({ keepLog: false }); // stopped before it was ready
  if (isInterrupted && !flags.kept)
    throw interruption('SIGINT', { left: fresh && !wasReady ? 'nothing is left' : 'the cluster is stopped' });
}

/** For who looks meanwhile. */
function markStopping(instance: Instance): void {
  try {
    const state = instance.readState();
    if (state) instance.writeState({ ...state, stopping: true });
  } catch {
    // a full disk or a damaged file: it stops all the same
  }
}

/** What `up` does for a background process. */
async function beginForeground(instance: Instance, { changes, record }: PlannedStart, flags: RunFlags): Promise<Disposable> {
  refuseRestartOfDead(instance.name, changes, await readFacts(instance));
  if (flags.install) await installMissing(await detectMachine(), (line) => process.stdout.write(`${line}\n`));
  instance.create();
  const lock = instance.lockStart('run');
  instance.writeSettings(record);
  for (const change of changes) process.stdout.write(`${describeSettingChange(change)}\n`);
  return lock;
}

/** Components beside an API server elsewhere, named after this machine if nothing else is said. */
async function runBeside(name: string | undefined, components: readonly ComponentName[], flags: RunFlags): Promise<boolean> {
  if (flags.kubeconfig === undefined) {
    const message = `${components.join(', ')} without api-server: where is the API server?`;
    throw new OperationError({ code: 'bad-flag', message, fix: 'give --kubeconfig FILE, or add api-server to --components', exitCode: 2 });
  }
  const config = await configFrom(flags);
  refuseServerOptions({ ...config, dataDir: flags.dataDir });
  const access = await accessFrom(flags.kubeconfig);
  return runForeground(flags, { ...config, components, access, name: name || undefined }, { onReady: async () => ({ components }) });
}

/** To the terminal, and to the file that `logs` reads, unless they are one. */
async function logOf(
  { logLevel: level = 'info', json }: RunFlags,
  { name = 'default', dataDir }: StartOptions,
  files: DisposableStack,
): Promise<Log> {
  const common = { level, clock: realClock };
  const format = process.stdout.isTTY && !json ? 'text' : 'json';
  const log = await createLog({ ...common, format, write: (line) => process.stdout.write(line) });
  if (dataDir === undefined) return log;
  const file = openSync(new Instance(name, dataDir).logFile, 'a', 0o600);
  files.defer(() => closeSync(file));
  if (isSameFile(file, process.stdout.fd)) return log;
  return logToBoth(log, await createLog({ ...common, format: 'json', write: (line) => appendIfRoom(file, line) }));
}

function isSameFile(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one), fstatSync(other)];
  return a.dev === b.dev && a.ino === b.ino;
}

/** A full disk costs lines. */
function appendIfRoom(file: number, line: string): void {
  try {
    writeSync(file, line);
  } catch {
    // nobody can be told
  }
}

interface Heard {
  /** gives what the log says of it */
  onReady(cluster: Cluster): Promise<object>;
  onStop?(): void;
}

/** Until a signal. True: that was Ctrl-C; by SIGTERM services are stopped in good order. */
async function runForeground(flags: RunFlags, options: StartOptions, { onReady, onStop }: Heard): Promise<boolean> {
  using files = new DisposableStack();
  const log = await logOf(flags, options, files);
  /** for programs that read the log as what `up --json` writes */
  const eventOf = (event: string, more: object): object => (flags.json ? { event, ...more } : {});
  using faults = watchProcess(log);
  const timeoutMs = timeoutMsFrom(flags);
  using deadlines = new DisposableStack();
  const startDeadline = deadlines.use(
    endAfter(timeoutMs + giveUpMsMax, 'SIGKILL', () => log.error({ timeoutMs, giveUpMsMax }, 'a start that failed does not end: killed')),
  );
  const stop = new AbortController();
  const stopFor = (why: object): void => {
    if (stop.signal.aborted || deadlines.disposed) return; // it ends already
    log.info(why, 'stopping');
    startDeadline[Symbol.dispose]();
    deadlines.use(endAfter(stopMsMax, 'SIGTERM', () => log.error({ stopMsMax }, 'not everything stopped in time: ended as it is')));
    onStop?.();
    stop.abort();
  };
  let isInterrupted = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    isInterrupted ||= signal === 'SIGINT' && !stop.signal.aborted;
    stopFor({ signal });
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const onAlone = (): void => stopFor({ reason: 'whoever waited for the start is gone' });
  process.once('disconnect', onAlone);
  try {
    const { startMachineCluster } = await import('../../cluster/start-cluster.ts');
    await using cluster = await startMachineCluster({
      ...options,
      log,
      faults,
      signal: stop.signal,
      timeoutMs,
      onPhase: (report) => {
        const { phase, durationMs, note } = report;
        log.info({ ...eventOf('phase', { phase }), durationMs: Math.round(durationMs), ...(note && { note }) }, phase);
        tellParent({ type: 'phase', ...report });
      },
    });
    log.info({ ...eventOf('ready', { name: cluster.name }), server: cluster.server, ...(await onReady(cluster)) }, 'the cluster is ready');
    startDeadline[Symbol.dispose]();
    process.off('disconnect', onAlone);
    tellParent({ type: 'ready', ...(await whereThingsAre(cluster)) });
    flushCompileCache(); // not only when it ends: it may run for months, and the next start is to be quick
    if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
  } catch (thrown) {
    if (stop.signal.aborted) return isInterrupted;
    const { name = 'default', dataDir: dir } = options;
    const error = dir === undefined ? thrown : explainFullDisk(thrown, { name, dir });
    if (!process.connected) throw error; // the command line says it
    log.error({ error }, 'the cluster did not start');
    const known = error instanceof OperationError ? error : undefined;
    tellParent({ type: 'failed', code: known?.code ?? 'failed', message: describeError(error), fix: known?.fix });
    process.exitCode = 1;
  } finally {
    process.off('disconnect', onAlone);
    if (process.connected) process.disconnect?.();
  }
  return isInterrupted;
}

/** For whoever started it; nobody else needs it. */
async function whereThingsAre({ name, nodes: real, simulated, client }: Cluster): Promise<ReadyReport> {
  if (!process.connected || real === 0) return { nodes: [], simulated };
  const { items } = await client.list(Node);
  const names = Array.from({ length: real }, (_, i) => realNodeName(name, i + 1));
  const addressOf = (nodeName: string): string | undefined =>
    items.find(({ metadata }) => metadata.name === nodeName)?.status.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  return { nodes: names.map((nodeName) => ({ name: nodeName, address: addressOf(nodeName) ?? '' })), simulated };
}
