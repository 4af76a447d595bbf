/**
 * The whole status of a pod, from what the runtime says, the probes' verdicts and what was told before. Pure.
 * Upstream: pkg/kubelet/kubelet_pods.go (generateAPIPodStatus), prober/prober_manager.go (UpdatePodStatus),
 * status/status_manager.go (updateStatusInternal, mergePodStatus, normalizeStatus).
 */
import { isIPv6 } from 'node:net';
import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from '../../../api/generated/core-v1.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { isSidecar } from '../../../api/predicates/pod-resources.ts';
import { isTerminalPhase } from '../../../api/predicates/pod-state.ts';
import { bareContainerID } from '../container/container-identity.ts';
import { allContainersShouldRestart } from '../container/restart-policy.ts';
import { activeContainers, type ObservedPod } from '../pod/observed-pod.ts';
import { planSandbox } from '../pod/plan-pod.ts';
import { containerStatuses, type WaitingReason } from './container-statuses.ts';
import { isOwnedByKubelet, keepTransitionTimes, podConditions, terminalVerdict } from './pod-conditions.ts';
import { type PodPhase, podPhase } from './pod-phase.ts';
import { podResourceStatus } from './pod-resource-status.ts';

/** What the probes of a running container say; a container without probes is started and ready. */
export interface Readiness {
  readonly started: boolean;
  readonly ready: boolean;
}

export interface PodStatusInput {
  readonly pod: Pod;
  readonly observed: ObservedPod;
  /** the status that was last computed, or else the API's */
  readonly old: PodStatus;
  readonly runtimeName: string;
  readonly waitingReasons: ReadonlyMap<string, WaitingReason>;
  /** containers whose status stays as it was */
  readonly held?: ReadonlySet<string> | undefined;
  readiness(containerName: string, containerID: string): Readiness;
  /** All containers are stopped for good. */
  readonly terminal: boolean;
  /** The kubelet ends the pod itself: eviction, deadline, rejection. */
  readonly override?: { readonly reason: string; readonly message: string; readonly disruption?: boolean } | undefined;
  readonly hostIPs: readonly string[];
  readonly nowMs: number;
  /** what a running container really has */
  actual?(containerID: string): Container['resources'] | undefined;
  readonly resizeConditions?: readonly PodCondition[] | undefined;
  /** the pod with the resources that it really has; default: those that it was granted */
  readonly actualPod?: Pod | undefined;
}

const terminationMessagesBytesMax = 12 * 1024;

export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, observed, old } = input;
  const restartsNow = allContainersShouldRestart(pod, observed);
  const restartingAll = restartsNow || isConditionTrue(old.conditions, 'AllContainersRestarting');
  const bytesMax = Math.floor(terminationMessagesBytesMax / Math.max(1, countContainers(pod)));
  const statusesOf = (containers: readonly Container[], previous: readonly ContainerStatus[] | undefined, init: boolean) =>
    containerStatuses({ ...input, containers, previous: previous ?? [], init, restartingAll }).map((s) =>
      withReadiness(input, s, init, bytesMax),
    );
  const statuses = statusesOf(pod.spec.containers, old.containerStatuses, false).map(
    (now) => (input.held?.has(now.name) ? old.containerStatuses?.find(({ name }) => name === now.name) : undefined) ?? now,
  );
  const initStatuses = statusesOf(pod.spec.initContainers ?? [], old.initContainerStatuses, true);
  const ephemeralStatuses = statusesOf(pod.spec.ephemeralContainers ?? [], old.ephemeralContainerStatuses, false);

  const phase = decidePhase(input, [...statuses, ...initStatuses]);
  const why = decideReason(input, phase);
  const conditions = podConditions({
    pod,
    old,
    initStatuses,
    statuses,
    phase,
    hasSandbox: !planSandbox(pod, observed).create,
    restartingAll: restartsNow,
    resize: input.resizeConditions ?? [],
  });
  const generation = pod.metadata.generation;
  return {
    ...addresses(input),
    ...(generation !== undefined && { observedGeneration: Math.max(generation, old.observedGeneration ?? 0) }),
    phase,
    ...why,
    conditions: keepTransitionTimes([...disruptionOf(input), ...conditions], old, formatTime(input.nowMs)),
    ...(pod.status.qosClass && { qosClass: pod.status.qosClass }),
    startTime: old.startTime ?? formatTime(input.nowMs),
    containerStatuses: statuses,
    ...(initStatuses.length > 0 && { initContainerStatuses: initStatuses }),
    ...(ephemeralStatuses.length > 0 && { ephemeralContainerStatuses: ephemeralStatuses }),
    ...podResourceStatus(pod, input.actualPod ?? pod, phase === 'Running'),
  };
}

/** Ended for the node's sake, not its own. */
function disruptionOf({ override, old }: PodStatusInput): readonly PodCondition[] {
  if (!override?.disruption || old.conditions?.some((c) => c.type === 'DisruptionTarget')) return [];
  return [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message: override.message }];
}

const countContainers = (pod: Pod): number =>
  pod.spec.containers.length + (pod.spec.initContainers?.length ?? 0) + (pod.spec.ephemeralContainers?.length ?? 0);

