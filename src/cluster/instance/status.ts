/**
 * How a cluster is, as data: what its directory and its processes say (condition.ts), and, while it serves, what its API
 * server says of its checks, nodes and pods. For `timonier status`; `--json` prints it as it is.
 *
 * Guarantees: it ends in seconds, whatever hangs; what is not healthy has a problem that names the cause and what to do.
 * Times are RFC 3339, durations whole milliseconds.
 */
import { Node, Pod } from '../../api/generated/kinds.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { isStatusError } from '../../api/meta/status-error.ts';
import { parseTime } from '../../api/meta/time.ts';
import { realClock } from '../../client/clock.ts';
import { accessOf, parseKubeconfig } from '../../client/files/kubeconfig.ts';
import { processStat } from '../../client/processes.ts';
import type { HTTPAccess } from '../../client/transport/http-client.ts';
import { proxyPorts } from '../../node/proxy/proxy-server.ts';
import { containerdWords } from '../../node/runtime/containerd-config.ts';
import { processesEnding } from '../../node/runtime/processes.ts';
import { type AddonState, controlPaths } from '../api-server/control-endpoints.ts';
import { describeError } from '../operation-error.ts';
import { type ClusterState, readFacts, stateFrom } from './condition.ts';
import { commandClient } from './control-client.ts';
import { containerdOf, type Instance, type InstanceState, realNodesOf } from './instance.ts';
import type { Supervision } from './supervision.ts';

export interface ClusterStatus {
  readonly name: string;
  readonly state: ClusterState;
  /** it runs, and there is no problem */
  readonly healthy: boolean;
  readonly problems: readonly Problem[];
  readonly dir: string;
  /** what serves, or will: then without the rest */
  readonly process?:
    | { readonly pid: number; readonly startedAt?: string; readonly uptimeMs?: number; readonly version?: string }
    | undefined;
  /** what starts the process again when it dies; absent: nothing does */
  readonly supervisor?: SupervisorStatus | undefined;
  /** absent: nothing serves. Without checks: it does not answer. */
  readonly apiServer?: { readonly url: string; readonly answers: boolean; readonly checks: readonly CheckStatus[] } | undefined;
  readonly nodes?: readonly NodeStatus[] | undefined;
  /** how many of each phase */
  readonly pods?: Readonly<Record<string, number>> | undefined;
  /** what add-ons say of themselves: where they listen */
  readonly addons?: readonly AddonNote[] | undefined;
  /** how many run though nothing serves the cluster */
  readonly leftPods?: number | undefined;
  readonly kubeconfig?: string | undefined;
}

export interface AddonNote {
  readonly name: string;
  readonly note: string;
}

/** What is wrong, and the one thing to do. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly fix?: string | undefined;
}

export interface SupervisorStatus {
  readonly pid: number;
  /** how often it started the process again */
  readonly restarts: number;
  /** `signal 9` or `exit 70` */
  readonly lastExit?: string | undefined;
  readonly lastExitAt?: string | undefined;
  /** when it starts the process again */
  readonly nextTryAt?: string | undefined;
}

export interface CheckStatus {
  readonly name: string;
  readonly ok: boolean;
}

export interface NodeStatus {
  readonly name: string;
  readonly simulated: boolean;
  readonly ready: boolean;
  /** why it is not */
  readonly message?: string | undefined;
  /** whether its service proxy keeps up; simulated ones have none */
  readonly proxyHealthy?: boolean | undefined;
  /** whether its containerd is there and not stopped; simulated ones have none */
  readonly runtimeRuns?: boolean | undefined;
}

const answerMsMax = 3_000;
const listMsMax = 10_000;
const proxyMsMax = 1_000;
/** Of nodes with a problem; the others are counted. */
const nodeProblemsMax = 5;

