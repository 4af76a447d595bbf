/**
 * The last two readings of all nodes, and what was used between them. Of what began between the two, and of what was not
 * there for both, nothing is known yet; but that of a container that has run for ten seconds or more, and for less than
 * lies between two readings, all is known from its start.
 * Upstream: metrics-server's pkg/storage.
 */
import type { ContainerMetrics } from '../../api/generated/metrics-v1beta1.ts';
import type { ObjectKey } from '../../api/meta/object.ts';
import { formatQuantity } from '../../api/meta/quantity.ts';
import type { Point, Reading } from './node-summary.ts';

export interface Used {
  readonly atMs: number;
  readonly windowMs: number;
  readonly usage: ContainerMetrics['usage'];
}

export interface PodUsed extends Pick<Used, 'atMs' | 'windowMs'> {
  readonly containers: readonly ContainerMetrics[];
}

/** A container and a node have a point now, and one to compare it with, or none. */
interface Pair {
  readonly last: Point;
  readonly before: Point | undefined;
}

const freshMsMin = 10_000;

export class SampleStore {
  readonly #periodMs: number;
  #nodes = new Map<string, Pair>();
  #pods = new Map<ObjectKey, ReadonlyMap<string, Pair>>();

  /** Between two readings. */
  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  /** In place of the last reading of all nodes; what is not in it is forgotten. */
  put(readings: ReadonlyMap<string, Reading>): void {
    const nodes = new Map<string, Pair>();
    const pods = new Map<ObjectKey, ReadonlyMap<string, Pair>>();
    for (const [name, { node, pods: onNode }] of readings) {
      if (node) nodes.set(name, pairOf(node, this.#nodes.get(name)));
      for (const [key, containers] of onNode) {
        const known = this.#pods.get(key);
        pods.set(key, new Map([...containers].map(([each, point]) => [each, this.#containerPair(point, known?.get(each))])));
      }
    }
    this.#nodes = nodes;
    this.#pods = pods;
  }

  node(name: string): Used | undefined {
    const pair = this.#nodes.get(name);
    return pair && usedBetween(pair);
  }

  /** At the time of the container that was measured first. */
  pod(key: ObjectKey): PodUsed | undefined {
    const all = [...(this.#pods.get(key) ?? [])].map(([name, pair]) => ({ name, used: usedBetween(pair) }));
    const containers: ContainerMetrics[] = [];
    let first: Used | undefined;
    for (const { name, used } of all) {
      if (!used) return undefined;
      containers.push({ name, usage: used.usage });
      if (!first || used.atMs < first.atMs) first = used;
    }
    return first && { atMs: first.atMs, windowMs: first.windowMs, containers };
  }

  #containerPair(point: Point, known: Pair | undefined): Pair {
    const ranMs = point.atMs - point.startMs;
    if (ranMs >= freshMsMin && ranMs < this.#periodMs) return { last: point, before: { ...point, atMs: point.startMs, cpuNanoSeconds: 0 } };
    const isSame = known && point.startMs < known.last.atMs;
    return pairOf(point, isSame ? known : undefined);
  }
}

/** One that was read twice, at the same time, is compared with what it was compared with. */
function pairOf(last: Point, known: Pair | undefined): Pair {
  if (!known || last.atMs > known.last.atMs) return { last, before: known?.last };
  return { last, before: known.before && known.before.atMs < last.atMs ? known.before : undefined };
}

function usedBetween({ last, before }: Pair): Used | undefined {
  if (!before || last.startMs < before.startMs || last.cpuNanoSeconds < before.cpuNanoSeconds) return undefined;
  const windowMs = last.atMs - before.atMs;
  const nanoCores = Math.trunc((last.cpuNanoSeconds - before.cpuNanoSeconds) / (windowMs / 1000));
  return {
    atMs: last.atMs,
    windowMs,
    usage: {
      cpu: formatQuantity({ unscaled: BigInt(nanoCores), scale: -9, format: 'DecimalSI' }),
      memory: formatQuantity({ unscaled: BigInt(Math.trunc(last.memoryBytes)), scale: 0, format: 'BinarySI' }),
    },
  };
}
