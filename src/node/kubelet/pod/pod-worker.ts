/**
 * The life of one pod on this node, one step at a time: syncing (plan, perform, observe, tell) → terminating (hooks,
 * stop, kill) → terminated (volumes and cgroups gone, final status) → finished; and when the API has forgotten the pod,
 * its last containers and logs are removed too.
 *
 * Guarantees: steps of one pod never overlap; whatever happens (a change, a runtime event, a probe, a timer) only wakes
 * the worker, which then looks for itself; a deletion interrupts a pull, a shorter grace period interrupts a longer one;
 * the pod is told to be terminal only when none of its containers runs.
 * Upstream: pkg/kubelet/pod_workers.go, kubelet.go (SyncPod, SyncTerminatingPod, SyncTerminatedPod).
 */
import type { Pod, PodStatus } from '../../../api/generated/core-v1.ts';
import { Secret } from '../../../api/generated/kinds.ts';
import { isNotFound, messageOf } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { isTerminalPhase } from '../../../api/predicates/pod-state.ts';
import type { Timer } from '../../../client/clock.ts';
import { detach } from '../../../client/detached.ts';
import { removeTree } from '../../files/remove-tree.ts';
import type { BackOffEntry } from '../back-off.ts';
import type { WaitingReason } from '../status/container-statuses.ts';
import { finalPodStatus } from '../status/final-status.ts';
import { podStatus } from '../status/pod-status.ts';
import { settle } from '../status/settling.ts';
import { readTerminationMessage } from '../status/termination-message.ts';
import { VolumesNotReadyError } from '../volumes/volume-manager.ts';
import { applyResize, growPod } from './apply-resize.ts';
import { planGarbage } from './garbage.ts';
import { killPod } from './kill-pod.ts';
import { observePod } from './observe-pod.ts';
import { nothingObserved, type ObservedPod, runningContainers } from './observed-pod.ts';
import { performPlan } from './perform-plan.ts';
import { planPod } from './plan-pod.ts';
import type { PodContext } from './pod-context.ts';
import { PodResize } from './pod-resize.ts';
import { mayWaitForObjects } from './referenced-objects.ts';
import { podLogsDirectory } from './sandbox-config.ts';

export type WorkerState = 'syncing' | 'terminating' | 'terminated' | 'finished' | 'removed';

/** The kubelet itself ends the pod. */
export interface KubeletEviction {
  readonly reason: string;
  readonly message: string;
  readonly graceSeconds?: number;
  /** for the node's sake: told as DisruptionTarget */
  readonly disruption?: boolean;
}

/** Each failure in a row doubles the wait. */
const retryMs = {
  mount: { first: 500, max: 122_000 },
  sync: { first: 10_000, max: 60_000 },
  end: { first: 1_000, max: 60_000 },
} as const;
const networkRetryMs = 5_000;

export class PodWorker {
  readonly #context: PodContext;
  readonly #onRemoved: () => void;
  readonly #backOffs = new Map<string, BackOffEntry>();
  readonly #waiting = new Map<string, WaitingReason>();
  /** the API's own status, as this worker found it */
  readonly #told: PodStatus;
  readonly #resize: PodResize;
  #pod: Pod;
  #state: WorkerState = 'syncing';
  #eviction: KubeletEviction | undefined;
  /** the API has forgotten the pod */
  #orphaned = false;
  #mayHaveRunning = true;
  #running = false;
  #again = false;
  #failures = 0;
  #timer: Timer | undefined;
  /** when containers that were just started have proved themselves */
  #settledAtMs: number | undefined;
  /** as the runtime last told it */
  #observed: ObservedPod = nothingObserved;
  /** as the last step took it: what is told in between is about that one */
  #synced: Pod | undefined;
  #retelling = false;
  #sync = new AbortController();
  #kill = new AbortController();
  #idle = Promise.withResolvers<void>();