function withReadiness(input: PodStatusInput, status: ContainerStatus, init: boolean, bytesMax: number): ContainerStatus {
  const container = init ? input.pod.spec.initContainers?.find((c) => c.name === status.name) : undefined;
  const ephemeral = input.pod.spec.ephemeralContainers?.some((c) => c.name === status.name) ?? false;
  const cut = cutMessages(status, bytesMax);
  if (ephemeral) return cut;
  const id = bareContainerID(status.containerID ?? '');
  const said = status.state?.running ? input.readiness(status.name, id) : { started: false, ready: false };
  if (container && !isSidecar(container)) {
    return { ...cut, started: said.started, ready: status.state?.terminated?.exitCode === 0 };
  }
  return { ...cut, started: said.started, ready: said.started && said.ready };
}

function cutMessages(status: ContainerStatus, bytesMax: number): ContainerStatus {
  const cut = (state: ContainerStatus['state']): ContainerStatus['state'] => {
    const message = state?.terminated?.message;
    if (!state?.terminated || !message || message.length <= bytesMax) return state;
    return { terminated: { ...state.terminated, message: message.slice(0, bytesMax) } };
  };
  const state = cut(status.state);
  const lastState = cut(status.lastState);
  return { ...status, ...(state && { state }), ...(lastState && { lastState }) };
}

function decidePhase(input: PodStatusInput, statuses: readonly ContainerStatus[]): PodPhase {
  const { pod, old } = input;
  const told = pod.status.phase;
  if (told && isTerminalPhase(told)) return told;
  if (input.override) return 'Failed';
  const active = activeContainers(input.observed);
  const initialized = pod.spec.containers.some((c) => active.some((a) => a.name === c.name));
  const phase = podPhase({ spec: pod.spec, statuses, terminal: input.terminal, initialized });
  return !isTerminalPhase(phase) && old.phase && isTerminalPhase(old.phase) ? old.phase : phase;
}

function decideReason({ pod, old, override }: PodStatusInput, phase: PodPhase): Pick<PodStatus, 'reason' | 'message'> {
  if (override) return { reason: override.reason, message: override.message };
  if (phase !== old.phase) return {};
  const reason = old.reason || pod.status.reason;
  const message = old.message || pod.status.message;
  return { ...(reason && { reason }), ...(message && { message }) };
}

/** At most one address of each family, the node's own family first. */
export function sortIPs(ips: readonly string[], hostIPs: readonly string[]): readonly string[] {
  const sixFirst = hostIPs[0] !== undefined && isIPv6(hostIPs[0]);
  const first = ips.find((ip) => isIPv6(ip) === sixFirst);
  const second = ips.find((ip) => isIPv6(ip) !== sixFirst);
  return [first, second].filter((ip) => ip !== undefined);
}

function addresses({ pod, observed, old, hostIPs }: PodStatusInput): Pick<PodStatus, 'hostIP' | 'hostIPs' | 'podIP' | 'podIPs'> {
  const own = sortIPs(observed.sandboxes.find((s) => s.ready)?.ips ?? [], hostIPs);
  const ips = pod.spec.hostNetwork ? hostIPs : own.length > 0 ? own : isTerminalPhase(old.phase) ? (old.podIPs ?? []).map((p) => p.ip) : [];
  const [hostIP] = hostIPs;
  const [podIP] = ips;
  return {
    ...(hostIP !== undefined && { hostIP, hostIPs: hostIPs.map((ip) => ({ ip })) }),
    ...(podIP !== undefined && { podIP, podIPs: ips.map((ip) => ({ ip })) }),
  };
}

/**
 * What is sent for `next`, when the API says `current`: conditions of others stay, and a pod whose containers may still
 * run does not become terminal.
 */
export function mergePodStatus(current: PodStatus, next: PodStatus, mayHaveRunningContainers: boolean): PodStatus {
  const ending = !isTerminalPhase(current.phase) && isTerminalPhase(next.phase);
  const others = (current.conditions ?? []).filter((c) => !isOwnedByKubelet(c.type));
  const disruption = ending && !mayHaveRunningContainers ? next.conditions?.find((c) => c.type === 'DisruptionTarget') : undefined;
  const kept = disruption ? [...others.filter((c) => c.type !== 'DisruptionTarget'), disruption] : others;
  const merged: PodStatus = { ...next, conditions: [...kept, ...(next.conditions ?? []).filter((c) => isOwnedByKubelet(c.type))] };
  if (ending && mayHaveRunningContainers) {
    const { reason: _reason, message: _message, ...rest } = merged;
    return {
      ...rest,
      ...(current.phase && { phase: current.phase }),
      ...(current.reason && { reason: current.reason }),
      ...(current.message && { message: current.message }),
    };
  }
  return isTerminalPhase(merged.phase) ? notReady(merged) : merged;
}

/** A terminal pod is not ready, even when its probes have not noticed yet. */
function notReady(status: PodStatus): PodStatus {
  const verdict = terminalVerdict(status.phase ?? 'Failed');
  const fix = (c: PodCondition): PodCondition =>
    (c.type === 'Ready' || c.type === 'ContainersReady') && c.status === 'True' ? { ...c, ...verdict } : c;
  return { ...status, conditions: (status.conditions ?? []).map(fix) };
}

/** The same as far as the kubelet is concerned: nothing to send. */
export function sameStatus(a: PodStatus, b: PodStatus): boolean {
  const essence = (status: PodStatus): unknown => ({
    ...status,
    conditions: (status.conditions ?? [])
      .filter((c) => isOwnedByKubelet(c.type) || c.type === 'DisruptionTarget')
      .map(({ type, status: value, reason, message }) => ({ type, value, reason: reason ?? '', message: message ?? '' }))
      .toSorted((x, y) => (x.type < y.type ? -1 : 1)),
  });
  return equalSemantically(essence(a), essence(b));
}
