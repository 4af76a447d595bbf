/**
 * The containerStatuses of a pod, from what the runtime says, what was told before, and why a start failed. Pure.
 * Readiness and `started` are set afterwards, from the probes (pod-status.ts).
 * Upstream: pkg/kubelet/kubelet_pods.go (convertToAPIContainerStatuses).
 */
import type { Container, ContainerState, ContainerStatus, Pod } from '../../../api/generated/core-v1.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { isSidecar } from '../../../api/predicates/pod-resources.ts';
import { shouldBeRestarted } from '../container/restart-policy.ts';
import { findContainer, type ObservedContainer, type ObservedPod } from '../pod/observed-pod.ts';

export interface WaitingReason {
  readonly reason: string;
  readonly message: string;
}

export interface ContainerStatusesInput {
  readonly pod: Pod;
  readonly observed: ObservedPod;
  readonly previous: readonly ContainerStatus[];
  readonly containers: readonly Container[];
  readonly init: boolean;
  /** `containerd`: the scheme of container ids */
  readonly runtimeName: string;
  /** why a container could not be started the last time, by name */
  readonly waitingReasons: ReadonlyMap<string, WaitingReason>;
  /** All containers are being removed to start over. */
  readonly restartingAll: boolean;
  /** what a running container really has, where that is known to differ */
  actual?(containerID: string): Container['resources'] | undefined;
}

const lostExitCode = 137;
const lostReason = 'ContainerStatusUnknown';
export const restartingAllReason = 'RestartingAllContainers';
const restartingAllMessage = 'The container is removed because RestartAllContainers in place';
/** Told in `lastState` of a container that the runtime no longer has: its restart count has the next start in it. */
export const countsNextStart = ({ state, lastState }: ContainerStatus): boolean =>
  state?.waiting !== undefined && [lostReason, restartingAllReason].includes(lastState?.terminated?.reason ?? '');

