/**
 * /stats/summary: what the node, its pods and their containers use.
 * Upstream: pkg/kubelet/server/stats/summary.go, k8s.io/kubelet/pkg/apis/stats/v1alpha1/types.go.
 */
import { readFileSync } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import type { Pod } from '../../../api/generated/core-v1.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { Clock } from '../../../client/clock.ts';
import { type ContainerRuntime, podLabels, type Usage } from '../../runtime/container-runtime.ts';
import type * as cri from '../../runtime/cri-types.ts';

export interface CPUStats {
  readonly time: string;
  readonly usageNanoCores?: number;
  readonly usageCoreNanoSeconds?: number;
}
export interface MemoryStats {
  readonly time: string;
  readonly availableBytes?: number;
  readonly usageBytes?: number;
  readonly workingSetBytes?: number;
  readonly rssBytes?: number;
  readonly pageFaults?: number;
  readonly majorPageFaults?: number;
}
export interface ContainerSummary {
  readonly name: string;
  readonly startTime: string;
  readonly cpu?: CPUStats;
  readonly memory?: MemoryStats;
  readonly rootfs?: { readonly time: string; readonly usedBytes?: number; readonly inodesUsed?: number };
}
export interface VolumeStats {
  readonly name: string;
  readonly pvcRef?: { readonly name: string; readonly namespace: string };
  readonly time: string;
  readonly availableBytes: number;
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly inodesFree: number;
  readonly inodes: number;
  readonly inodesUsed: number;
}

export interface PodStats {
  readonly podRef: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly startTime: string;
  readonly containers: readonly ContainerSummary[];
  readonly cpu?: CPUStats;
  readonly memory?: MemoryStats;
  readonly network?: unknown;
  readonly volume?: readonly VolumeStats[];
}
export interface Summary {
  readonly node: {
    readonly nodeName: string;
    readonly startTime: string;
    readonly cpu?: CPUStats;
    readonly memory?: MemoryStats;
    readonly fs?: unknown;
  };
  readonly pods: readonly PodStats[];
}

export interface StatsInput {
  readonly runtime: ContainerRuntime;
  readonly nodeName: string;
  readonly nodeStartedMs: number;
  readonly dataDir: string;
  readonly pods: readonly Pod[];
  readonly clock: Pick<Clock, 'now'>;
  /** how much processor a container uses now, where the runtime only counts */
  readonly rates: CPURates;
}

/** Rates from two readings of a counter, as far apart as the questions. */
export class CPURates {
  readonly #last = new Map<string, { readonly atNs: number; readonly total: number; readonly rate: number | undefined }>();

  rate(id: string, atNs: number, total: number): number | undefined {
    const last = this.#last.get(id);
    if (last && atNs <= last.atNs) return last.rate;
    const rate = last ? Math.max(0, Math.round(((total - last.total) / (atNs - last.atNs)) * 1e9)) : undefined;
    this.#last.set(id, { atNs, total, rate });
    return rate;
  }

  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#last.keys()) if (!ids.has(id)) this.#last.delete(id);
  }
}

export async function summarize(input: StatsInput): Promise<Summary> {
  const { runtime, nodeName, nodeStartedMs, pods, rates } = input;
  const stats = (await runtime.listContainerStats()).filter(isMeasured);
  rates.keep(new Set([...stats.map((s) => s.attributes.id), nodeID]));
  const byPod = new Map<string, cri.ContainerStats[]>();
  for (const s of stats) {
    const uid = s.attributes.labels[podLabels.podUid];
    if (uid !== undefined) byPod.set(uid, [...(byPod.get(uid) ?? []), s]);
  }
  const podStats = pods.filter((p) => byPod.has(p.metadata.uid)).map((p) => describePod(p, byPod.get(p.metadata.uid) ?? [], rates));
  const node = runtime.simulation ? describeSimulated(runtime.simulation.usage()) : await machineStats(input);
  return { node: { nodeName, startTime: formatTime(nodeStartedMs), ...node }, pods: podStats };
}

/** Some runtimes list containers that have ended, too, of which there is nothing to say. Upstream: removeTerminatedContainers. */
const isMeasured = ({ cpu, memory }: cri.ContainerStats): boolean => !!(cpu ?? memory);

/** To the millisecond, where upstream has whole seconds: whoever takes a rate between two readings divides by what lies between. */
const timeOf = (ns: number): string => new Date(Math.round(ns / 1e6)).toISOString(); // nanoseconds are more than a double holds

function describePod(pod: Pod, containers: readonly cri.ContainerStats[], rates: CPURates): PodStats {
  const { name, namespace, uid } = pod.metadata;
  const described = containers.map((c) => describeContainer(pod, c, rates));
  return {
    podRef: { name, namespace, uid },
    startTime: pod.status.startTime ?? '',
    containers: described,
    ...sumOf(described),
  };
}

