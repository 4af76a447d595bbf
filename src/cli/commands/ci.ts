/**
 * `timonier ci -- COMMAND`: a fresh cluster that is there for one command. The command has our input, output and signals,
 * and finds the cluster by its environment; its exit code is ours. However either ends, nothing of the cluster stays: with
 * simulated nodes it is in this process's memory, with real ones it is what `up` makes and `delete` takes away, and a script
 * sees to both when this process is killed (ci-guard.sh). When that is killed as well, the command goes on and a cluster of
 * real nodes stays: `list` says so, and `delete` ends both. Standard output is the command's alone.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { parseJSON } from '../../api/schema/json-scan.ts';
import { realClock, realRandom } from '../../client/clock.ts';
import { silentLog } from '../../client/log.ts';
import { componentNames, parseComponents } from '../../cluster/component-names.ts';
import { ciKubeconfig, ciVariable, clusterVariable } from '../../cluster/instance/cluster-name.ts';
import { Instance } from '../../cluster/instance/instance.ts';
import { logLines } from '../../cluster/log/log-lines.ts';
import { createLog } from '../../cluster/log/logging.ts';
import { ownProcess } from '../../cluster/machine/own-process.ts';
import { watchProcess } from '../../cluster/machine/process-faults.ts';
import { OperationError } from '../../cluster/operation-error.ts';
import type { ClusterConfig } from '../../cluster/settings/config.ts';
import { CiGuard, ciDirPrefix, endAllOf } from '../ci-guard.ts';
import { checkProgram, NotStarted, runForeground, SignalRelay, startCodes } from '../foreground.ts';
import { interruption } from '../interruption.ts';
import { describeFailure } from '../output.ts';
import { usageError } from '../usage-error.ts';
import { addSettingFlags, configFrom, type SettingFlags, timeoutMsFrom } from './cluster-flags.ts';

interface CiFlags extends SettingFlags {
  readonly components?: string;
  readonly quiet?: boolean;
}

/** Of a cluster in memory: there is little to stop. */
const stopMsMax = 10_000;
const nameSuffixLength = 6;

/** What would lead clients to another cluster than this one. */
const otherClusters = /^(HELM_KUBE|KUBERNETES_MASTER$|KUBERNETES_SERVICE_)/;

export function addCi(program: Command): void {
  const command = program
    .command('ci')
    .description('run a command with a fresh cluster, which is gone when it ends')
    .argument('<COMMAND>', 'what to run; after -- its words are its own')
    .argument('[ARGS...]', 'its arguments')
    .passThroughOptions()
    .option('--components <LIST>', 'only these; api-server alone is what envtest starts')
    .option('--quiet', 'say nothing but errors')
    .addHelpText(
      'after',
      [
        '',
        'The command gets KUBECONFIG, USE_EXISTING_CLUSTER=true (for envtest) and',
        `${clusterVariable}, by which timonier itself knows which cluster is meant;`,
        'HELM_KUBE* and KUBERNETES_SERVICE_* are taken away. Words of timonier go to',
        'stderr, with --json as JSON. Exit codes: the command’s, 128 and the number of',
        'a signal; 125 when timonier failed, 126 and 127 when the command can’t be',
        'run or was not found.',
        'As envtest: --components api-server --disable-admission-plugins ServiceAccount',
      ].join('\n'),
    );
  addSettingFlags(command, { nodes: '0, so nodes are simulated', port: '0', auditLog: 'audit.log here; it stays' })
    .exitOverride((error) => {
      if (error.exitCode !== 0) {
        say(describeFailure(usageError(error, 'ci'), command.opts<CiFlags>().json === true));
        process.exitCode = startCodes.failed;
      }
      throw new CommanderError(0, error.code, error.message);
    })
    .action(async (program: string, args: readonly string[], flags: CiFlags) => {
      process.exit(await runWithCluster([program, ...args], flags));
    });
}

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

async function runWithCluster(words: readonly string[], flags: CiFlags): Promise<number> {
  const json = flags.json === true;
  using relay = new SignalRelay();
  try {
    const startedMs = realClock.monotonic();
    const config = await ciConfigFrom(flags);
    checkProgram(words[0] ?? '');
    await using stack = new AsyncDisposableStack();
    const dir = mkdtempSync(join(tmpdir(), ciDirPrefix));
    stack.defer(() => rmSync(dir, { recursive: true, force: true }));
    const name = `ci-${realRandom.suffix(nameSuffixLength)}`;
    stack.use(new CiGuard(dir, config.nodes === 0 ? [] : ownProgram('delete', name)));
    const kubeconfig = ciKubeconfig(dir);
    const start = config.nodes === 0 ? startSimulated : startReal;
    const nodes = await start({ name, dir, kubeconfig, config, flags, gaveUp: relay.gaveUp }, stack);
    const durationMs = Math.round(realClock.monotonic() - startedMs);
    if (json) say(JSON.stringify({ event: 'ready', durationMs, kubeconfig }));
    else if (!flags.quiet) say(`timonier: cluster ready in ${(durationMs / 1000).toFixed(1)} s, ${nodes}`);
    const exitCode = await runForeground(words, { env: environment(name, dir), relay });
    if (relay.passedEnd) await endAllOf(dir); // what it started may not have heard of it
    return exitCode;
  } catch (error) {
    if (relay.received && !(error instanceof SuppressedError)) {
      const told = interruption(relay.received, { left: 'nothing is left' });
      say(describeFailure(told, json));
      return told.exitCode;
    }
    say(describeFailure(error, json));
    return error instanceof NotStarted ? error.exitCode : startCodes.failed;
  }
}