  constructor(context: PodContext, pod: Pod, onRemoved: () => void) {
    this.#context = context;
    this.#pod = pod;
    this.#told = pod.status;
    this.#resize = new PodResize(pod);
    this.#onRemoved = onRemoved;
    this.#idle.resolve();
  }

  get pod(): Pod {
    return this.#pod;
  }
  get state(): WorkerState {
    return this.#state;
  }
  /** With the resources that the node has granted it. */
  get allocatedPod(): Pod {
    return this.#resize.allocatedPod(this.#pod);
  }
  /** It waits for resources that others have. */
  get waitsForResources(): boolean {
    return this.#state === 'syncing' && this.#resize.isDeferred;
  }
  get mayHaveRunningContainers(): boolean {
    return this.#mayHaveRunning;
  }

  /** The API told of the pod, or of a change of it. */
  update(pod: Pod): void {
    const before = this.#pod;
    this.#pod = pod;
    if (this.#mustEnd()) this.#sync.abort();
    const grace = pod.metadata.deletionGracePeriodSeconds;
    const graceBefore = before.metadata.deletionGracePeriodSeconds;
    if (this.#state === 'terminating' && grace !== undefined && (graceBefore === undefined || grace < graceBefore)) this.#kill.abort();
    if (this.#state === 'finished') return;
    this.wake();
  }

  /** The API told of a change that asks for nothing. */
  note(pod: Pod): void {
    this.#pod = pod;
  }

  /** The API has forgotten the pod: end it, and clean up everything. */
  remove(): void {
    this.#orphaned = true;
    this.#sync.abort();
    this.wake();
  }

  evict(eviction: KubeletEviction): void {
    if (this.#state !== 'syncing') return;
    this.#eviction ??= eviction;
    this.#sync.abort();
    this.wake();
  }

  /** The node can't run it: it fails without ever having begun. */
  reject({ reason, message }: { readonly reason: string; readonly message: string }): void {
    const { events, statuses, clock } = this.#context;
    const { status, metadata } = this.#pod;
    events.event(this.#pod, 'Warning', reason, message);
    this.#mayHaveRunning = false;
    this.#state = 'finished';
    statuses.set(this.#pod, {
      ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
      phase: 'Failed',
      reason,
      message: `Pod was rejected: ${message}`,
      startTime: status.startTime ?? formatTime(clock.now()),
      ...(status.conditions && { conditions: status.conditions }),
      ...(status.qosClass && { qosClass: status.qosClass }),
    });
    statuses.finish(this.#pod);
  }

  /** Something happened: have a look. */
  wake(): void {
    this.#again = true;
    if (this.#running || this.#state === 'removed') return;
    this.#running = true;
    this.#idle = Promise.withResolvers();
    detach(
      () => this.#loop(),
      (error) => this.#context.log.error({ error, pod: this.#pod.metadata.name }, 'a pod worker failed'),
    );
  }

  /** A probe has changed its mind: that is told even while the worker is busy. */
  probed(): void {
    if (this.#running) this.#retellSoon();
    this.wake();
  }

  /** Something happened in the runtime. */
  observeAgain(): void {
    if (this.#running && this.#state === 'terminating') this.#retellSoon();
    this.wake();
  }

  /** Stops without touching containers: the kubelet goes, the pod stays. */
  async stop(): Promise<void> {
    this.#state = 'removed';
    this.#timer?.cancel();
    this.#sync.abort();
    this.#kill.abort();
    // A simulated runtime waits on a clock that may stand still; it has nothing that could be left half done.
    if (!this.#context.runtime.simulation) await this.#idle.promise;
  }

  #mustEnd(): boolean {
    return (
      this.#orphaned ||
      this.#eviction !== undefined ||
      this.#pod.metadata.deletionTimestamp !== undefined ||
      isTerminalPhase(this.#pod.status.phase)
    );
  }

  async #loop(): Promise<void> {
    while (this.#again && !this.#over()) {
      this.#again = false;
      this.#timer?.cancel();
      try {
        await this.#step();
        this.#failures = 0;
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#running = false;
    this.#idle.resolve();
  }

  #over(): boolean {
    return this.#state === 'removed';
  }

  #failed(error: unknown): void {
    if (this.#over()) return;
    const { log } = this.#context;
    this.#failures++;
    const mount = error instanceof VolumesNotReadyError;
    const { first, max } = retryMs[mount ? 'mount' : this.#state === 'syncing' ? 'sync' : 'end'];
    const delayMs = Math.min(first * 2 ** (this.#failures - 1), max);
    if (this.#sync.signal.aborted && this.#state === 'syncing') {
      this.#again = true;
      return;
    }
    if (!mount)
      log.warn({ error, pod: this.#pod.metadata.name, namespace: this.#pod.metadata.namespace, state: this.#state }, 'pod sync failed');
    this.#wakeIn(delayMs);
  }

  #wakeIn(delayMs: number): void {
    if (this.#over()) return;
    this.#timer?.cancel();
    this.#timer = this.#context.clock.setTimeout(() => this.wake(), delayMs);
  }

  async #step(): Promise<void> {
    if (this.#state === 'syncing' && this.#mustEnd()) this.#state = 'terminating';
    if (this.#state === 'syncing') await this.#stepSync();
    if (this.#state === 'terminating') await this.#stepTerminate();
    if (this.#state === 'terminated') await this.#stepCleanUp();
    if (this.#state === 'finished' && this.#orphaned) await this.#stepRemove();
  }

  async #observe(signal?: AbortSignal): Promise<ObservedPod> {
    const { runtime, gate } = this.#context;
    this.#observed = await observePod(runtime, this.#pod.metadata.uid, {
      lastWords: runtime.simulation ? undefined : (status, notes) => readTerminationMessage(status, notes, gate),
      signal,
    });
    return this.#observed;
  }

  #retellSoon(): void {
    detach(
      () => this.#retell(),
      (error) => this.#context.log.error({ error, pod: this.#pod.metadata.name }, 'pod not observed'),
    );
  }

  /** Tells how the pod is while a step is under way: a kill that takes its time, a pull. */
  async #retell(): Promise<void> {
    if (this.#retelling) return;
    this.#retelling = true;
    const { log, probes } = this.#context;
    const state = this.#state;
    try {
      const observed = await this.#observe();
      if (this.#state !== state || !this.#mayHaveRunning) return;
      probes.update(this.#pod, this.#tell(observed, false, this.#synced), this.#told);
    } catch (error) {
      log.debug({ error, pod: this.#pod.metadata.name }, 'pod not observed');
    } finally {
      this.#retelling = false;
    }
  }

  #tell(observed: ObservedPod, terminal: boolean, pod = this.allocatedPod): PodStatus {
    const { statuses, probes, clock, node, runtimeName } = this.#context;
    const old = statuses.get(pod.metadata.uid) ?? pod.status;
    const { held, untilMs } = settle(pod, observed, { told: old, nowMs: clock.now() });
    this.#settledAtMs = untilMs;
    const containers = new Map([...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map((c) => [c.name, c]));
    const told = new Map(
      [...(this.#told.containerStatuses ?? []), ...(this.#told.initContainerStatuses ?? [])].map((s) => [s.containerID, s]),
    );
    const status = podStatus({
      pod,
      observed,
      old,
      runtimeName,
      waitingReasons: this.#waiting,
      held,
      readiness: (name, containerID) => {
        const container = containers.get(name);
        const before = told.get(`${runtimeName}://${containerID}`);
        if (!container) return { started: false, ready: false };
        return probes.readiness(pod, container, {
          containerID,
          told: before && { started: before.started ?? false, ready: before.ready },
        });
      },
      terminal,
      override: this.#eviction,
      hostIPs: node.hostIPs,
      nowMs: clock.now(),
      actual: (containerID) => this.#resize.actual(containerID),
      actualPod: this.#resize.actualPod(pod, observed),
      resizeConditions: terminal ? [] : this.#resize.conditions(),
    });
    if (!this.#orphaned) statuses.set(pod, status);
    return status;
  }

  async #stepSync(): Promise<void> {
    const { probes, events, volumes, simulated } = this.#context;
    const { signal } = this.#sync;
    const observed = await this.#observe(signal);
    this.#considerResize(observed);
    const pod = this.allocatedPod;
    this.#synced = pod;
    const status = this.#tell(observed, false, pod);
    if (isTerminalPhase(status.phase)) {
      this.#state = 'terminating';
      return;
    }
    if (this.#checkDeadline(status)) return;
    probes.update(pod, status, this.#told);
    const problem = this.#context.node.networkProblem();
    if (problem !== undefined && !pod.spec.hostNetwork) {
      events.event(pod, 'Warning', 'NetworkNotReady', `network is not ready: ${problem}`);
      this.#wakeIn(networkRetryMs);
      return;
    }
    await this.#collectGarbage(observed);
    if (!simulated) await growPod(this.#context, { pod, observed, resize: this.#resize });
    const ready = this.#hasVolumes(pod) ? await volumes.setUp(pod) : new Map();
    const plan = planPod({
      pod,
      observed,
      probe: (type, containerID) => {
        const name = observed.containers.find((c) => c.id === containerID)?.name ?? '';
        return probes.verdict(pod.metadata.uid, { type, container: name, containerID });
      },
      backOffs: this.#backOffs,
      nowMs: this.#context.clock.now(),
      needsRestart: (containerID, name) => this.#resize.needsRestart(pod, containerID, name),
    });
    const resized = await applyResize(this.#context, { pod, observed, resize: this.#resize }).catch((error: unknown) => {
      this.#tell(observed, false, pod);
      throw error;
    });
    if (resized) this.#again = true;
    const outcome = await performPlan(this.#context, {
      plan,
      pod,
      observed,
      volumes: ready,
      secrets: () => this.#pullSecrets(pod),
      backOffs: this.#backOffs,
      waiting: this.#waiting,
      old: status,
      signal,
    });
    if (outcome.acted) this.#again = true;
    else if (outcome.toldAnew) this.#tell(this.#observed, false, pod);
    this.#planWake(status, outcome.wakeAtMs);
  }

  /** Most simulated pods have none that anybody would look for. */
  #hasVolumes(pod: Pod): boolean {
    return !this.#context.simulated || mayWaitForObjects(pod);
  }

  #considerResize(observed: ObservedPod): void {
    const { events } = this.#context;
    const done = this.#resize.settle(this.allocatedPod, observed);
    const granted = this.#resize.consider(this.#pod, () => this.#context.judgeResize(this.#pod));
    for (const { event } of [done, granted]) if (event) events.event(this.#pod, event.type, event.reason, event.message);
  }

  /** The next look, when nothing happens before. */
  #planWake(status: PodStatus, wakeAtMs: number | undefined): void {
    const { clock } = this.#context;
    const deadline = this.#deadlineMs(status);
    const times = [wakeAtMs, deadline, this.#settledAtMs].filter((t) => t !== undefined);
    if (times.length > 0) this.#wakeIn(Math.max(0, Math.min(...times) - clock.now()));
  }

  #deadlineMs(status: PodStatus): number | undefined {
    const seconds = this.#pod.spec.activeDeadlineSeconds;
    if (seconds === undefined || !status.startTime) return undefined;
    return Date.parse(status.startTime) + seconds * 1000;
  }

  /** True when the pod has lived too long: it is ended. */
  #checkDeadline(status: PodStatus): boolean {
    const deadline = this.#deadlineMs(status);
    if (deadline === undefined || this.#context.clock.now() < deadline) return false;
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#context.events.event(this.#pod, 'Normal', 'DeadlineExceeded', message);
    this.#eviction = { reason: 'DeadlineExceeded', message };
    this.#state = 'terminating';
    return true;
  }

  async #pullSecrets(pod: Pod): Promise<readonly Secret[]> {
    const { objects, simulated, log } = this.#context;
    if (simulated) return [];
    const found: Secret[] = [];
    for (const { name } of pod.spec.imagePullSecrets ?? []) {
      if (!name) continue;
      try {
        found.push(await objects.get(Secret, { namespace: pod.metadata.namespace, name }));
      } catch (error) {
        if (!isNotFound(error)) throw error;
        log.debug({ pod: pod.metadata.name, secret: name }, 'pull secret not found');
      }
    }
    return found;
  }

  async #collectGarbage(observed: ObservedPod): Promise<void> {
    const { runtime, gate } = this.#context;
    const { containerIDs, sandboxIDs } = planGarbage(observed);
    for (const id of containerIDs) {
      const path = observed.containers.find((c) => c.id === id)?.logPath;
      await runtime.removeContainer(id);
      if (path && !runtime.simulation) await removeTree(path, gate);
    }
    for (const id of sandboxIDs) await runtime.removePodSandbox(id);
  }

  async #stepTerminate(): Promise<void> {
    const { probes, events } = this.#context;
    const pod = this.#pod;
    this.#kill = new AbortController();
    const { signal } = this.#kill;
    const before = await this.#observe();
    this.#synced = this.allocatedPod;
    const status = this.#tell(before, false);
    probes.update(pod, status, this.#told);
    probes.stopLivenessAndStartup(pod.metadata.uid);
    const graceSeconds = this.#eviction?.graceSeconds;
    try {
      await killPod(this.#context, { pod, observed: before, signal, graceSeconds });
    } catch (error) {
      if (signal.aborted) {
        this.#again = true;
        return;
      }
      events.event(pod, 'Warning', 'FailedKillPod', `error killing pod: ${messageOf(error)}`);
      throw error;
    }
    const after = await this.#observe();
    const alive = runningContainers(after);
    if (alive.length > 0) throw new Error(`containers still run after the pod was killed: ${alive.map((c) => c.id).join(', ')}`);
    probes.remove(pod.metadata.uid);
    this.#mayHaveRunning = false;
    this.#tell(after, true);
    this.#state = 'terminated';
  }

  async #stepCleanUp(): Promise<void> {
    const { statuses, volumes, cgroups, images, simulated, clock } = this.#context;
    const pod = this.#pod;
    if (this.#hasVolumes(pod)) await volumes.tearDown(pod.metadata.uid);
    if (!simulated) {
      await cgroups.remove(pod);
      if (this.#eviction?.reason === 'Evicted') await this.#removeContainers(await this.#observe());
    }
    images.forget(pod.metadata.uid);
    const status = statuses.get(pod.metadata.uid);
    if (status && !this.#orphaned) {
      statuses.set(pod, finalPodStatus(pod, status, formatTime(clock.now())));
      statuses.finish(pod);
    }
    this.#state = 'finished';
  }

  /** With all that they wrote: an evicted pod keeps nothing of the node, as upstream has it. */
  async #removeContainers({ containers }: ObservedPod): Promise<void> {
    for (const { id } of containers) await this.#context.runtime.removeContainer(id);
  }

  /** Nobody can ask for its logs any more. */
  async #stepRemove(): Promise<void> {
    const { runtime, statuses, node, gate } = this.#context;
    const observed = await this.#observe();
    await this.#removeContainers(observed);
    for (const sandbox of observed.sandboxes) await runtime.removePodSandbox(sandbox.id);
    if (!runtime.simulation) await removeTree(podLogsDirectory(node.logsRoot, this.#pod), gate);
    statuses.forget(this.#pod.metadata.uid);
    this.#state = 'removed';
    this.#onRemoved();
  }
}