export async function readStatus(instance: Instance): Promise<ClusterStatus> {
  const facts = await readFacts(instance);
  const state = stateFrom(facts);
  const { serving, supervision, left, inForeground, damage, leftPods } = facts;
  const seen = serving && !['damaged', 'paused', 'stopping'].includes(state) ? await askServer(instance, serving) : {};
  const waiting = supervision?.process ?? (left ?? inForeground)?.pid;
  const { name, dir } = instance;
  const rest = {
    process: serving ? processOf(serving) : waiting === undefined ? undefined : { pid: waiting },
    supervisor: supervision && supervisorOf(supervision),
    ...seen,
    leftPods: leftPods || undefined,
    kubeconfig: serving?.kubeconfig,
  };
  const problems = damage
    ? [{ code: damage.code, message: damage.message, fix: damage.fix }]
    : [
        ...problemsOf({ name, state, dir, ...rest }),
        ...(facts.isUnsupervised ? [unsupervised(name)] : []),
        ...(facts.isAbandoned ? [abandoned(name)] : []),
      ];
  return { name, state, healthy: state === 'running' && problems.length === 0, problems, dir, ...rest };
}

const unsupervised = (name: string): Problem => ({
  code: 'no-supervisor',
  message: 'its supervisor died: nothing restarts its process',
  fix: `timonier up ${name}`,
});

const abandoned = (name: string): Problem => ({
  code: 'abandoned',
  message: 'the `timonier ci` that made it was killed',
  fix: `timonier delete ${name}`,
});

/** Pure. */
export function problemsOf(status: Omit<ClusterStatus, 'healthy' | 'problems'>): Problem[] {
  const { name, state, dir, leftPods = 0 } = status;
  const up = `timonier up ${name}`;
  switch (state) {
    case 'stopped':
      return [{ code: 'not-running', message: 'it is not running', fix: up }];
    case 'crashed':
      return [{ code: 'crashed', message: `its process died${leftPods ? `; ${count(leftPods, 'pod')} still run` : ''}`, fix: up }];
    case 'paused':
      return [{ code: 'paused', message: `process ${status.process?.pid} is paused`, fix: `kill -CONT ${status.process?.pid}` }];
    case 'stopping':
      return [{ code: 'stopping', message: 'it is being stopped', fix: `timonier down ${name} waits for it; then ${up}` }];
    case 'disk-full':
      return [{ code: 'disk-full', message: `the disk of ${dir} is full`, fix: 'free space there' }];
    case 'running':
      return problemsOfRunning(status);
    default:
      return []; // it takes its time, or is told otherwise
  }
}

