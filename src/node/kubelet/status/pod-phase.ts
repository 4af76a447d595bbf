/**
 * The phase of a pod, counted from the statuses of its containers. Pure.
 * Upstream: pkg/kubelet/kubelet_pods.go (getPhase).
 */
import type { Container, ContainerStatus, PodSpec, PodStatus } from '../../../api/generated/core-v1.ts';
import { isSidecar } from '../../../api/predicates/pod-resources.ts';
import { restartsAfter } from '../container/restart-policy.ts';
import { restartingAllReason } from './container-statuses.ts';

export type PodPhase = NonNullable<PodStatus['phase']>;
export interface PhaseInput {
  readonly spec: PodSpec;
  readonly statuses: readonly ContainerStatus[];
  /** All containers are stopped for good, whatever the restart policy says. */
  readonly terminal: boolean;
  /** A regular container exists in the sandbox in use: sidecars that restart don't make the pod pending again. */
  readonly initialized: boolean;
}

interface Counts {
  pendingInit: number;
  pendingSidecars: number;
  failedInit: number;
  unknown: number;
  running: number;
  waiting: number;
  stopped: number;
  stoppedForGood: number;
  succeeded: number;
}

export function podPhase({ spec, statuses, terminal, initialized }: PhaseInput): PodPhase {
  const counts: Counts = {
    pendingInit: 0,
    pendingSidecars: 0,
    failedInit: 0,
    unknown: 0,
    running: 0,
    waiting: 0,
    stopped: 0,
    stoppedForGood: 0,
    succeeded: 0,
  };
  const statusOf = new Map(statuses.map((s) => [s.name, s]));
  for (const container of spec.initContainers ?? []) {
    const count = isSidecar(container) ? countSidecar : countInit;
    count(counts, container, spec, statusOf.get(container.name));
  }
  for (const container of spec.containers) countRegular(counts, container, spec, statusOf.get(container.name));

  if (counts.failedInit > 0) return 'Failed';
  if (counts.pendingInit > 0 || (counts.pendingSidecars > 0 && !initialized) || counts.waiting > 0) return 'Pending';
  if (counts.unknown > 0) return 'Pending';
  if (counts.running > 0) return 'Running';
  if (counts.stopped === 0) return 'Pending';
  if (!terminal && counts.stopped !== counts.stoppedForGood) return 'Running';
  return counts.stopped === counts.succeeded ? 'Succeeded' : 'Failed';
}

const isRestartable = (
  container: Container,
  spec: PodSpec,
  { exitCode, reason }: { readonly exitCode: number; readonly reason?: string },
) => reason === restartingAllReason || restartsAfter(container, spec, exitCode);

function countInit(counts: Counts, container: Container, spec: PodSpec, status: ContainerStatus | undefined): void {
  const ended = status?.state?.terminated ?? (status?.state?.waiting ? status.lastState?.terminated : undefined);
  if (!ended) counts.pendingInit++;
  else if (ended.exitCode !== 0 && !isRestartable(container, spec, ended)) counts.failedInit++;
}

function countSidecar(counts: Counts, _container: Container, _spec: PodSpec, status: ContainerStatus | undefined): void {
  if (!status) {
    counts.unknown++;
  } else if (status.state?.running) {
    if (!status.started) counts.pendingSidecars++;
    counts.running++;
  } else if (status.state?.waiting) {
    if (status.lastState?.terminated) return;
    counts.pendingSidecars++;
    counts.waiting++;
  } else if (!status.state?.terminated) {
    counts.pendingSidecars++;
    counts.unknown++;
  }
}

function countRegular(counts: Counts, container: Container, spec: PodSpec, status: ContainerStatus | undefined): void {
  if (status?.state?.running) {
    counts.running++;
    return;
  }
  const waiting = status?.state?.waiting !== undefined;
  const ended = status?.state?.terminated ?? (waiting ? status?.lastState?.terminated : undefined);
  if (!ended) {
    if (waiting) counts.waiting++;
    else counts.unknown++;
    return;
  }
  counts.stopped++;
  if (!isRestartable(container, spec, ended)) counts.stoppedForGood++;
  if (!waiting && ended.exitCode === 0) counts.succeeded++;
}
