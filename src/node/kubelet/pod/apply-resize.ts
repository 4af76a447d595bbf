/**
 * Gives a running pod the resources that it was granted: the pod's cgroup grows before its containers change, and
 * shrinks after them. No memory limit is set below what is used already: the kernel would end processes for it.
 * Upstream: pkg/kubelet/kuberuntime/kuberuntime_manager.go (doPodResizeAction, validateMemoryResizeAction).
 */
import type { Container, Pod } from '../../../api/generated/core-v1.ts';
import { quantityValue } from '../../../api/meta/quantity.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import { containerResources, podCgroupResources } from '../container/container-resources.ts';
import type { ObservedPod } from './observed-pod.ts';
import type { PodContext } from './pod-context.ts';
import type { PodResize, ResizeUpdate } from './pod-resize.ts';

export interface Resizing {
  /** as it was granted */
  readonly pod: Pod;
  readonly observed: ObservedPod;
  readonly resize: PodResize;
}

/** Makes the pod's cgroup, or gives it room for what its containers are to get. */
export async function growPod({ cgroups }: PodContext, { pod, observed, resize }: Resizing): Promise<void> {
  // A smaller limit than the containers still have may be refused; it is set after them.
  if (resize.podDiffers(pod) || resize.updates(pod, observed).length > 0) return cgroups.grow(resize.actualPod(pod, observed), pod);
  await cgroups.ensure(pod);
}

/** True when something was changed. */
export async function applyResize(context: PodContext, resizing: Resizing): Promise<boolean> {
  const { runtime, cgroups, simulated, events, node } = context;
  const { pod, observed, resize } = resizing;
  const updates = resize.updates(pod, observed);
  if (updates.length === 0 && !resize.podDiffers(pod)) return false;
  try {
    if (!simulated) await checkMemory(context, resizing, updates);
    for (const update of updates) {
      const { container, containerID } = update;
      await runtime.updateContainerResources(containerID, containerResources(pod, container, node.memoryCapacityBytes));
      resize.noteActual(update, pod);
    }
    if (!simulated) await cgroups.ensure(pod);
    resize.noteActualPod(pod);
    return true;
  } catch (error) {
    const message = messageOf(error);
    resize.noteError(message);
    events.event(pod, 'Warning', 'ResizeError', `Pod resize error: ${message}`);
    throw error;
  }
}

interface Shrinking {
  readonly what: string;
  readonly limit: number;
  readonly used: number;
}

/** Throws when a memory limit would fall below what is used. */
async function checkMemory({ runtime }: PodContext, { pod, observed, resize }: Resizing, updates: readonly ResizeUpdate[]): Promise<void> {
  const before = resize.actualPod(pod, observed);
  const podLimit = podCgroupResources(pod).memoryLimitInBytes ?? 0;
  const isPodShrinking = falls(podLimit, podCgroupResources(before).memoryLimitInBytes ?? 0);
  const shrinking = updates.filter(({ container }) => {
    const old = [...before.spec.containers, ...(before.spec.initContainers ?? [])].find(({ name }) => name === container.name);
    return falls(memoryLimit(pod, container), old ? memoryLimit(before, old) : 0);
  });
  if (!isPodShrinking && shrinking.length === 0) return;
  const used = new Map<string, number>();
  for (const { id, state } of observed.containers) {
    if (state === 'running') used.set(id, (await runtime.containerStats(id)).memory?.workingSetBytes?.value ?? 0);
  }
  const all: Shrinking[] = shrinking.map(({ container, containerID }) => ({
    what: `container "${container.name}"`,
    limit: memoryLimit(pod, container),
    used: used.get(containerID) ?? 0,
  }));
  if (isPodShrinking) all.unshift({ what: 'pod', limit: podLimit, used: used.values().reduce((sum, bytes) => sum + bytes, 0) });
  const tooSmall = all
    .filter((each) => each.used >= each.limit)
    .map(({ what, limit, used: now }) => `attempting to set ${what} memory limit (${limit}) below current usage (${now})`);
  if (tooSmall.length === 0) return;
  throw new Error(`cannot decrease memory limits: ${tooSmall.length === 1 ? tooSmall[0] : `[${tooSmall.join(', ')}]`}`);
}

/** 0 is no limit. */
const falls = (now: number, before: number): boolean => now > 0 && (before === 0 || now < before);

const memoryLimit = ({ spec }: Pod, { resources }: Container): number =>
  quantityValue(resources?.limits?.['memory'] ?? spec.resources?.limits?.['memory'] ?? '0');