/** What is to be read afterwards is not kept with the cluster. */
async function ciConfigFrom(flags: CiFlags): Promise<ClusterConfig> {
  const given = await configFrom(flags);
  if (flags.install && (given.nodes ?? 0) === 0) {
    const fix = 'leave it out, or ask for real nodes: --nodes 1';
    throw new OperationError({ code: 'bad-flag', message: '--install brings what real nodes need, and there are none', fix });
  }
  const { auditPolicyFile, auditLogPath = auditPolicyFile && resolve('audit.log') } = given;
  return { nodes: 0, port: 0, ...given, ...(auditLogPath && { auditLogPath }) };
}

/** For the command. */
function environment(name: string, dir: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !otherClusters.test(name));
  return {
    ...Object.fromEntries(kept),
    [ciVariable]: dir,
    [clusterVariable]: name,
    KUBECONFIG: ciKubeconfig(dir),
    USE_EXISTING_CLUSTER: 'true',
  };
}

interface Place {
  readonly name: string;
  readonly dir: string;
  /** written by the start */
  readonly kubeconfig: string;
  readonly config: ClusterConfig;
  readonly flags: CiFlags;
  readonly gaveUp: AbortSignal;
}

/** Puts what ends it on the stack; gives what nodes there are, for people. */
type Start = (place: Place, stack: AsyncDisposableStack) => Promise<string>;

const startSimulated: Start = async ({ name, kubeconfig, config, flags, gaveUp }, stack) => {
  const timeoutMs = timeoutMsFrom(flags);
  const components = flags.components === undefined ? componentNames : parseComponents(flags.components);
  const { startCluster } = await import('../../cluster/start-cluster.ts');
  const { logLevel: level } = flags;
  const write = (line: string): unknown => process.stderr.write(line);
  const log = level ? await createLog({ level, format: 'json', clock: realClock, write }) : silentLog;
  const faults = stack.use(watchProcess(log));
  const cluster = await startCluster({ ...config, name, components, timeoutMs, faults, log, signal: gaveUp });
  stack.defer(() => Promise.race([cluster.stop(), realClock.sleep(stopMsMax)]));
  writeFileSync(kubeconfig, cluster.kubeconfig, { mode: 0o600 });
  if (!components.includes('kubelet') && (config.simulated ?? 0) > 0) return 'no node: those start with the component kubelet';
  return cluster.simulated === 0 ? 'no node' : `${cluster.simulated} simulated: no container runs`;
};

const startReal: Start = async ({ name, dir, kubeconfig, config, flags, gaveUp }, stack) => {
  if (flags.components !== undefined) {
    const fix = 'leave --components out, or take simulated nodes: --nodes 0';
    throw new OperationError({ code: 'bad-flag', message: 'a cluster with real nodes has all components', fix });
  }
  const settings = join(dir, 'settings.json'); // by this name ci-guard.sh knows the process that was given it
  writeFileSync(settings, JSON.stringify(config));
  const how = [
    '--timeout',
    flags.timeout,
    ...(flags.logLevel ? ['--log-level', flags.logLevel] : []),
    ...(flags.install ? ['--install'] : []),
  ];
  stack.defer(() => runOwn(['delete', name]).catch(unlessGone)); // what a failed start leaves for its log's sake, too
  if (flags.logLevel) stack.defer(() => tellLog(new Instance(name).logFile)); // it goes with the cluster
  await runOwn(['up', name, '--config', settings, '--kubeconfig', kubeconfig, '--ci', dir, ...how], gaveUp);
  return `${config.nodes} real`;
};

/** As much of it as there is. */
async function tellLog(file: string): Promise<void> {
  if (existsSync(file)) for await (const line of logLines(file, { last: Number.MAX_SAFE_INTEGER })) say(line);
}

const ownProgram = (...words: readonly string[]): string[] => [...ownProcess('cli/main'), ...words];

/** A command of ours, in a process of its own. */
async function runOwn(words: readonly string[], signal?: AbortSignal): Promise<void> {
  const [program = '', ...args] = ownProgram(...words, '--json');
  const { promise, resolve } = Promise.withResolvers<{ failed: boolean; stdout: string }>();
  execFile(program, args, { signal }, (error, stdout) => resolve({ failed: error !== null, stdout }));
  const { failed, stdout } = await promise;
  if (!failed) return;
  const last = parseJSON(stdout.trimEnd().split('\n').at(-1) || '{}') as { code?: string; message?: string; fix?: string };
  const { code = 'failed', message = `timonier ${words[0]} failed`, fix = '' } = last;
  throw new OperationError({ code, message, fix: fix === '' || fix.includes(String(words[1])) ? keepsLog : fix });
}

/** What another fix would lead to goes with the cluster. */
const keepsLog = 'start one with the same flags by `timonier up`: that one keeps its log';

const unlessGone = (error: unknown): void => {
  if (!(error instanceof OperationError && error.code === 'no-such-cluster')) throw error;
};
