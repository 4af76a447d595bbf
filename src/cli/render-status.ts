/** A cluster's status for people: label and text of each line, at most 60 columns where the names allow it. Pure. */
import { formatDuration } from '../api/meta/duration.ts';
import type { ClusterStatus, SupervisorStatus } from '../cluster/instance/status.ts';
import { signalName } from '../cluster/instance/supervision.ts';

export type Line = readonly [label: string, text: string];

export function renderStatus(status: ClusterStatus, nowMs: number): Line[] {
  const { state, supervisor, apiServer, nodes, pods } = status;
  const lines: (Line | undefined)[] = [
    ['Cluster', `${status.name}, ${state.replace('-', ' ')}`],
    processLine(status, nowMs),
    state === 'stopped' || state === 'crashed' || (state === 'damaged' && !supervisor)
      ? undefined
      : ['Supervisor', describeSupervisor(supervisor, nowMs)],
    apiServer && ['API server', `${apiServer.url}, ${describeChecks(apiServer)}`],
    nodes && ['Nodes', describeNodes(nodes)],
    nodes && proxiesLine(nodes),
    pods && ['Pods', describePods(pods)],
    ...(status.addons ?? []).map(({ name, note }): Line => [`${name.charAt(0).toUpperCase()}${name.slice(1)}`, note]),
    status.leftPods ? ['Pods', `${status.leftPods} still running`] : undefined,
    status.kubeconfig === undefined ? undefined : ['kubeconfig', status.kubeconfig],
    ...status.problems.flatMap(({ message, fix }): Line[] => [['Problem', message], ...(fix ? [['  fix', fix] as const] : [])]),
  ];
  return lines.filter((line) => line !== undefined);
}

export const renderLine = ([label, text]: Line): string => `${`${label}:`.padEnd(12)} ${text}`;

function processLine({ state, process, supervisor }: ClusterStatus, nowMs: number): Line | undefined {
  if (process?.startedAt !== undefined)
    return ['Process', `${process.pid}, up ${formatDuration(process.uptimeMs ?? 0)}, timonier ${process.version}`];
  if (process) return ['Process', `${process.pid}, starting`];
  if (state !== 'restarting' || !supervisor) return undefined;
  if (supervisor.nextTryAt === undefined) return ['Process', 'none; it has just ended'];
  const inMs = Math.max(0, Date.parse(supervisor.nextTryAt) - nowMs);
  return ['Process', `none; started again in ${Math.ceil(inMs / 1000)} s`];
}

function describeSupervisor(supervisor: SupervisorStatus | undefined, nowMs: number): string {
  if (!supervisor) return 'none: nothing restarts a process that dies';
  const { pid, restarts, lastExit } = supervisor;
  const died = lastExit === undefined ? '' : ` (${describeExit(supervisor, nowMs)})`;
  return `process ${pid}, ${restarts} restart${restarts === 1 ? '' : 's'}${died}`;
}

/** `SIGKILL, 5s ago` */
function describeExit({ lastExit = '', lastExitAt = '' }: SupervisorStatus, nowMs: number): string {
  const number = /^signal (\d+)$/.exec(lastExit)?.[1];
  const name = number === undefined ? undefined : signalName(Number(number));
  return `${name ?? lastExit}, ${formatDuration(Math.max(0, nowMs - Date.parse(lastExitAt)))} ago`;
}

function describeChecks({ answers, checks }: NonNullable<ClusterStatus['apiServer']>): string {
  if (!answers) return 'does not answer';
  const failing = checks.filter(({ ok }) => !ok);
  return failing.length === 0 ? 'ready' : `not ready: ${failing.map(({ name }) => name).join(', ')}`;
}

function describeNodes(nodes: NonNullable<ClusterStatus['nodes']>): string {
  const simulated = nodes.filter((node) => node.simulated).length;
  const ready = nodes.filter((node) => node.ready).length;
  return `${ready} of ${nodes.length} Ready (${nodes.length - simulated} real, ${simulated} simulated)`;
}

function proxiesLine(nodes: NonNullable<ClusterStatus['nodes']>): Line | undefined {
  const proxies = nodes.filter(({ proxyHealthy }) => proxyHealthy !== undefined);
  if (proxies.length === 0) return undefined;
  return ['Proxies', `${proxies.filter(({ proxyHealthy }) => proxyHealthy).length} of ${proxies.length} healthy`];
}

const describePods = (pods: Readonly<Record<string, number>>): string =>
  Object.entries(pods)
    .map(([phase, number]) => `${number} ${phase}`)
    .join(', ') || 'none';
