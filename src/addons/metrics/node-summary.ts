/**
 * What a kubelet's /stats/summary says, as points of measurement. What is not complete is left out: a pod of which one
 * container has used no processor time or no memory yet. A container of which nothing is said has ended, or not begun.
 * Upstream: metrics-server's pkg/scraper/client/resource/decode.go (by the same measure, of another page).
 */
import type { ObjectKey } from '../../api/meta/object.ts';

/** The part of the page that is read. Upstream: k8s.io/kubelet/pkg/apis/stats/v1alpha1. */
export interface Summary {
  readonly node: Measured;
  readonly pods: readonly {
    readonly podRef: { readonly name: string; readonly namespace: string };
    readonly containers: readonly (Measured & { readonly name: string })[];
  }[];
}

interface Measured {
  readonly startTime: string;
  readonly cpu?: { readonly time: string; readonly usageCoreNanoSeconds?: number };
  readonly memory?: { readonly workingSetBytes?: number };
}

export interface Point {
  /** when it began to count */
  readonly startMs: number;
  readonly atMs: number;
  readonly cpuNanoSeconds: number;
  readonly memoryBytes: number;
}

export interface Reading {
  readonly node: Point | undefined;
  /** of each its containers, by name */
  readonly pods: ReadonlyMap<ObjectKey, ReadonlyMap<string, Point>>;
}

export function readSummary({ node, pods }: Summary): Reading {
  const found = new Map<ObjectKey, ReadonlyMap<string, Point>>();
  for (const { podRef, containers } of pods) {
    const points = new Map<string, Point>();
    const measured = containers.filter(({ cpu, memory }) => cpu || memory);
    for (const container of measured) {
      const point = pointOf(container);
      if (point) points.set(container.name, point);
    }
    if (points.size > 0 && points.size === measured.length) found.set(`${podRef.namespace}/${podRef.name}`, points);
  }
  return { node: pointOf(node), pods: found };
}

function pointOf({ startTime, cpu, memory }: Measured): Point | undefined {
  const [cpuNanoSeconds, memoryBytes] = [cpu?.usageCoreNanoSeconds, memory?.workingSetBytes];
  if (!cpu || !cpuNanoSeconds || !memoryBytes) return undefined;
  const startMs = Date.parse(startTime);
  return { startMs: Number.isNaN(startMs) ? 0 : startMs, atMs: Date.parse(cpu.time), cpuNanoSeconds, memoryBytes };
}
