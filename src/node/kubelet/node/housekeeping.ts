/**
 * What a node with real containers looks after: logs that grew, memory and limits every ten seconds; every second,
 * whether the disk is about to be full, as one container can fill it in that time.
 * The machine's disk is shared with everything else that lives on it, so images are not collected.
 * Upstream: pkg/kubelet/eviction/eviction_manager.go, logs/container_log_manager.go.
 */
import { readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../../api/generated/core-v1.ts';
import type { Clock, Timer } from '../../../client/clock.ts';
import type { EventRecorder } from '../../../client/events/event-recorder.ts';
import type { Log } from '../../../client/log.ts';
import type { FileGate } from '../../files/file-gate.ts';
import { ignoreMissing } from '../../files/held-directory.ts';
import { WalkTooLargeError } from '../../files/walk.ts';
import { type ContainerRuntime, podLabels } from '../../runtime/container-runtime.ts';
import type { ContainerStats } from '../../runtime/cri-types.ts';
import { bareContainerID } from '../container/container-identity.ts';
import { rotateLog } from '../container/log-rotation.ts';
import type { KubeletEviction } from '../pod/pod-worker.ts';
import { podLogsDirectory } from '../pod/sandbox-config.ts';
import type { TimerWheel } from '../timer-wheel.ts';
import { diskSupply, isLow, memorySupply, type PodUse, Pressure, planEviction, type Supply } from './node-pressure.ts';
import { hasStorageLimit, judgeStorage, measurePod, type StorageUse, totalUse } from './storage-limits.ts';

export interface HousekeepingOptions {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly events: EventRecorder;
  readonly log: Log;
  readonly logsRoot: string;
  /** on the disk that the node minds */
  readonly dataDir: string;
  readonly gate: FileGate;
  /** that run on this node, with their computed status */
  pods(): readonly Pod[];
  podDirectory(podUID: string): string;
  evict(pod: Pod, eviction: KubeletEviction): void;
  /** The condition of the node changed. */
  onPressure(): void;
}

const periodMs = 10_000;
const diskPeriodMs = 1_000;
/** How long an evicted pod may take to give back what it has before the next one has to go. */
const reliefMs = 30_000;
/** The runtime gives back what its containers wrote into their layers a while after they are gone. */
const collectionMs = 5_000;
/** So old at most is what the runtime tells of layers, and a little more. */
const layerStatsMs = 12_000;
const graceSeconds = 1;

export class Housekeeping implements AsyncDisposable {
  readonly #options: HousekeepingOptions;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  readonly #stop = new AbortController();
  /** by pod: a big one takes its time, and holds up nobody else */
  readonly #measuring = new Map<string, Promise<void>>();
  readonly #memory = new Pressure();
  readonly #disk = new Pressure();
  #diskTimer: Timer | undefined;
  #lookingAtDisk: Promise<void> = Promise.resolve();
  #diskLowSinceMs: number | undefined;
  /** the pod that was evicted last because the disk was full */
  #relief: { readonly podUID: string; readonly atMs: number; goneAtMs?: number } | undefined;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#arm();
    this.#armDisk();
  }

  get pressure(): { readonly memory: boolean; readonly disk: boolean } {
    return { memory: this.#memory.isTold, disk: this.#disk.isTold };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#timer?.cancel();
    this.#diskTimer?.cancel();
    await this.#running;
    await this.#lookingAtDisk;
    await Promise.all(this.#measuring.values());
  }

  #arm(): void {
    if (this.#stop.signal.aborted) return;
    this.#timer = this.#options.wheel.setTimeout(() => {
      this.#running = this.#lookAround()
        .catch((error: unknown) => this.#options.log.debug({ error }, 'housekeeping failed'))
        .then(() => this.#arm());
    }, periodMs);
  }

  #armDisk(): void {
    if (this.#stop.signal.aborted) return;
    this.#diskTimer = this.#options.wheel.setTimeout(() => {
      this.#lookingAtDisk = this.#lookAtDisk()
        .catch((error: unknown) => this.#options.log.warn({ error }, 'the disk could not be looked at'))
        .then(() => this.#armDisk());
    }, diskPeriodMs);
  }

  async #lookAround(): Promise<void> {
    const pods = this.#options.pods();
    for (const pod of pods) await this.#rotateLogs(pod);
    const limited = pods.filter(hasStorageLimit);
    const memory = memorySupply(await readAvailableMemory());
    this.#note(this.#memory, memory);
    if (limited.length === 0 && !isLow(memory)) return;
    const stats = await this.#options.runtime.listContainerStats();
    for (const pod of limited) this.#beginMeasuring(pod, stats);
    if (isLow(memory)) this.#relieve(memoryUses(pods, stats), memory);
  }

  async #lookAtDisk(): Promise<void> {
    const { bsize, bavail, blocks } = await statfs(this.#options.dataDir);
    const disk = diskSupply({ availableBytes: bsize * bavail, capacityBytes: bsize * blocks });
    this.#note(this.#disk, disk);
    const nowMs = this.#options.clock.monotonic();
    this.#diskLowSinceMs = isLow(disk) ? (this.#diskLowSinceMs ?? nowMs) : undefined;
    if (this.#diskLowSinceMs === undefined || (await this.#isBeingRelieved())) return;
    const uses = await this.#storageUses();
    // Nobody has much, as far as is known: what containers write into their layers the runtime tells only now and then.
    const isKnown = uses.some(({ totalBytes }) => totalBytes >= disk.availableBytesMin / 4);
    if (!isKnown && nowMs - this.#diskLowSinceMs < layerStatsMs) return;
    const evicted = this.#relieve(uses, disk);
    if (evicted) this.#relief = { podUID: evicted.metadata.uid, atMs: this.#options.clock.monotonic() };
  }

  /** The pod that was evicted last may still have something to give back. */
  async #isBeingRelieved(): Promise<boolean> {
    const { podDirectory, clock, runtime } = this.#options;
    const relief = this.#relief;
    if (!relief || clock.monotonic() - relief.atMs > reliefMs) return false;
    const { podUID } = relief;
    if (await ignoreMissing(stat(podDirectory(podUID)))) return true;
    if ((await runtime.listContainers({ labelSelector: { [podLabels.podUid]: podUID } })).length > 0) return true;
    relief.goneAtMs ??= clock.monotonic();
    return clock.monotonic() - relief.goneAtMs < collectionMs;
  }

  /** One that can't be measured takes more than all others. */
  async #storageUses(): Promise<readonly PodUse[]> {
    const stats = await this.#options.runtime.listContainerStats().catch(() => []);
    const uses: PodUse[] = [];
    for (const pod of this.#options.pods()) {
      try {
        const use = await this.#measure(pod, stats);
        uses.push({ pod, totalBytes: totalUse(use), containers: use.containerBytes });
      } catch (error) {
        if (!(error instanceof WalkTooLargeError)) throw error;
        uses.push({ pod, totalBytes: Number.POSITIVE_INFINITY, containers: new Map() });
      }
    }
    return uses;
  }

  async #rotateLogs(pod: Pod): Promise<void> {
    const { runtime, clock, logsRoot, gate, log } = this.#options;
    for (const status of [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])]) {
      if (!status.state?.running || !status.containerID) continue;
      const path = join(podLogsDirectory(logsRoot, pod), status.name, `${status.restartCount}.log`);
      const containerID = bareContainerID(status.containerID);
      try {
        await rotateLog({ path, containerID, nowMs: clock.now() }, { runtime, gate });
      } catch (error) {
        log.warn({ error, pod: pod.metadata.name, container: status.name }, 'log not rotated');
      }
    }
  }

  #note(pressure: Pressure, supply: Supply): void {
    if (!pressure.note(supply, this.#options.clock.now())) return;
    const { availableBytes, availableBytesMin, resource } = supply;
    if (pressure.isTold) this.#options.log.warn({ resource, availableBytes, availableBytesMin }, 'the node is low on a resource');
    this.#options.onPressure();
  }

  #beginMeasuring(pod: Pod, stats: readonly ContainerStats[]): void {
    const { log } = this.#options;
    const { uid, name } = pod.metadata;
    if (this.#measuring.has(uid)) return;
    const measured = this.#checkStorage(pod, stats)
      .catch((error: unknown) => {
        if (error instanceof WalkTooLargeError) this.#evict(pod, `Usage of local storage can not be measured: ${error.message}. `);
        else if (!this.#stop.signal.aborted) log.warn({ error, pod: name }, 'storage not measured');
      })
      .finally(() => this.#measuring.delete(uid));
    this.#measuring.set(uid, measured);
  }

  async #checkStorage(pod: Pod, stats: readonly ContainerStats[]): Promise<void> {
    const message = judgeStorage(pod, await this.#measure(pod, stats));
    if (message !== undefined) this.#evict(pod, message);
  }

  #measure(pod: Pod, stats: readonly ContainerStats[]): Promise<StorageUse> {
    const { gate, clock, podDirectory, logsRoot } = this.#options;
    const layers = new Map(ofPod(stats, pod).map((s) => [s.attributes.metadata.name, s.writableLayer?.usedBytes?.value ?? 0]));
    const places = { podDirectory: podDirectory(pod.metadata.uid), logs: podLogsDirectory(logsRoot, pod), layers };
    return measurePod(pod, places, { gate, clock, signal: this.#stop.signal });
  }

  #relieve(uses: readonly PodUse[], supply: Supply): Pod | undefined {
    const plan = planEviction(uses, supply);
    if (plan) this.#evict(plan.pod, plan.message, true);
    return plan?.pod;
  }

  #evict(pod: Pod, message: string, disruption = false): void {
    this.#options.events.event(pod, 'Warning', 'Evicted', message);
    this.#options.evict(pod, { reason: 'Evicted', message, graceSeconds, disruption });
  }
}

const ofPod = (stats: readonly ContainerStats[], { metadata }: Pod): readonly ContainerStats[] =>
  stats.filter((s) => s.attributes.labels[podLabels.podUid] === metadata.uid);

/** Working sets. */
const memoryUses = (pods: readonly Pod[], stats: readonly ContainerStats[]): readonly PodUse[] =>
  pods.map((pod) => {
    const containers = new Map(ofPod(stats, pod).map((s) => [s.attributes.metadata.name, s.memory?.workingSetBytes?.value ?? 0]));
    return { pod, totalBytes: [...containers.values()].reduce((a, b) => a + b, 0), containers };
  });

/** Format: proc(5), meminfo. */
async function readAvailableMemory(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8');
  return Number(/^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1] ?? Number.POSITIVE_INFINITY) * 1024;
}