export function containerStatuses(input: ContainerStatusesInput): readonly ContainerStatus[] {
  const { containers } = input;
  const byName = new Map(containers.map((container) => [container.name, defaultStatus(input, container)]));
  for (const container of containers) {
    const status = byName.get(container.name);
    if (status && !findContainer(input.observed, container.name)) byName.set(container.name, inferLost(input, status));
  }
  const seen = new Map<string, number>();
  for (const observed of input.observed.containers) {
    const container = containers.find((c) => c.name === observed.name);
    const times = seen.get(observed.name) ?? 0;
    if (!container || times >= 2) continue;
    seen.set(observed.name, times + 1);
    const status = convert(input, container, observed);
    const newest = byName.get(observed.name);
    byName.set(observed.name, times === 0 || !newest ? status : { ...newest, lastState: status.state ?? {} });
  }
  for (const container of containers) {
    const status = byName.get(container.name);
    if (status) byName.set(container.name, markWaiting(input, container, status));
  }
  const all = containers.flatMap((c) => byName.get(c.name) ?? []);
  return input.init ? all : all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const waitingBefore = (pod: Pod): string => (pod.spec.initContainers?.length ? 'PodInitializing' : 'ContainerCreating');

function defaultStatus(input: ContainerStatusesInput, container: Container): ContainerStatus {
  const old = input.previous.find((s) => s.name === container.name);
  if (old?.state?.terminated) return old;
  const mounts = volumeMountStatuses(container);
  return {
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    state: { waiting: { reason: waitingBefore(input.pod) } },
    lastState: old?.lastState ?? {},
    ready: false,
    restartCount: old?.restartCount ?? 0,
    ...(mounts && { volumeMounts: mounts }),
  };
}

function volumeMountStatuses(container: Container): ContainerStatus['volumeMounts'] {
  return container.volumeMounts?.map((m) => ({
    mountPath: m.mountPath,
    name: m.name,
    ...(m.readOnly && { readOnly: true, recursiveReadOnly: 'Disabled' }),
  }));
}

/** It ran when it was last told of, and the runtime knows nothing of it: it has ended, nobody knows how. */
function inferLost(input: ContainerStatusesInput, status: ContainerStatus): ContainerStatus {
  const old = input.previous.find((s) => s.name === status.name);
  if (input.restartingAll && old && !old.state?.waiting) {
    const terminated = { reason: restartingAllReason, message: restartingAllMessage, exitCode: lostExitCode };
    const waiting = { reason: restartingAllReason, message: restartingAllMessage };
    return { ...status, state: { waiting }, lastState: { terminated }, ready: false, restartCount: old.restartCount + 1 };
  }
  if (!old?.state?.running || status.lastState?.terminated) return status;
  const lost = {
    reason: lostReason,
    message: 'The container could not be located when the pod was deleted.  The container used to be Running',
    exitCode: lostExitCode,
  };
  const restarted = input.pod.metadata.deletionTimestamp === undefined ? 1 : 0;
  return { ...status, lastState: { terminated: lost }, restartCount: status.restartCount + restarted };
}

function convert(input: ContainerStatusesInput, container: Container, observed: ObservedContainer): ContainerStatus {
  const old = input.previous.find((s) => s.name === observed.name);
  const containerID = `${input.runtimeName}://${observed.id}`;
  const restartCount = Math.max(observed.restartCount, old?.restartCount ?? 0);
  const lastTerminated =
    old && old.containerID !== containerID && old.state?.terminated ? old.state.terminated : old?.lastState?.terminated;
  const mounts = old?.volumeMounts ?? volumeMountStatuses(container);
  const requests = container.resources?.requests;
  const lost = observed.state === 'unknown' && old?.state?.running !== undefined;
  return {
    name: observed.name,
    image: observed.image,
    imageID: observed.imageRef,
    containerID,
    state: lost ? lostState : stateOf(observed, containerID),
    lastState: lastTerminated ? { terminated: lastTerminated } : {},
    ready: false,
    restartCount: lost ? (old?.restartCount ?? 0) + 1 : restartCount,
    ...(requests && { allocatedResources: requests }),
    resources: (observed.state === 'running' ? input.actual?.(observed.id) : undefined) ?? container.resources ?? {},
    ...(observed.user && { user: { linux: observed.user } }),
    ...(mounts && { volumeMounts: mounts }),
  };
}

const lostState: ContainerState = {
  terminated: {
    reason: lostReason,
    message: 'The container could not be located when the pod was terminated',
    exitCode: lostExitCode,
  },
};

function stateOf(observed: ObservedContainer, containerID: string): ContainerState {
  if (observed.state === 'running') return { running: { startedAt: formatTime(observed.startedAtMs) } };
  if (observed.state !== 'exited') return { waiting: {} };
  return {
    terminated: {
      exitCode: observed.exitCode,
      ...(observed.reason && { reason: observed.reason }),
      ...(observed.message && { message: observed.message }),
      ...(observed.startedAtMs > 0 && { startedAt: formatTime(observed.startedAtMs) }),
      ...(observed.finishedAtMs > 0 && { finishedAt: formatTime(observed.finishedAtMs) }),
      containerID,
    },
  };
}

/** A container that is to be started and could not be is waiting, whatever it was. */
function markWaiting(input: ContainerStatusesInput, container: Container, status: ContainerStatus): ContainerStatus {
  const { pod, observed } = input;
  const seen = findContainer(observed, container.name);
  if (input.init) {
    if (seen?.state === 'exited' && seen.exitCode === 0) return status;
    const ranBefore = !seen && !isSidecar(container) && status.state?.waiting && regularCreated(pod, observed);
    if (ranBefore) return { ...status, state: forgottenInitState };
  }
  const why = input.waitingReasons.get(container.name);
  if (!why || !shouldBeRestarted(container, pod, observed)) return status;
  const waiting = { reason: why.reason, ...(why.message && { message: why.message }) };
  return { ...status, ...(status.state?.terminated && { lastState: status.state }), state: { waiting } };
}

const forgottenInitState: ContainerState = {
  terminated: {
    reason: 'Completed',
    message: 'Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally',
    exitCode: 0,
  },
};

const regularCreated = (pod: Pod, observed: ObservedPod): boolean =>
  pod.spec.containers.some((c) => (findContainer(observed, c.name)?.state ?? 'unknown') !== 'unknown');