function problemsOfRunning({ name, process, apiServer, nodes = [] }: Omit<ClusterStatus, 'healthy' | 'problems'>): Problem[] {
  const logs = `timonier logs ${name} says why`;
  if (!apiServer?.answers) {
    const fix = `timonier down ${name}, then timonier up ${name}`;
    return [{ code: 'no-answer', message: `process ${process?.pid} is there, and does not answer`, fix }];
  }
  const failing = apiServer.checks.filter(({ ok }) => !ok).map((check) => check.name);
  const notReady = nodes.filter(({ ready }) => !ready);
  const more = notReady.length - nodeProblemsMax;
  return [
    ...(failing.length > 0 ? [{ code: 'check-failed', message: `checks fail: ${failing.join(', ')}`, fix: logs }] : []),
    ...notReady.slice(0, nodeProblemsMax).map((node) => ({
      code: 'node-not-ready',
      message: `${node.name}: ${node.message ?? 'not Ready'}${node === notReady[nodeProblemsMax - 1] && more > 0 ? `; and ${count(more, 'node')} more` : ''}`,
      fix: logs,
    })),
    ...nodes
      .filter(({ runtimeRuns }) => runtimeRuns === false)
      .map((node) => ({ code: 'runtime-failed', message: `${node.name}: its containerd does not run`, fix: logs })),
    ...nodes
      .filter(({ proxyHealthy }) => proxyHealthy === false)
      .map((node) => ({ code: 'proxy-failed', message: `${node.name}: Services may lead nowhere, its proxy fails`, fix: logs })),
  ];
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

function processOf({ pid, startedAt, version }: InstanceState): NonNullable<ClusterStatus['process']> {
  const nowMs = realClock.now();
  return { pid, startedAt, uptimeMs: Math.max(0, nowMs - (parseTime(startedAt) ?? nowMs)), version };
}

function supervisorOf({ pid, restarts, lastExit, lastExitAt, nextTryAt }: Supervision): SupervisorStatus {
  const timeOf = (seconds: number | undefined): string | undefined => (seconds ? new Date(seconds * 1000).toISOString() : undefined);
  return {
    pid,
    restarts,
    lastExit,
    lastExitAt: timeOf(lastExitAt),
    nextTryAt: timeOf(nextTryAt),
  };
}

type Seen = Pick<ClusterStatus, 'apiServer' | 'nodes' | 'pods' | 'addons'>;

async function askServer(instance: Instance, state: InstanceState): Promise<Seen> {
  const url = state.server;
  await using client = commandClient(await accessOf(await parseKubeconfig(instance.readKubeconfig())));
  const readiness = await readinessOf(client);
  if (readiness === undefined) return { apiServer: { url, answers: false, checks: [] } };
  const apiServer = { url, answers: true, checks: parseChecks(readiness) };
  try {
    const signal = AbortSignal.timeout(listMsMax);
    const [nodes, pods, addons] = await Promise.all([client.list(Node, { signal }), client.list(Pod, { signal }), notesOf(client)]);
    const real = new Map(realNodesOf(instance, state).map(({ name, dir }) => [name, dir]));
    const phases = Object.entries(Object.groupBy(pods.items, (pod) => pod.status.phase ?? 'Unknown'));
    return {
      apiServer,
      nodes: await Promise.all(nodes.items.map((node) => nodeStatusOf(node, real.get(node.metadata.name)))),
      pods: Object.fromEntries(phases.map(([phase, list]) => [phase, list?.length ?? 0])),
      addons,
    };
  } catch (error) {
    const name = `list of nodes and pods (${describeError(error)})`;
    return { apiServer: { ...apiServer, checks: [...apiServer.checks, { name, ok: false }] } };
  }
}

/** None of one that runs no add-ons. */
async function notesOf(client: HTTPAccess): Promise<readonly AddonNote[]> {
  try {
    const { addons } = await client.raw<{ readonly addons: readonly AddonState[] }>(controlPaths.addons);
    return addons.flatMap(({ name, note }) => (note === undefined ? [] : [{ name, note }]));
  } catch (error) {
    if (isStatusError(error)) return [];
    throw error;
  }
}

async function nodeStatusOf({ metadata, status }: Node, dir: string | undefined): Promise<NodeStatus> {
  const condition = findCondition(status.conditions, 'Ready');
  const ready = condition?.status === 'True';
  const address = status.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  return {
    name: metadata.name,
    simulated: dir === undefined,
    ready,
    message: (!ready && condition?.message) || undefined,
    proxyHealthy: dir === undefined ? undefined : address !== undefined && (await isProxyHealthy(address)),
    runtimeRuns: dir === undefined ? undefined : runtimeRuns(dir),
  };
}

/** Its containerd is there, and not stopped. */
function runtimeRuns(dir: string): boolean {
  const [pid] = processesEnding(containerdWords(containerdOf(dir)));
  return pid !== undefined && processStat(pid)?.state !== 'T';
}

async function isProxyHealthy(address: string): Promise<boolean> {
  try {
    return (await fetch(`http://${address}:${proxyPorts.health}/healthz`, { signal: AbortSignal.timeout(proxyMsMax) })).ok;
  } catch {
    return false; // it does not answer
  }
}

/** `[+]ping ok` and `[-]etcd failed: reason withheld`. */
export function parseChecks(text: string): CheckStatus[] {
  return text.split('\n').flatMap((line) => {
    const [, sign, name] = /^\[([+-])\](\S+) /.exec(line) ?? [];
    return name ? [{ name, ok: sign === '+' }] : [];
  });
}

/** What /readyz says, ready or not; undefined when it does not answer in time. */
async function readinessOf(client: HTTPAccess): Promise<string | undefined> {
  try {
    let text = '';
    for await (const line of await client.lines('/readyz?verbose', AbortSignal.timeout(answerMsMax))) text += `${line}\n`;
    return text;
  } catch (error) {
    return isStatusError(error) ? error.message : undefined;
  }
}
