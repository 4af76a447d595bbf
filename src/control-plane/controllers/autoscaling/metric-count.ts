/** One metric of an autoscaler: what it measures now, how many replicas it asks for, and how both are told. */

import type {
  HorizontalPodAutoscaler,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '../../../api/generated/autoscaling-v2.ts';
import type { Pod } from '../../../api/generated/core-v1.ts';
import type { LabelSelector } from '../../../api/generated/meta-v1.ts';
import { formatQuantity, quantityMilliValue, quantityToNumber } from '../../../api/meta/quantity.ts';
import { LabelMatcher, labelMatcher } from '../../../api/meta/selectors.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import type { Client } from '../../../client/client.ts';
import type { Discovery } from '../../../client/transport/discovery.ts';
import { readExternal, readOfObject, readOfPods, readResource } from './metrics-reader.ts';
import { type Count, countByAverage, countByShare, countByTotal, countByUtilization, type Tolerances } from './replica-count.ts';

export interface MetricInput {
  readonly autoscaler: HorizontalPodAutoscaler;
  readonly client: Client;
  /** what is served */
  readonly discover: () => Promise<Discovery>;
  /** the target's */
  readonly pods: readonly Pod[];
  readonly selector: LabelMatcher;
  /** in the target's spec */
  readonly current: number;
  /** in its status */
  readonly there: number;
  readonly nowMs: number;
}

export interface MetricCount {
  readonly replicas: number;
  /** for people: `cpu resource utilization (percentage of request)` */
  readonly name: string;
  readonly status: MetricStatus;
}

/** Why a metric says nothing. `short` is what its condition and event say, the message what an error of all says. */
export class MetricError extends Error {
  override readonly name = 'MetricError';
  readonly reason: string;
  readonly short: string;
  constructor(reason: string, short: string, prefix: string) {
    super(`${prefix}: ${short}`);
    this.reason = reason;
    this.short = short;
  }
}

/** Upstream's --horizontal-pod-autoscaler-tolerance. */
const toleranceDefault = 0.1;

/** Throws MetricError. */
export async function countByMetric(spec: MetricSpec, input: MetricInput): Promise<MetricCount> {
  const { resource, containerResource, pods, object, external } = spec;
  if (resource) {
    const prefix = `failed to get ${resource.name} resource metric value`;
    return orFail('FailedGetResourceMetric', prefix, async () => {
      const { current, ...rest } = await ofResource(resource, input);
      return { ...rest, status: { type: spec.type, resource: { name: resource.name, current } } };
    });
  }
  if (containerResource) {
    const { name, container } = containerResource;
    return orFail('FailedGetContainerResourceMetric', `failed to get ${container} container metric value`, async () => {
      const { current, ...rest } = await ofResource(containerResource, input);
      return { ...rest, status: { type: spec.type, containerResource: { name, container, current } } };
    });
  }
  if (pods) return orFail('FailedGetPodsMetric', 'failed to get pods metric value', () => ofPods(pods, input));
  if (object) return orFail('FailedGetObjectMetric', 'failed to get object metric value', () => ofObject(object, input));
  if (external)
    return orFail('FailedGetExternalMetric', `failed to get ${external.metric.name} external metric value`, () =>
      ofExternal(external, input),
    );
  throw new MetricError('InvalidMetricSourceType', `unknown metric source type "${spec.type}"`, 'invalid metric');
}

async function orFail<T>(reason: string, prefix: string, count: () => Promise<T>): Promise<T> {
  try {
    return await count();
  } catch (error) {
    throw new MetricError(reason, messageOf(error), prefix);
  }
}

interface ResourceSource {
  readonly name: string;
  readonly container?: string;
  readonly target: MetricTarget;
}

async function ofResource(
  { name: resource, container, target }: ResourceSource,
  input: MetricInput,
): Promise<{ replicas: number; name: string; current: MetricValueStatus }> {
  const { averageValue, averageUtilization } = target;
  const { namespace } = input.autoscaler.metadata;
  const measure = () =>
    within(
      `unable to get metrics for resource ${resource}`,
      readResource(input.client, resource, { namespace, selector: input.selector, container }),
    );
  const quantity = (milli: number): string =>
    formatQuantity({ unscaled: BigInt(milli), scale: -3, format: resource === 'memory' ? 'BinarySI' : 'DecimalSI' });
  const common = { ...input, tolerances: tolerancesOf(input.autoscaler), resource };
  if (averageValue !== undefined) {
    const count = await within(`failed to get ${resource} usage`, async () =>
      countByAverage({ ...common, measured: await measure(), target: quantityMilliValue(averageValue) }),
    );
    return { replicas: count.replicas, name: `${resource} resource`, current: { averageValue: quantity(count.usage) } };
  }
  if (averageUtilization === undefined)
    throw new Error('invalid resource metric source: neither an average utilization target nor an average value (usage) target was set');
  const count = await within(`failed to get ${resource} utilization`, async () =>
    countByUtilization({ ...common, container, measured: await measure(), target: averageUtilization }),
  );
  return {
    replicas: count.replicas,
    name: `${resource} ${container === undefined ? '' : 'container '}resource utilization (percentage of request)`,
    current: { ...(count.utilization !== undefined && { averageUtilization: count.utilization }), averageValue: quantity(count.usage) },
  };
}

async function ofPods({ metric, target }: NonNullable<MetricSpec['pods']>, input: MetricInput): Promise<MetricCount> {
  const place = { namespace: input.autoscaler.metadata.namespace, selector: input.selector };
  const measured = await within(`unable to get metric ${metric.name}`, readOfPods(input.client, named(metric), place));
  const { replicas, usage } = countByAverage({
    ...input,
    tolerances: tolerancesOf(input.autoscaler),
    measured,
    target: quantityMilliValue(target.averageValue ?? 0),
  });
  return {
    replicas,
    name: `pods metric ${metric.name}`,
    status: { type: 'Pods', pods: { metric, current: { averageValue: decimal(usage) } } },
  };
}

async function ofObject({ metric, target, describedObject }: NonNullable<MetricSpec['object']>, input: MetricInput): Promise<MetricCount> {
  const { namespace } = input.autoscaler.metadata;
  const [isTotal, isAverage] = [
    target.type === 'Value' && target.value !== undefined,
    target.type === 'AverageValue' && target.averageValue !== undefined,
  ];
  if (!isTotal && !isAverage) throw new Error('invalid object metric source: neither a value target nor an average value target was set');
  const read = within(
    `unable to get metric ${metric.name}: ${describedObject.kind} on ${namespace} ${describedObject.name}/`,
    readOfObject(input, named(metric), { namespace, object: describedObject }),
  );
  const { replicas, current } = await ofTotal(isTotal ? read : within(`failed to get ${metric.name} object metric`, read), target, input);
  const name = isTotal ? `${describedObject.kind} metric ${metric.name}` : describeExternal(metric);
  return { replicas, name, status: { type: 'Object', object: { describedObject, metric, current } } };
}

async function ofExternal({ metric, target }: NonNullable<MetricSpec['external']>, input: MetricInput): Promise<MetricCount> {
  const { namespace } = input.autoscaler.metadata;
  if (target.value === undefined && target.averageValue === undefined)
    throw new Error('invalid external metric source: neither a value target nor an average value target was set');
  const read = within(
    `failed to get ${target.averageValue === undefined ? 'external metric ' : ''}${metric.name}${target.averageValue === undefined ? '' : ' external metric'}: unable to get external metric ${namespace}/${metric.name}/${describeSelector(metric.selector)}`,
    readExternal(input.client, named(metric), namespace),
  );
  const { replicas, current } = await ofTotal(read, target, input);
  return { replicas, name: describeExternal(metric), status: { type: 'External', external: { metric, current } } };
}

/** One value for all pods, or a share of it for each. */
async function ofTotal(
  read: Promise<number>,
  { value, averageValue }: MetricTarget,
  input: MetricInput,
): Promise<{ replicas: number; current: MetricValueStatus }> {
  const tolerances = tolerancesOf(input.autoscaler);
  const usage = await read;
  if (averageValue !== undefined) {
    const count: Count = countByShare({ usage, target: quantityMilliValue(averageValue), there: input.there, tolerances });
    return { replicas: count.replicas, current: { averageValue: decimal(count.usage) } };
  }
  const count = countByTotal({ ...input, usage, target: quantityMilliValue(value ?? 0), tolerances });
  return { replicas: count.replicas, current: { value: decimal(count.usage) } };
}

async function within<T>(what: string, work: Promise<T> | (() => Promise<T>)): Promise<T> {
  try {
    return await (typeof work === 'function' ? work() : work);
  } catch (error) {
    throw new Error(`${what}: ${messageOf(error)}`, { cause: error });
  }
}

const named = ({ name, selector }: MetricIdentifier) => ({ name, selector: selector ? labelMatcher(selector) : LabelMatcher.everything });
const decimal = (milli: number): string => formatQuantity({ unscaled: BigInt(Math.trunc(milli)), scale: -3, format: 'DecimalSI' });
const describeExternal = ({ name, selector }: MetricIdentifier): string => `external metric ${name}(${describeSelector(selector)})`;

/** As Go prints one. */
function describeSelector(selector: LabelSelector | undefined): string {
  if (!selector) return 'nil';
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}: ${value},`);
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${(values ?? []).join(' ')}],},`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join(' ')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`;
}

function tolerancesOf({ spec }: HorizontalPodAutoscaler): Tolerances {
  const of = (tolerance: string | undefined): number => (tolerance === undefined ? toleranceDefault : quantityToNumber(tolerance));
  return { up: of(spec.behavior?.scaleUp?.tolerance), down: of(spec.behavior?.scaleDown?.tolerance) };
}
