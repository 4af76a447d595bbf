/**
 * The probes of all pods of a node: workers come and go with what runs; their verdicts decide about restarts and
 * readiness.
 * Upstream: pkg/kubelet/prober/prober_manager.go.
 */
import type { Container, ContainerStatus, Pod, PodStatus } from '../../../api/generated/core-v1.ts';
import { isSidecar } from '../../../api/predicates/pod-resources.ts';
import { bareContainerID } from '../container/container-identity.ts';
import type { ProbeVerdict } from '../pod/plan-pod.ts';
import type { Readiness } from '../status/pod-status.ts';
import { type ProbedContainer, type ProbeEnvironment, ProbeWorker } from './probe-worker.ts';
import type { ProbeType } from './run-probe.ts';

const probeTypes = ['startup', 'readiness', 'liveness'] as const;
const probeOf = (container: Container, type: ProbeType) =>
  type === 'startup' ? container.startupProbe : type === 'readiness' ? container.readinessProbe : container.livenessProbe;

interface PodProbes {
  readonly workers: Map<string, ProbeWorker>;
  /** liveness and startup no longer matter: the pod ends */
  ending: boolean;
}

export interface ProbeAnswers {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
}

export class ProbeManager implements Disposable {
  readonly #environment: ProbeEnvironment;
  readonly #onVerdict: (podUID: string) => void;
  readonly #pods = new Map<string, PodProbes>();

  /** `onVerdict` is called when a verdict about a container of that pod has changed. */
  constructor(environment: ProbeEnvironment, onVerdict: (podUID: string) => void) {
    this.#environment = environment;
    this.#onVerdict = onVerdict;
  }

  /** How the probes of what runs now were answered. */
  answers(): readonly ProbeAnswers[] {
    return [...this.#pods.values()].flatMap(({ workers }) =>
      [...workers.values()].flatMap(({ labels, counts }) =>
        Object.entries(counts).flatMap(([result, count]) => (count === 0 ? [] : [{ labels: { ...labels, result }, count }])),
      ),
    );
  }

  verdict(
    podUID: string,
    at: { readonly type: ProbeType; readonly container: string; readonly containerID: string },
  ): ProbeVerdict | undefined {
    return this.#pods.get(podUID)?.workers.get(`${at.type} ${at.container}`)?.verdict(at.containerID);
  }

  /** Of a running container; `told` is what the API last said of this very one, until its probes say something. */
  readiness(pod: Pod, container: Container, at: { readonly containerID: string; readonly told?: Readiness | undefined }): Readiness {
    const ask = (type: ProbeType) => this.verdict(pod.metadata.uid, { type, container: container.name, containerID: at.containerID });
    const startup = ask('startup');
    const readiness = ask('readiness');
    return {
      started: !container.startupProbe || (startup === undefined ? (at.told?.started ?? false) : startup === 'success'),
      ready: !container.readinessProbe || (readiness === undefined ? (at.told?.ready ?? false) : readiness === 'success'),
    };
  }

  /** Starts, feeds and rests the probes of a pod, as its status says. `told` is what the API last said. */
  update(pod: Pod, status: PodStatus, told: PodStatus): void {
    const probed = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)].filter((c) =>
      probeTypes.some((type) => probeOf(c, type)),
    );
    if (probed.length === 0) return;
    const { uid } = pod.metadata;
    let probes = this.#pods.get(uid);
    if (!probes) {
      probes = { workers: new Map(), ending: false };
      this.#pods.set(uid, probes);
    }
    const statuses = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])];
    const before = [...(told.containerStatuses ?? []), ...(told.initContainerStatuses ?? [])];
    for (const container of probed) {
      const current = statuses.find((s) => s.name === container.name);
      const old = before.find((s) => s.name === container.name && s.containerID === current?.containerID);
      const target = current && probedContainer(current, old, status.podIP ?? '');
      for (const type of probeTypes) this.#updateWorker(probes, { pod, container, type }, target);
    }
  }

  stopLivenessAndStartup(podUID: string): void {
    const probes = this.#pods.get(podUID);
    if (!probes) return;
    probes.ending = true;
    for (const [key, worker] of probes.workers) {
      if (key.startsWith('readiness ')) continue;
      worker[Symbol.dispose]();
      probes.workers.delete(key);
    }
  }

  remove(podUID: string): void {
    const probes = this.#pods.get(podUID);
    this.#pods.delete(podUID);
    for (const worker of probes?.workers.values() ?? []) worker[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    for (const uid of [...this.#pods.keys()]) this.remove(uid);
  }

  #updateWorker(
    probes: PodProbes,
    { pod, container, type }: { readonly pod: Pod; readonly container: Container; readonly type: ProbeType },
    target: ProbedContainer | undefined,
  ): void {
    const probe = probeOf(container, type);
    if (!probe || (probes.ending && type !== 'readiness')) return;
    const key = `${type} ${container.name}`;
    let worker = probes.workers.get(key);
    if (!worker) {
      worker = new ProbeWorker(this.#environment, { type, pod, container, probe }, () => this.#onVerdict(pod.metadata.uid));
      probes.workers.set(key, worker);
    }
    worker.update({ pod, container, probe }, target);
  }
}

function probedContainer(status: ContainerStatus, old: ContainerStatus | undefined, podIP: string): ProbedContainer | undefined {
  if (!status.state?.running || !status.containerID) return undefined;
  return {
    id: bareContainerID(status.containerID),
    startedAtMs: Date.parse(status.state.running.startedAt ?? '') || 0,
    podIP,
    started: status.started ?? false,
    told: { started: old?.started ?? false, ready: old?.ready ?? false },
  };
}
