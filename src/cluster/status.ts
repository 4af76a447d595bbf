/** How a running cluster is, as its API tells it: for `timonier status`. */
import { Node, Pod } from '../api/generated/kinds.ts';
import { isConditionTrue } from '../api/meta/conditions.ts';
import { formatDuration } from '../api/meta/duration.ts';
import { parseTime } from '../api/meta/time.ts';
import { realClock, realRandom } from '../client/clock.ts';
import { createHTTPClient } from '../client/http-client.ts';
import { accessOf, parseKubeconfig } from '../client/kubeconfig.ts';
import { silentLog } from '../client/log.ts';
import { proxyPorts } from '../node/proxy/proxy-server.ts';
import { realNodeName } from './identities.ts';
import type { InstanceState } from './instance.ts';
import { describeError } from './operation-error.ts';
import { describeSupervision, describeWaiting, type LeftProcess, type Supervision } from './supervision.ts';

export interface ClusterStatus {
  readonly healthy: boolean;
  /** what starts its process again when that dies; absent: nothing does */
  readonly supervisor?: Supervision;
  /** label and text, for people */
  readonly lines: readonly (readonly [string, string])[];
}

const proxyAnswerMs = 1000;

/** Of one whose process answers, or should. */
export async function readStatus(
  { name: cluster, kubeconfig }: { readonly name: string; readonly kubeconfig: string },
  state: InstanceState,
  supervision: Supervision | undefined,
): Promise<ClusterStatus> {
  const nowMs = realClock.now();
  const uptimeMs = nowMs - (parseTime(state.startedAt) ?? nowMs);
  const supervisor = supervision && { supervisor: supervision };
  const processes: readonly [string, string][] = [
    ['Process', `${state.pid}, up ${formatDuration(uptimeMs)}, timonier ${state.version}`],
    ['Supervisor', describeSupervision(supervision, nowMs)],
  ];
  const access = await accessOf(await parseKubeconfig(kubeconfig));
  const client = createHTTPClient({ ...access, clock: realClock, random: realRandom, log: silentLog });
  try {
    const [nodes, pods] = await Promise.all([client.list(Node), client.list(Pod)]);
    const ready = nodes.items.filter((node) => isConditionTrue(node.status.conditions, 'Ready')).length;
    const phases = Object.entries(Object.groupBy(pods.items, (pod) => pod.status.phase ?? 'Unknown')).map(
      ([phase, list]) => `${list?.length ?? 0} ${phase}`,
    );
    return {
      healthy: ready === nodes.items.length,
      ...supervisor,
      lines: [
        ...processes,
        ['API server', `${state.server}, answers`],
        ['Nodes', `${ready} of ${nodes.items.length} Ready (${state.nodes} real, ${state.hollow} simulated)`],
        ...(await describeProxies(nodes.items, { cluster, real: state.nodes })),
        ['Pods', phases.length ? phases.join(', ') : 'none'],
        ['kubeconfig', state.kubeconfig],
      ],
    };
  } catch (error) {
    return {
      healthy: false,
      ...supervisor,
      lines: [...processes, ['API server', `${state.server} does not answer: ${describeError(error)}`]],
    };
  } finally {
    await client[Symbol.asyncDispose]();
  }
}

/** Simulated nodes have none. */
async function describeProxies(
  nodes: readonly Node[],
  { cluster, real }: { readonly cluster: string; readonly real: number },
): Promise<readonly [string, string][]> {
  if (real === 0) return [];
  const names = new Set(Array.from({ length: real }, (_, i) => realNodeName(cluster, i + 1)));
  const addresses = nodes
    .filter(({ metadata }) => names.has(metadata.name))
    .map(({ status }) => status.addresses?.find(({ type }) => type === 'InternalIP')?.address);
  const healthy = await Promise.all(addresses.map((address) => address !== undefined && isProxyHealthy(address)));
  return [['Proxies', `${healthy.filter(Boolean).length} of ${real} healthy`]];
}

async function isProxyHealthy(address: string): Promise<boolean> {
  try {
    const answer = await fetch(`http://${address}:${proxyPorts.health}/healthz`, { signal: AbortSignal.timeout(proxyAnswerMs) });
    return answer.ok;
  } catch {
    return false; // it does not answer
  }
}

/** Of one whose process is not ready, and has no supervisor any more. */
export const leftStatus = ({ pid }: LeftProcess): ClusterStatus => ({
  healthy: false,
  lines: [
    ['Process', `${pid}, starting`],
    ['Supervisor', describeSupervision(undefined, realClock.now())],
  ],
});

/** Of one whose process died and is not there again, or not ready. */
export function waitingStatus(supervisor: Supervision): ClusterStatus {
  const nowMs = realClock.now();
  return {
    healthy: false,
    supervisor,
    lines: [
      ['Process', describeWaiting(supervisor, nowMs)],
      ['Supervisor', describeSupervision(supervisor, nowMs)],
    ],
  };
}
