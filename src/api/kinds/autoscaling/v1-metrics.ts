/**
 * Metrics of an autoscaler as v1 has them, in annotations, with names of their own.
 * Upstream: pkg/apis/autoscaling/v1/conversion.go.
 */
import type { MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '../../generated/autoscaling-v2.ts';
import type { LabelSelector } from '../../generated/meta-v1.ts';

/** The fields of v1's metric sources and statuses, of whatever type. */
interface OldMetric {
  readonly target?: { readonly kind: string; readonly name: string; readonly apiVersion?: string };
  readonly metricName?: string;
  readonly selector?: LabelSelector;
  readonly metricSelector?: LabelSelector;
  readonly name?: string;
  readonly container?: string;
  readonly targetValue?: string;
  readonly averageValue?: string;
  readonly targetAverageValue?: string;
  readonly targetAverageUtilization?: number;
  readonly currentValue?: string;
  readonly currentAverageValue?: string;
  readonly currentAverageUtilization?: number;
}

type Source = 'object' | 'pods' | 'resource' | 'containerResource' | 'external';
export type OldMetrics = { readonly type: string } & { readonly [K in Source]?: OldMetric };

const sources: readonly Source[] = ['object', 'pods', 'resource', 'containerResource', 'external'];

/** Without the fields that are undefined. */
function present<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

function eachSource(metric: object, convert: (source: Source, value: never) => unknown): Record<string, unknown> {
  const given = metric as Readonly<Record<string, unknown>>;
  const converted = sources.filter((source) => given[source]).map((source) => [source, convert(source, given[source] as never)]);
  return { type: given['type'], ...Object.fromEntries(converted) };
}

type AnySource = NonNullable<MetricSpec['object']> & { readonly name: string; readonly container: string };
type AnyStatus = NonNullable<MetricStatus['object']> & { readonly name: string; readonly container: string };

export const specToV1 = (spec: MetricSpec): OldMetrics => eachSource(spec, sourceToV1) as OldMetrics;
export const specFromV1 = (old: OldMetrics): MetricSpec => eachSource(old, sourceFromV1) as unknown as MetricSpec;
export const statusToV1 = (status: MetricStatus): OldMetrics => eachSource(status, currentToV1) as OldMetrics;
export const statusFromV1 = (old: OldMetrics): MetricStatus => eachSource(old, currentFromV1) as unknown as MetricStatus;

function described({ describedObject: about }: { readonly describedObject?: OldMetric['target'] }): OldMetric['target'] {
  return about && present({ kind: about.kind, name: about.name, apiVersion: about.apiVersion as string });
}

function sourceToV1(source: Source, given: AnySource): OldMetric {
  const { metric, target, name, container } = given;
  const { value, averageValue, averageUtilization } = target;
  const shown = {
    object: {
      target: described(given),
      metricName: metric?.name,
      targetValue: value ?? '0',
      selector: metric?.selector,
      averageValue,
    },
    pods: { metricName: metric?.name, targetAverageValue: averageValue ?? '0', selector: metric?.selector },
    resource: { name, targetAverageUtilization: averageUtilization, targetAverageValue: averageValue },
    containerResource: { name, targetAverageUtilization: averageUtilization, targetAverageValue: averageValue, container },
    external: { metricName: metric?.name, metricSelector: metric?.selector, targetValue: value, targetAverageValue: averageValue },
  };
  return present(shown[source]) as OldMetric;
}

const isZero = (quantity: string | undefined): boolean => quantity === undefined || quantity === '0';
const identifier = (old: OldMetric): object => present({ name: old.metricName ?? '', selector: old.selector ?? old.metricSelector });

function sourceFromV1(source: Source, old: OldMetric): object {
  const target = present(targetFromV1(source, old));
  if (source === 'resource') return { name: old.name, target };
  if (source === 'containerResource') return { container: old.container, name: old.name, target };
  return { ...(source === 'object' && { describedObject: old.target }), metric: identifier(old), target };
}

function targetFromV1(source: Source, old: OldMetric): MetricTarget {
  const { targetValue, averageValue, targetAverageValue, targetAverageUtilization } = old;
  const target = (values: Partial<Record<keyof MetricTarget, unknown>>): MetricTarget => values as unknown as MetricTarget;
  if (source === 'object') {
    if (averageValue === undefined) return target({ type: 'Value', value: targetValue ?? '0' });
    return target({ type: 'AverageValue', averageValue, value: isZero(targetValue) ? undefined : targetValue });
  }
  if (source === 'pods') return target({ type: 'AverageValue', averageValue: targetAverageValue ?? '0' });
  if (source === 'external') {
    const type = targetValue === undefined ? 'AverageValue' : 'Value';
    return target({ type, value: targetValue, averageValue: targetAverageValue });
  }
  const type = targetAverageUtilization === undefined ? 'AverageValue' : 'Utilization';
  return target({ type, averageValue: targetAverageValue, averageUtilization: targetAverageUtilization });
}

function currentToV1(source: Source, status: AnyStatus): OldMetric {
  const { metric, current, name, container } = status;
  const { value, averageValue, averageUtilization } = current;
  const usage = { name, currentAverageUtilization: averageUtilization, currentAverageValue: averageValue ?? '0' };
  const shown = {
    object: {
      target: described(status),
      metricName: metric?.name,
      currentValue: value ?? '0',
      selector: metric?.selector,
      averageValue,
    },
    pods: { metricName: metric?.name, currentAverageValue: averageValue ?? '0', selector: metric?.selector },
    resource: usage,
    containerResource: { ...usage, container },
    external: {
      metricName: metric?.name,
      metricSelector: metric?.selector,
      currentValue: value ?? '0',
      currentAverageValue: averageValue,
    },
  };
  return present(shown[source]) as OldMetric;
}

function currentFromV1(source: Source, old: OldMetric): object {
  const { currentValue: value, currentAverageUtilization: averageUtilization } = old;
  const averageValue = old.currentAverageValue ?? old.averageValue;
  const current: MetricValueStatus = present({ averageUtilization, averageValue, value }) as MetricValueStatus;
  if (source === 'resource') return { current, name: old.name };
  if (source === 'containerResource') return { container: old.container, current, name: old.name };
  return { current, ...(source === 'object' && { describedObject: old.target }), metric: identifier(old) };
}
