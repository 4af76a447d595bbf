/**
 * Resources that change while a pod runs, its containers' and those of the pod as a whole: what its author wants, what
 * the node has granted (allocated), and what is really there (actual).
 *
 * Guarantees: a wish is granted whole or not at all; what does not fit ever is infeasible, what does not fit now is
 * deferred; a container whose policy asks for it is restarted, others are changed as they run. After a restart of the
 * kubelet both are read from the status that it told.
 * Upstream: pkg/kubelet/allocation/allocation_manager.go, kuberuntime/kuberuntime_manager.go (computePodResizeAction),
 * events/resize.go.
 */
import type { Container, Pod, PodCondition } from '../../../api/generated/core-v1.ts';
import { compareQuantities, subtractQuantities } from '../../../api/meta/quantity.ts';
import { own } from '../../../api/meta/words.ts';
import { bareContainerID } from '../container/container-identity.ts';
import type { ObservedPod } from './observed-pod.ts';
import type { PodRejection } from './pod-admission.ts';

type Resources = NonNullable<Container['resources']>;
type Amounts = Readonly<Record<string, string>>;
const resizable = ['cpu', 'memory'] as const;

/** What a container was given: its own, and the pod's, whose limits it has where it has none. */
interface Given {
  readonly own: Resources;
  readonly ofPod: Resources | undefined;
}

export interface ResizeUpdate {
  readonly container: Container;
  readonly containerID: string;
}

export interface ResizeVerdict {
  /** what to tell, when the wish was granted or refused just now */
  readonly event?: { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string };
}

interface Trouble {
  readonly reason: string;
  readonly message: string;
  readonly generation: number | undefined;
}

export class PodResize {
  readonly #allocated = new Map<string, Resources>();
  #allocatedOfPod: Resources | undefined;
  /** by container id */
  readonly #actual = new Map<string, Given>();
  /** undefined: nobody knows yet */
  #actualOfPod: Resources | undefined;
  #pending: Trouble | undefined;
  #progress: Trouble | undefined;

  constructor(pod: Pod) {
    this.#actualOfPod = pod.spec.resources && pod.status.resources && toldOfPod(pod, pod.status.resources.requests);
    const told = pod.spec.resources && pod.status.allocatedResources && toldOfPod(pod, pod.status.allocatedResources);
    this.#allocatedOfPod = told ?? pod.spec.resources;
    const statuses = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
    for (const container of resizableContainers(pod)) {
      const status = statuses.find((s) => s.name === container.name);
      const id = status?.containerID === undefined ? undefined : bareContainerID(status.containerID);
      if (id !== undefined && status?.resources) this.#actual.set(id, { own: status.resources, ofPod: this.#actualOfPod });
      const requests = status?.allocatedResources;
      const told = id !== undefined && status?.resources ? { ...status.resources, ...(requests && { requests }) } : undefined;
      this.#allocated.set(container.name, told ?? container.resources ?? {});
    }
  }

  get isDeferred(): boolean {
    return this.#pending?.reason === 'Deferred';
  }

