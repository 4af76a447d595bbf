/**
 * One row of `kubectl get pods`. STATUS tells the most telling reason: an init container that failed or waits, else the
 * last container that waits or ended, else the phase. Upstream: pkg/printers/internalversion/printers.go (printPod).
 */
import type { ContainerStateTerminated, ContainerStatus, Pod } from '../../generated/core-v1.ts';
import { formatAge } from '../../meta/duration.ts';
import type { Cell } from '../../meta/kind.ts';
import { isSidecar } from '../../predicates/pod-resources.ts';
import { isPodTerminal } from '../../predicates/pod-state.ts';
import { listOf } from '../lists.ts';

interface Tally {
  reason: string;
  ready: number;
  restarts: number;
  /** RFC 3339; '' for never */
  lastRestart: string;
}

export function podCells(pod: Pod, at: { readonly nowMs: number }): readonly Cell[] {
  const { metadata, spec, status } = pod;
  const sidecars = listOf(spec.initContainers).filter(isSidecar);
  const total = listOf(spec.containers).length + sidecars.length;
  const tally = tallyPod(pod, new Set(sidecars.map((container) => container.name)));
  const restarts =
    tally.restarts && tally.lastRestart ? `${tally.restarts} (${formatAge(tally.lastRestart, at.nowMs)} ago)` : `${tally.restarts}`;
  return [
    metadata.name ?? '',
    `${tally.ready}/${total}`,
    endReason(pod) ?? tally.reason,
    restarts,
    formatAge(metadata.creationTimestamp, at.nowMs),
    status.podIPs?.[0]?.ip || '<none>',
    spec.nodeName || '<none>',
    status.nominatedNodeName || '<none>',
    readinessGates(pod),
  ];
}

/** What a pod that is being deleted shows instead of its reason. */
function endReason(pod: Pod): string | undefined {
  if (!pod.metadata.deletionTimestamp) return undefined;
  if (pod.status.reason === 'NodeLost') return 'Unknown';
  return isPodTerminal(pod) ? undefined : 'Terminating';
}

function tallyPod(pod: Pod, sidecars: ReadonlySet<string>): Tally {
  const { status } = pod;
  const conditions = listOf(status.conditions);
  const gated = conditions.some((c) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated');
  const reason = gated ? 'SchedulingGated' : status.reason || (status.phase ?? '');
  const init = tallyInitContainers(pod, sidecars, reason);
  const initialized = conditions.some((c) => c.type === 'Initialized' && c.status === 'True');
  if (init.initializing && !initialized) return init;
  const isReady = conditions.some((c) => c.type === 'Ready' && c.status === 'True');
  const start: Tally = { reason: init.reason, ready: init.ready, ...init.ofSidecars };
  return tallyContainers(listOf(status.containerStatuses), start, isReady);
}

interface InitTally extends Tally {
  initializing: boolean;
  readonly ofSidecars: { restarts: number; lastRestart: string };
}

function tallyInitContainers(pod: Pod, sidecars: ReadonlySet<string>, reason: string): InitTally {
  const tally: InitTally = {
    reason,
    ready: 0,
    restarts: 0,
    lastRestart: '',
    initializing: false,
    ofSidecars: { restarts: 0, lastRestart: '' },
  };
  for (const [index, container] of listOf(pod.status.initContainerStatuses).entries()) {
    addRestarts(tally, container);
    const sidecar = sidecars.has(container.name);
    if (sidecar) addRestarts(tally.ofSidecars, container);
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecar && container.started) {
      if (container.ready) tally.ready++;
      continue;
    }
    tally.initializing = true;
    if (terminated) tally.reason = `Init:${describeEnd(terminated)}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') tally.reason = `Init:${waiting.reason}`;
    else tally.reason = `Init:${index}/${listOf(pod.spec.initContainers).length}`;
    break;
  }
  return tally;
}

function tallyContainers(statuses: readonly ContainerStatus[], start: Tally, podIsReady: boolean): Tally {
  const tally = start;
  let hasRunning = false;
  let errorReason = '';
  for (const container of statuses.toReversed()) {
    addRestarts(tally, container);
    const { waiting, terminated, running } = container.state ?? {};
    if (waiting?.reason) tally.reason = waiting.reason;
    else if (terminated) {
      tally.reason = describeEnd(terminated);
      if (terminated.exitCode !== 0) errorReason = tally.reason;
    } else if (container.ready && running) {
      hasRunning = true;
      tally.ready++;
    }
  }
  if (tally.reason === 'Completed') {
    if (hasRunning && podIsReady) tally.reason = 'Running';
    else if (errorReason) tally.reason = errorReason;
    else if (hasRunning) tally.reason = 'NotReady';
  }
  return tally;
}

const describeEnd = (end: ContainerStateTerminated): string =>
  end.reason || (end.signal ? `Signal:${end.signal}` : `ExitCode:${end.exitCode}`);

function addRestarts(tally: { restarts: number; lastRestart: string }, container: ContainerStatus): void {
  tally.restarts += container.restartCount;
  const finishedAt = container.lastState?.terminated?.finishedAt;
  // times are RFC 3339 in UTC with whole seconds, so they compare as text
  if (finishedAt && finishedAt > tally.lastRestart) tally.lastRestart = finishedAt;
}

function readinessGates(pod: Pod): string {
  const gates = listOf(pod.spec.readinessGates);
  if (!gates.length) return '<none>';
  const statuses = new Map(
    listOf(pod.status.conditions)
      .toReversed()
      .map(({ type, status }) => [type, status]),
  );
  const met = gates.filter((gate) => statuses.get(gate.conditionType) === 'True');
  return `${met.length}/${gates.length}`;
}
