/**
 * Asks the runtime about one pod. What vanishes between the list and the look at it is left out.
 * Upstream: pkg/kubelet/kuberuntime/kuberuntime_manager.go (GetPodStatus), kuberuntime_container.go
 * (getPodContainerStatuses).
 */
import { type ContainerRuntime, isRuntimeError, podLabels } from '../../runtime/container-runtime.ts';
import type * as cri from '../../runtime/cri-types.ts';
import type { ObservedContainer, ObservedPod, ObservedSandbox, ObservedState } from './observed-pod.ts';
import { type ContainerNotes, readContainerNotes } from './runtime-labels.ts';

/** Reads what a container left as its last words; see termination-message.ts. */
export type ReadTerminationMessage = (status: cri.ContainerStatus, notes: ContainerNotes) => Promise<string>;

export async function observePod(
  runtime: ContainerRuntime,
  podUID: string,
  options: { readonly lastWords?: ReadTerminationMessage | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<ObservedPod> {
  const filter = { labelSelector: { [podLabels.podUid]: podUID } };
  const call = options.signal ? { signal: options.signal } : {};
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandbox(filter, call), runtime.listContainers(filter, call)]);
  const observedSandboxes = await Promise.all(sandboxes.map((s) => present(runtime.podSandboxStatus(s.id, call).then(observeSandbox))));
  const observedContainers = await Promise.all(
    containers.map((c) =>
      present(runtime.containerStatus(c.id, call).then((status) => observeContainer(status, c.podSandboxId, options.lastWords))),
    ),
  );
  return {
    sandboxes: observedSandboxes.filter((s) => s !== undefined).toSorted(newestFirst),
    containers: observedContainers.filter((c) => c !== undefined).toSorted(newestFirst),
  };
}

const newestFirst = (a: { readonly createdAtMs: number; readonly id: string }, b: typeof a): number =>
  b.createdAtMs - a.createdAtMs || (a.id < b.id ? -1 : 1);

async function present<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isRuntimeError(error, 'NotFound')) return undefined;
    throw error;
  }
}

export function sandboxIPs({ network }: cri.PodSandboxStatus): readonly string[] {
  return network ? [network.ip, ...network.additionalIps.map((a) => a.ip)].filter((ip) => ip !== '') : [];
}

function observeSandbox(status: cri.PodSandboxStatus): ObservedSandbox {
  return {
    id: status.id,
    attempt: status.metadata.attempt,
    ready: status.state === 'SANDBOX_READY',
    createdAtMs: status.createdAt / 1e6,
    hostNetwork: status.linux?.namespaces?.options?.network === 'NODE',
    ips: sandboxIPs(status),
  };
}

/** The runtime's full name, unless it only says the digest. */
function imageName(spec: cri.ImageSpec | undefined): string {
  const name = spec?.image ?? '';
  return name.startsWith('sha256:') ? (spec?.userSpecifiedImage ?? name) : name;
}

const states: Record<cri.ContainerState, ObservedState> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
};

async function observeContainer(
  status: cri.ContainerStatus,
  sandboxID: string,
  lastWords: ReadTerminationMessage | undefined,
): Promise<ObservedContainer> {
  const notes = readContainerNotes(status.annotations);
  const exited = status.state === 'CONTAINER_EXITED';
  const words = exited && lastWords ? await lastWords(status, notes) : '';
  const user = status.user?.linux;
  return {
    id: status.id,
    name: status.metadata.name,
    state: states[status.state],
    sandboxID,
    createdAtMs: status.createdAt / 1e6,
    startedAtMs: status.startedAt / 1e6,
    finishedAtMs: status.finishedAt / 1e6,
    exitCode: status.exitCode,
    reason: exited ? status.reason : '',
    message: exited ? [status.message, words].filter((m) => m !== '').join(': ') : '',
    image: imageName(status.image),
    imageRef: status.imageRef,
    restartCount: notes.restartCount,
    hash: notes.hash,
    logPath: status.logPath,
    user: user && { uid: user.uid, gid: user.gid, supplementalGroups: user.supplementalGroups },
  };
}