  /** The pod with the resources that it was granted. */
  allocatedPod(pod: Pod): Pod {
    if (!this.#wants(pod)) return pod;
    return withResources(pod, this.#allocatedOfPod, ({ name }) => this.#allocated.get(name));
  }

  /** The pod with the resources that it really has. */
  actualPod(allocated: Pod, observed: ObservedPod): Pod {
    return withResources(allocated, this.#actualOfPod ?? allocated.spec.resources, ({ name }) => {
      const seen = observed.containers.find((c) => c.name === name);
      return seen?.state === 'running' ? this.#actual.get(seen.id)?.own : undefined;
    });
  }

  #wants(pod: Pod): boolean {
    if (!sameResources(pod.spec.resources, this.#allocatedOfPod)) return true;
    return resizableContainers(pod).some((c) => !sameResources(c.resources, this.#allocated.get(c.name)));
  }

  /** Decides about a wish. `judge` says why the pod would not fit, and whether it ever could. */
  consider(pod: Pod, judge: () => (PodRejection & { readonly ever: boolean }) | undefined): ResizeVerdict {
    const { generation } = pod.metadata;
    if (!this.#wants(pod)) {
      this.#pending = undefined;
      return {};
    }
    const refusal = judge();
    if (!refusal) {
      for (const container of resizableContainers(pod)) this.#allocated.set(container.name, container.resources ?? {});
      this.#allocatedOfPod = pod.spec.resources;
      this.#pending = undefined;
      this.#progress = { reason: '', message: '', generation };
      return { event: { type: 'Normal', reason: 'ResizeStarted', message: `Pod resize started: ${summarize(pod)}` } };
    }
    const reason = refusal.ever ? 'Deferred' : 'Infeasible';
    const news = this.#pending?.reason !== reason || this.#pending.message !== refusal.message;
    this.#pending = { reason, message: refusal.message, generation };
    if (!news) return {};
    return { event: { type: 'Warning', reason: `Resize${reason}`, message: `Pod resize ${reason}: ${summarize(pod, refusal.message)}` } };
  }

  /** Running containers that don't have yet what they were granted, and can be changed as they run. */
  updates(allocated: Pod, observed: ObservedPod): readonly ResizeUpdate[] {
    return this.#differing(allocated, observed).filter(
      ({ container, containerID }) => !this.#wantsRestart(allocated, container, containerID),
    );
  }

  /** The pod as a whole does not have yet what it was granted. */
  podDiffers(allocated: Pod): boolean {
    return this.#actualOfPod !== undefined && !sameResources(this.#actualOfPod, allocated.spec.resources);
  }

  /** It does not have what it was granted, and its policy asks for a restart. */
  needsRestart(allocated: Pod, containerID: string, name: string): boolean {
    const container = resizableContainers(allocated).find((c) => c.name === name);
    return container !== undefined && this.#actual.has(containerID) && this.#wantsRestart(allocated, container, containerID);
  }

  /** The runtime has given it what was granted. */
  noteActual({ container, containerID }: ResizeUpdate, allocated: Pod): void {
    this.#actual.set(containerID, given(allocated, container));
  }

  /** The pod's cgroup has what was granted. */
  noteActualPod(allocated: Pod): void {
    this.#actualOfPod = allocated.spec.resources;
  }

  noteError(message: string): void {
    if (this.#progress) this.#progress = { ...this.#progress, reason: 'Error', message };
  }

  actual(containerID: string): Resources | undefined {
    return this.#actual.get(containerID)?.own;
  }

  /** Looks at what runs; gives the event to tell when all that was granted is there. */
  settle(allocated: Pod, observed: ObservedPod): ResizeVerdict {
    const alive = new Set(observed.containers.map((c) => c.id));
    for (const id of this.#actual.keys()) if (!alive.has(id)) this.#actual.delete(id);
    for (const { id, name, state } of observed.containers) {
      if (state !== 'running' || this.#actual.has(id)) continue;
      // Just made, or by a kubelet that told nothing of it: it has what it was made with.
      const container = resizableContainers(allocated).find((c) => c.name === name);
      this.#actual.set(id, container ? given(allocated, container) : { own: {}, ofPod: undefined });
      this.#actualOfPod ??= allocated.spec.resources;
    }
    if (!this.#progress || this.podDiffers(allocated) || this.#differing(allocated, observed).length > 0) return {};
    this.#progress = undefined;
    return { event: { type: 'Normal', reason: 'ResizeCompleted', message: `Pod resize completed: ${summarize(allocated)}` } };
  }

  conditions(): readonly PodCondition[] {
    const condition = (type: string, trouble: Trouble | undefined): readonly PodCondition[] =>
      trouble
        ? [
            {
              type,
              status: 'True',
              ...(trouble.generation !== undefined && { observedGeneration: trouble.generation }),
              ...(trouble.reason && { reason: trouble.reason }),
              ...(trouble.message && { message: trouble.message }),
            },
          ]
        : [];
    return [...condition('PodResizePending', this.#pending), ...condition('PodResizeInProgress', this.#progress)];
  }

  #differing(allocated: Pod, observed: ObservedPod): readonly ResizeUpdate[] {
    return resizableContainers(allocated).flatMap((container) => {
      const seen = observed.containers.find((c) => c.name === container.name);
      if (seen?.state !== 'running') return [];
      const actual = this.#actual.get(seen.id);
      return actual && !sameResources(effective(actual), effective(given(allocated, container)))
        ? [{ container, containerID: seen.id }]
        : [];
    });
  }

  #wantsRestart(allocated: Pod, container: Container, containerID: string): boolean {
    const actual = this.#actual.get(containerID);
    const wanted = effective(given(allocated, container));
    return resizable.some((name) => {
      const policy = container.resizePolicy?.find((p) => p.resourceName === name)?.restartPolicy;
      return policy === 'RestartContainer' && !sameResource(actual && effective(actual), wanted, name);
    });
  }
}

/** Regular containers and sidecars. */
const resizableContainers = ({ spec }: Pod): readonly Container[] => [
  ...spec.containers,
  ...(spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always'),
];

const given = ({ spec }: Pod, { resources }: Container): Given => ({ own: resources ?? {}, ofPod: spec.resources });

/** What its cgroup has: where the container has no limit, the pod's. */
const effective = ({ own, ofPod }: Given): Resources => ({ ...own, limits: { ...ofPod?.limits, ...own.limits } });

function withResources(pod: Pod, ofPod: Resources | undefined, of: (container: Container) => Resources | undefined): Pod {
  const change = (container: Container): Container => ({ ...container, resources: of(container) ?? container.resources ?? {} });
  const { initContainers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      ...(ofPod && { resources: ofPod }),
      containers: pod.spec.containers.map(change),
      ...(initContainers && { initContainers: initContainers.map(change) }),
    },
  };
}

/** Of what the status tells of the pod, which counts everything: what is said for the pod as a whole, without overhead. */
function toldOfPod({ spec, status }: Pod, requests: Amounts | undefined): Resources {
  const of = (said: Amounts | undefined, told: Amounts | undefined): Amounts =>
    Object.fromEntries(
      Object.entries(said ?? {}).map(([name, amount]) => {
        const total = own(told, name);
        const overhead = own(spec.overhead, name);
        return [name, total === undefined ? amount : overhead === undefined ? total : subtractQuantities(total, overhead)];
      }),
    );
  return {
    ...spec.resources,
    ...(spec.resources?.requests && { requests: of(spec.resources.requests, requests) }),
    ...(spec.resources?.limits && { limits: of(spec.resources.limits, status.resources?.limits) }),
  };
}

const sameResources = (a: Resources | undefined, b: Resources | undefined): boolean => resizable.every((name) => sameResource(a, b, name));

const sameResource = (a: Resources | undefined, b: Resources | undefined, name: string): boolean =>
  (['requests', 'limits'] as const).every((list) => compareQuantities(own(a?.[list], name) ?? '0', own(b?.[list], name) ?? '0') === 0);

function summarize({ metadata, spec }: Pod, error?: string): string {
  const of = (list: readonly Container[]) => list.map(({ name, resources }) => ({ name, resources: resources ?? {} }));
  return JSON.stringify({
    ...(spec.initContainers?.length && { initContainers: of(spec.initContainers) }),
    containers: of(spec.containers),
    generation: metadata.generation ?? 0,
    ...(error && { error }),
  });
}
