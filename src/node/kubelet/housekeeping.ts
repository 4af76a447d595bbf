/**
 * What a node with real containers looks after every ten seconds: logs that grew, disks and memory that run out.
 * The machine's disk is shared with everything else that lives on it, so neither its filling up ends pods, nor are
 * images collected.
 * Upstream: pkg/kubelet/eviction/eviction_manager.go, logs/container_log_manager.go.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../api/generated/core-v1.ts';
import type { Clock, Timer } from '../../client/clock.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Log } from '../../client/log.ts';
import type { FileGate } from '../files/file-gate.ts';
import { WalkTooLargeError } from '../files/walk.ts';
import { type ContainerRuntime, podLabels } from '../runtime/container-runtime.ts';
import type { ContainerStats } from '../runtime/cri-types.ts';
import { bareContainerID } from './container-id.ts';
import { rotateLog } from './log-rotation.ts';
import { memoryAvailableBytesMin, planMemoryEviction } from './memory-pressure.ts';
import type { Eviction } from './pod-worker.ts';
import { podLogsDirectory } from './sandbox-config.ts';
import { hasLimit, judgeStorage, limitedEmptyDirs, measureDirectory } from './storage-limits.ts';
import type { TimerWheel } from './timer-wheel.ts';

export interface HousekeepingOptions {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly events: EventRecorder;
  readonly log: Log;
  readonly logsRoot: string;
  readonly gate: FileGate;
  /** that run on this node, with their computed status */
  pods(): readonly Pod[];
  podDirectory(podUID: string): string;
  evict(pod: Pod, eviction: Eviction): void;
  /** The condition of the node changed. */
  onPressure(): void;
}

const periodMs = 10_000;
/** The condition stays that long after there is memory again. */
const calmMs = 300_000;
const graceSeconds = 1;

export class Housekeeping implements AsyncDisposable {
  readonly #options: HousekeepingOptions;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  readonly #stop = new AbortController();
  /** by pod: a big one takes its time, and holds up nobody else */
  readonly #measuring = new Map<string, Promise<void>>();
  #lowMemoryAtMs: number | undefined;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#arm();
  }

  get memoryPressure(): boolean {
    return this.#lowMemoryAtMs !== undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#timer?.cancel();
    await this.#running;
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

  async #lookAround(): Promise<void> {
    const pods = this.#options.pods();
    for (const pod of pods) await this.#rotateLogs(pod);
    const limited = pods.filter((p) => hasLimit(p) || limitedEmptyDirs(p).length > 0);
    const availableBytes = await readAvailableMemory();
    const low = availableBytes < memoryAvailableBytesMin;
    this.#notePressure(low);
    if (limited.length === 0 && !low) return;
    const stats = await this.#options.runtime.listContainerStats();
    for (const pod of limited) this.#beginMeasuring(pod, stats);
    if (low) this.#relieveMemory(pods, stats, availableBytes);
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

  #notePressure(low: boolean): void {
    const nowMs = this.#options.clock.now();
    const before = this.memoryPressure;
    if (low) this.#lowMemoryAtMs = nowMs;
    else if (this.#lowMemoryAtMs !== undefined && nowMs - this.#lowMemoryAtMs >= calmMs) this.#lowMemoryAtMs = undefined;
    if (before !== this.memoryPressure) this.#options.onPressure();
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
    const { gate, clock } = this.#options;
    const measuring = { gate, clock, signal: this.#stop.signal };
    const { uid } = pod.metadata;
    const volumes = join(this.#options.podDirectory(uid), 'volumes', 'kubernetes.io~empty-dir');
    const emptyDirBytes = new Map<string, number>();
    for (const name of limitedEmptyDirs(pod)) emptyDirBytes.set(name, await measureDirectory(join(volumes, name), measuring));
    const logs = podLogsDirectory(this.#options.logsRoot, pod);
    const containerBytes = new Map<string, number>();
    for (const { attributes, writableLayer } of stats.filter((s) => s.attributes.labels[podLabels.podUid] === uid)) {
      const { name } = attributes.metadata;
      const logBytes = hasLimit(pod) ? await measureDirectory(join(logs, name), measuring) : 0;
      containerBytes.set(name, (writableLayer?.usedBytes?.value ?? 0) + logBytes);
    }
    const message = judgeStorage(pod, { emptyDirBytes, containerBytes });
    if (message !== undefined) this.#evict(pod, message);
  }

  #relieveMemory(pods: readonly Pod[], stats: readonly ContainerStats[], availableBytes: number): void {
    const uses = pods.map((pod) => ({
      pod,
      containers: new Map(
        stats
          .filter((s) => s.attributes.labels[podLabels.podUid] === pod.metadata.uid)
          .map((s) => [s.attributes.metadata.name, s.memory?.workingSetBytes?.value ?? 0]),
      ),
    }));
    const plan = planMemoryEviction(uses, availableBytes);
    if (plan) this.#evict(plan.pod, plan.message, true);
  }

  #evict(pod: Pod, message: string, disruption = false): void {
    this.#options.events.event(pod, 'Warning', 'Evicted', message);
    this.#options.evict(pod, { reason: 'Evicted', message, graceSeconds, ...(disruption && { disruption }) });
  }
}

/** Format: proc(5), meminfo. */
async function readAvailableMemory(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8');
  return Number(/^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1] ?? Number.POSITIVE_INFINITY) * 1024;
}