function describeContainer(pod: Pod, { attributes, cpu, memory, writableLayer }: cri.ContainerStats, rates: CPURates): ContainerSummary {
  const { name } = attributes.metadata;
  const started = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])].find((s) => s.name === name)?.state
    ?.running?.startedAt;
  const total = cpu?.usageCoreNanoSeconds?.value;
  const rate = cpu && total !== undefined ? (cpu.usageNanoCores?.value ?? rates.rate(attributes.id, cpu.timestamp, total)) : undefined;
  return {
    name,
    startTime: started ?? '',
    ...(cpu && {
      cpu: {
        time: timeOf(cpu.timestamp),
        ...(rate !== undefined && { usageNanoCores: rate }),
        ...(total !== undefined && { usageCoreNanoSeconds: total }),
      },
    }),
    ...(memory && { memory: describeMemory(memory) }),
    ...(writableLayer && {
      rootfs: {
        time: timeOf(writableLayer.timestamp),
        ...(writableLayer.usedBytes && { usedBytes: writableLayer.usedBytes.value }),
        ...(writableLayer.inodesUsed && { inodesUsed: writableLayer.inodesUsed.value }),
      },
    }),
  };
}

function describeMemory(memory: NonNullable<cri.ContainerStats['memory']>): MemoryStats {
  const { timestamp, availableBytes, usageBytes, workingSetBytes, rssBytes, pageFaults, majorPageFaults } = memory;
  return {
    time: timeOf(timestamp),
    ...(availableBytes && { availableBytes: availableBytes.value }),
    ...(usageBytes && { usageBytes: usageBytes.value }),
    ...(workingSetBytes && { workingSetBytes: workingSetBytes.value }),
    ...(rssBytes && { rssBytes: rssBytes.value }),
    ...(pageFaults && { pageFaults: pageFaults.value }),
    ...(majorPageFaults && { majorPageFaults: majorPageFaults.value }),
  };
}

function sumOf(parts: readonly { readonly cpu?: CPUStats; readonly memory?: MemoryStats }[]): { cpu?: CPUStats; memory?: MemoryStats } {
  const sum = (of: (part: { readonly cpu?: CPUStats; readonly memory?: MemoryStats }) => number | undefined): number =>
    parts.reduce((total, part) => total + (of(part) ?? 0), 0);
  const time = parts[0]?.cpu?.time;
  if (time === undefined) return {};
  return {
    cpu: { time, usageNanoCores: sum((p) => p.cpu?.usageNanoCores), usageCoreNanoSeconds: sum((p) => p.cpu?.usageCoreNanoSeconds) },
    memory: { time, usageBytes: sum((p) => p.memory?.usageBytes), workingSetBytes: sum((p) => p.memory?.workingSetBytes) },
  };
}

function describeSimulated({ atMs, cpuCores, cpuCoreSeconds, memoryBytes }: Usage): { cpu: CPUStats; memory: MemoryStats } {
  const time = timeOf(atMs * 1e6);
  return {
    cpu: { time, usageNanoCores: Math.round(cpuCores * 1e9), usageCoreNanoSeconds: Math.round(cpuCoreSeconds * 1e9) },
    memory: { time, usageBytes: memoryBytes, workingSetBytes: memoryBytes },
  };
}

const nodeID = 'node';
const ticksPerSecond = 100;

/** The machine's own counters. Format: proc(5), stat and meminfo. */
async function machineStats({ clock, rates, dataDir }: StatsInput): Promise<{ cpu: CPUStats; memory: MemoryStats; fs?: unknown }> {
  const stat = readFileSync('/proc/stat', 'utf8'); // at once: the time of a reading is half of it
  const nowMs = clock.now();
  const [meminfo, disk] = await Promise.all([readFile('/proc/meminfo', 'utf8'), statfs(dataDir).catch(() => undefined)]);
  const time = timeOf(nowMs * 1e6);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (/^cpu\s+(.*)$/m.exec(stat)?.[1] ?? '')
    .split(/\s+/)
    .map(Number);
  const total = ((user + nice + system + irq + softirq + steal) / ticksPerSecond) * 1e9;
  const rate = rates.rate(nodeID, nowMs * 1e6, total);
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
  const availableBytes = field('MemAvailable');
  const usageBytes = totalmem() - field('MemFree');
  return {
    cpu: { time, ...(rate !== undefined && { usageNanoCores: rate }), usageCoreNanoSeconds: total },
    memory: { time, availableBytes, usageBytes, workingSetBytes: Math.max(0, totalmem() - availableBytes), rssBytes: field('AnonPages') },
    ...(disk && {
      fs: {
        time,
        availableBytes: disk.bavail * disk.bsize,
        capacityBytes: disk.blocks * disk.bsize,
        usedBytes: (disk.blocks - disk.bfree) * disk.bsize,
        inodesFree: disk.ffree,
        inodes: disk.files,
        inodesUsed: disk.files - disk.ffree,
      },
    }),
  };
}
