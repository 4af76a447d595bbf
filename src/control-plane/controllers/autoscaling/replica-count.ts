/**
 * How many replicas a metric asks for. Pure. Values are thousandths, as whole numbers.
 *
 * A pod without a measurement counts against the change that the others ask for: as idle going up, as busy going down.
 * Upstream: pkg/controller/podautoscaler/replica_calculator.go, metrics/utilization.go.
 */
import type { Pod } from '../../../api/generated/core-v1.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { quantityMilliValue } from '../../../api/meta/quantity.ts';
import { parseTime } from '../../../api/meta/time.ts';
import { own } from '../../../api/meta/words.ts';
import { isPodLevel, isSidecar, podResources } from '../../../api/predicates/pod-resources.ts';
import { isPodReady } from '../../../api/predicates/pod-state.ts';

/** By how much more or less than the target nothing is done, as a share of it. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

export interface Measurement {
  readonly milli: number;
  readonly atMs: number;
  readonly windowMs: number;
}
/** by the pod's name */
export type Measurements = ReadonlyMap<string, Measurement>;

export interface Count {
  readonly replicas: number;
  /** average of the pods that count, thousandths; of `byTotal` the whole */
  readonly usage: number;
  /** of what they ask for, percent */
  readonly utilization?: number | undefined;
}

export interface Scaled {
  readonly pods: readonly Pod[];
  readonly measured: Measurements;
  /** in the target's spec */
  readonly current: number;
  readonly tolerances: Tolerances;
  readonly nowMs: number;
}

/** Upstream's defaults: --horizontal-pod-autoscaler-cpu-initialization-period, -initial-readiness-delay. */
const initializationMs = 300_000;
const readinessDelayMs = 30_000;
const int32Max = 2 ** 31 - 1;

const isWithin = (ratio: number, { up, down }: Tolerances): boolean => 1 - down <= ratio && ratio <= 1 + up;

export interface ByUtilization extends Scaled {
  readonly resource: string;
  /** of this one alone */
  readonly container?: string | undefined;
  /** percent of what the pods ask for */
  readonly target: number;
}

/** Throws for pods that ask for nothing, and when nothing was measured. */
export function countByUtilization(input: ByUtilization): Count {
  const { pods, resource, container, target } = input;
  const groups = groupPods(input, resource);
  const requests = new Map(pods.map((pod) => [pod.metadata.name, requestOf(pod, resource, container)]));
  const utilizationOf = (usage: ReadonlyMap<string, number>): { ratio: number; utilization: number; average: number } => {
    const known = [...usage].filter(([name]) => requests.has(name));
    const [used, asked] = [sum(known.map(([, milli]) => milli)), sum(known.map(([name]) => requests.get(name) ?? 0))];
    if (asked === 0n) throw new Error('no metrics returned matched known pods');
    const utilization = Number((used * 100n) / asked);
    return { ratio: utilization / target, utilization, average: Number(used / BigInt(known.length)) };
  };
  const { utilization, average } = utilizationOf(groups.usage);
  const replicas = countBy(input, groups, {
    ratioOf: (usage) => utilizationOf(usage).ratio,
    whenMissing: (name) => Math.trunc(((requests.get(name) ?? 0) * Math.max(100, target)) / 100),
  });
  return { replicas, usage: average, utilization };
}

export interface ByAverage extends Scaled {
  /** measured of what; absent: a metric of somebody else's */
  readonly resource?: string | undefined;
  /** per pod, thousandths */
  readonly target: number;
}

/** Throws when nothing was measured. */
export function countByAverage(input: ByAverage): Count {
  const groups = groupPods(input, input.resource);
  const averageOf = (usage: ReadonlyMap<string, number>): number => Number(sum(usage.values()) / BigInt(usage.size));
  const replicas = countBy(input, groups, { ratioOf: (usage) => averageOf(usage) / input.target, whenMissing: () => input.target });
  return { replicas, usage: averageOf(groups.usage) };
}

/** Of one value for all of them: an object's, or an external one. At no replicas there is nobody whose readiness counts. */
export function countByTotal({ pods, current, tolerances, usage, target }: Omit<Scaled, 'measured' | 'nowMs'> & ByTotal): Count {
  const ratio = usage / target;
  if (current === 0) return { replicas: Math.ceil(ratio), usage };
  if (isWithin(ratio, tolerances)) return { replicas: current, usage };
  checkPods(pods);
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod)).length;
  return { replicas: Math.min(int32Max, Math.ceil(ratio * ready)), usage };
}

interface ByTotal {
  readonly usage: number;
  readonly target: number;
}

