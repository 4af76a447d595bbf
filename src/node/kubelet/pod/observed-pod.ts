/**
 * What the container runtime says about one pod, in the form the planner and the status read: no CRI types, no I/O.
 * Upstream: pkg/kubelet/container/runtime.go (PodStatus, Status).
 */

export type ObservedState = 'created' | 'running' | 'exited' | 'unknown';

export interface ObservedSandbox {
  readonly id: string;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAtMs: number;
  readonly hostNetwork: boolean;
  /** the primary first; empty for host-network pods, and while there is none */
  readonly ips: readonly string[];
}

export interface ObservedContainer {
  readonly id: string;
  readonly name: string;
  readonly state: ObservedState;
  readonly sandboxID: string;
  readonly createdAtMs: number;
  /** 0: not started */
  readonly startedAtMs: number;
  /** 0: not finished */
  readonly finishedAtMs: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  /** as the user wrote it */
  readonly image: string;
  /** the digest that the API calls imageID */
  readonly imageRef: string;
  readonly restartCount: number;
  /** of the container's definition when it was made; '' when unknown */
  readonly hash: string;
  readonly logPath: string;
  readonly user?: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] } | undefined;
}

export interface ObservedPod {
  /** newest first */
  readonly sandboxes: readonly ObservedSandbox[];
  /** newest first; several per name when a container was restarted */
  readonly containers: readonly ObservedContainer[];
}

export const nothingObserved: ObservedPod = { sandboxes: [], containers: [] };

/** The newest container of that name. */
export const findContainer = (observed: ObservedPod, name: string): ObservedContainer | undefined =>
  observed.containers.find((c) => c.name === name);

export const runningContainers = (observed: ObservedPod): readonly ObservedContainer[] =>
  observed.containers.filter((c) => c.state === 'running');

/** Containers of the sandbox that is in use now. */
export function activeContainers(observed: ObservedPod): readonly ObservedContainer[] {
  const active = observed.sandboxes.find((s) => s.ready);
  return active ? observed.containers.filter((c) => c.sandboxID === active.id) : [];
}
