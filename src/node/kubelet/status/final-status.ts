/**
 * The last status of a pod that has ended: terminal, and every container that began is terminated; of one whose end
 * nobody saw, the worst is assumed. Pure.
 * Upstream: pkg/kubelet/status/status_manager.go (TerminatePod).
 */
import type { ContainerStatus, Pod, PodStatus } from '../../../api/generated/core-v1.ts';
import { isTerminalPhase } from '../../../api/predicates/pod-state.ts';
import { keepTransitionTimes, terminalVerdict } from './pod-conditions.ts';
import type { PodPhase } from './pod-phase.ts';

const lost = {
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
  exitCode: 137,
};

export function finalPodStatus(pod: Pod, status: PodStatus, now: string): PodStatus {
  const phase: PodPhase = isTerminalPhase(status.phase) ? (status.phase ?? 'Failed') : 'Failed';
  const end = (s: ContainerStatus): ContainerStatus =>
    s.state?.terminated ? s : { ...s, state: { terminated: lost }, ready: false, started: false };
  const inits = status.initContainerStatuses ?? [];
  const begun = lastBegun(inits);
  const conditions = (status.conditions ?? []).map((c) =>
    c.type === 'Ready' || c.type === 'ContainersReady' ? { ...c, ...terminalVerdict(phase), message: '' } : c,
  );
  const trimmed = conditions.map(({ message, ...rest }) => (message ? { ...rest, message } : rest));
  return {
    ...status,
    phase,
    conditions: keepTransitionTimes(trimmed, status, now),
    containerStatuses: initialized(pod, status) ? (status.containerStatuses ?? []).map(end) : (status.containerStatuses ?? []),
    ...(inits.length > 0 && { initContainerStatuses: inits.map((s, i) => (i <= begun ? end(s) : s)) }),
  };
}

/** No evidence that a regular container ever started: they stay waiting. */
function initialized(pod: Pod, status: PodStatus): boolean {
  const begun = (s: ContainerStatus): boolean =>
    s.lastState?.terminated !== undefined || s.state?.running !== undefined || s.state?.terminated !== undefined;
  if ((status.containerStatuses ?? []).some(begun)) return true;
  const inits = status.initContainerStatuses ?? [];
  const last = inits.at(-1);
  if (!pod.spec.initContainers?.length) return true;
  if (!last) return false;
  return last.state?.terminated?.exitCode === 0;
}

/** The index of the last init container that has begun; -1: none. */
const lastBegun = (statuses: readonly ContainerStatus[]): number =>
  statuses.findLastIndex(
    (s) => s.state?.running !== undefined || s.state?.terminated !== undefined || s.lastState?.terminated !== undefined,
  );