/** The same, shared among those that there are. */
export function countByShare({
  there,
  tolerances,
  usage,
  target,
}: ByTotal & { readonly there: number; readonly tolerances: Tolerances }): Count {
  const isFine = isWithin(usage / (target * there), tolerances);
  return {
    replicas: isFine ? there : Math.min(int32Max, Math.ceil(usage / target)),
    usage: there === 0 ? usage : Math.ceil(usage / there),
  };
}

interface Groups {
  /** of those that count */
  readonly usage: ReadonlyMap<string, number>;
  readonly ready: number;
  readonly unready: readonly string[];
  readonly missing: readonly string[];
}

interface Rule {
  ratioOf(usage: ReadonlyMap<string, number>): number;
  whenMissing(name: string): number;
}

function countBy({ current, tolerances }: Scaled, { usage, ready, unready, missing }: Groups, { ratioOf, whenMissing }: Rule): number {
  const ratio = ratioOf(usage);
  const waitsForUnready = unready.length > 0 && ratio > 1;
  if (!waitsForUnready && missing.length === 0) return isWithin(ratio, tolerances) ? current : Math.ceil(ratio * ready);
  const all = new Map(usage);
  if (ratio !== 1) for (const name of missing) all.set(name, ratio < 1 ? whenMissing(name) : 0);
  if (waitsForUnready) for (const name of unready) all.set(name, 0);
  const cautious = ratioOf(all);
  if (isWithin(cautious, tolerances) || turns(ratio, cautious)) return current;
  const replicas = Math.ceil(cautious * all.size);
  return (cautious < 1 && replicas > current) || (cautious > 1 && replicas < current) ? current : replicas;
}

const turns = (a: number, b: number): boolean => (a < 1 && b > 1) || (a > 1 && b < 1);

function checkPods(pods: readonly Pod[]): void {
  if (pods.length === 0) throw new Error('no pods returned by selector while calculating replica count');
}

function groupPods({ pods, measured, nowMs }: Scaled, resource: string | undefined): Groups {
  checkPods(pods);
  const usage = new Map([...measured].map(([name, { milli }]) => [name, milli]));
  const [unready, missing]: [string[], string[]] = [[], []];
  let ready = 0;
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata;
    const measurement = measured.get(name);
    if (deletionTimestamp !== undefined || pod.status?.phase === 'Failed') usage.delete(name);
    else if (pod.status?.phase === 'Pending' || (measurement && resource === 'cpu' && isStarting(pod, measurement, nowMs))) {
      usage.delete(name);
      unready.push(name);
    } else if (!measurement) missing.push(name);
    else ready++;
  }
  if (usage.size === 0) throw new Error('did not receive metrics for targeted pods (pods might be unready)');
  return { usage, ready, unready, missing };
}

/** Its processor time tells of its start, not of its load. */
function isStarting({ status }: Pod, { atMs, windowMs }: Measurement, nowMs: number): boolean {
  const ready = findCondition(status?.conditions, 'Ready');
  const startedMs = status?.startTime === undefined ? undefined : parseTime(status.startTime);
  if (!ready || startedMs === undefined) return true;
  const turnedMs = parseTime(ready.lastTransitionTime ?? '') ?? 0;
  if (startedMs + initializationMs > nowMs) return ready.status === 'False' || atMs < turnedMs + windowMs;
  return ready.status === 'False' && startedMs + readinessDelayMs > turnedMs;
}

function requestOf(pod: Pod, resource: string, container: string | undefined): number {
  const { spec, metadata } = pod;
  const ofPod = spec.resources?.requests ?? {};
  if (container === undefined && Object.keys(ofPod).some(isPodLevel)) {
    const request = own(podResources(spec, 'requests', { withOverhead: false }), resource);
    if (request === undefined) throw new Error(`missing pod-level request for ${resource} in Pod ${metadata.name}`);
    return quantityMilliValue(request);
  }
  const all = [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)];
  const counted = container === undefined ? all : all.filter(({ name }) => name === container);
  if (counted.length === 0) throw new Error(`container ${container} not found in Pod ${metadata.name}`);
  return counted.reduce((total, { name, resources }) => {
    const request = own(resources?.requests ?? {}, resource);
    if (request === undefined) throw new Error(`missing request for ${resource} in container ${name} of Pod ${metadata.name}`);
    return total + quantityMilliValue(request);
  }, 0);
}

/** Exactly: bytes in thousandths leave what doubles hold. */
function sum(values: Iterable<number>): bigint {
  let total = 0n;
  for (const value of values) total += BigInt(value);
  return total;
}
