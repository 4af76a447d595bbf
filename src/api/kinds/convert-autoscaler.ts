/**
 * HorizontalPodAutoscalers are stored as autoscaling/v2. autoscaling/v1 knows only the CPU target; everything else of v2
 * it carries in annotations, which vanish again on the way back.
 * Upstream: pkg/apis/autoscaling/v1/conversion.go, pkg/apis/autoscaling/annotations.go.
 */
import type { HorizontalPodAutoscaler as V1 } from '../generated/autoscaling-v1.ts';
import type { MetricSpec, MetricStatus, HorizontalPodAutoscaler as V2 } from '../generated/autoscaling-v2.ts';
import type { VersionConversion } from '../meta/kind.ts';
import type { KubeObject } from '../meta/object.ts';

type Json = Readonly<Record<string, unknown>>;

const prefix = 'autoscaling.alpha.kubernetes.io/';
const metricsAnnotation = `${prefix}metrics`;
const currentMetricsAnnotation = `${prefix}current-metrics`;
const conditionsAnnotation = `${prefix}conditions`;
const behaviorAnnotation = `${prefix}behavior`;
const carried: ReadonlySet<string> = new Set([
  metricsAnnotation,
  currentMetricsAnnotation,
  conditionsAnnotation,
  behaviorAnnotation,
  `${prefix}scale-down-tolerance`,
  `${prefix}scale-up-tolerance`,
]);

/** Percent of the requested CPU that v1 aims at when it is told nothing. */
const defaultCpuUtilization = 80;

/** Per type of metric: path in v2 to field in v1. `target` stands for `current` in statuses. */
const sourceFields: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  object: [
    ['describedObject', 'target'],
    ['metric.name', 'metricName'],
    ['metric.selector', 'selector'],
    ['target.value', 'targetValue'],
    ['target.averageValue', 'averageValue'],
  ],
  pods: [
    ['metric.name', 'metricName'],
    ['metric.selector', 'selector'],
    ['target.averageValue', 'targetAverageValue'],
  ],
  resource: [
    ['name', 'name'],
    ['target.averageUtilization', 'targetAverageUtilization'],
    ['target.averageValue', 'targetAverageValue'],
  ],
  containerResource: [
    ['name', 'name'],
    ['container', 'container'],
    ['target.averageUtilization', 'targetAverageUtilization'],
    ['target.averageValue', 'targetAverageValue'],
  ],
  external: [
    ['metric.name', 'metricName'],
    ['metric.selector', 'metricSelector'],
    ['target.value', 'targetValue'],
    ['target.averageValue', 'targetAverageValue'],
  ],
};

type Side = 'spec' | 'status';

function fieldsOf(source: string, side: Side): readonly (readonly [readonly string[], string])[] {
  return (sourceFields[source] ?? []).map(([path, name]) => {
    if (side === 'spec') return [path.split('.'), name];
    return [path.replace(/^target\./, 'current.').split('.'), name.replace(/^target(?=[A-Z])/, 'current')];
  });
}

const asJson = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {});

function toV1Metric(metric: MetricSpec | MetricStatus, side: Side): Json {
  const result: Record<string, unknown> = { type: metric.type };
  for (const source of Object.keys(sourceFields)) {
    const given = (metric as unknown as Json)[source];
    if (given === undefined) continue;
    const fields = fieldsOf(source, side).map(([[first = '', second], name]) => {
      const value = asJson(given)[first];
      return [name, second === undefined ? value : asJson(value)[second]] as const;
    });
    result[source] = Object.fromEntries(fields.filter(([, value]) => value !== undefined));
  }
  return result;
}

function fromV1Metric(metric: Json, side: Side): Json {
  const result: Record<string, unknown> = { type: metric['type'] };
  for (const source of Object.keys(sourceFields)) {
    const given = metric[source];
    if (given === undefined) continue;
    const made: Record<string, Record<string, unknown>> & Record<string, unknown> = {};
    for (const [[first = '', second], name] of fieldsOf(source, side)) {
      const value = asJson(given)[name];
      if (value === undefined) continue;
      if (second === undefined) made[first] = value as Record<string, unknown>;
      else made[first] = { ...asJson(made[first]), [second]: value };
    }
    if (side === 'spec') made['target'] = withTargetType(asJson(made['target']), source);
    result[source] = made;
  }
  return result;
}

/** v2 says which of the values counts. */
function withTargetType(target: Json, source: string): Record<string, unknown> {
  if (target['averageUtilization'] !== undefined) return { type: 'Utilization', ...target };
  if (target['averageValue'] === undefined)
    return { type: source === 'object' || source === 'external' ? 'Value' : 'AverageValue', ...target };
  const { value: _, ...rest } = target;
  return { type: 'AverageValue', ...rest };
}

const isCpuUtilization = (metric: MetricSpec): boolean =>
  metric.type === 'Resource' && metric.resource?.name === 'cpu' && metric.resource.target.averageUtilization !== undefined;

const cpuMetric = (averageUtilization: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});

function withoutCarried(annotations: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !carried.has(key)));
}

/** Annotations that are malformed carry nothing. */
function parseCarried(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const parseList = (text: string | undefined): readonly Json[] | undefined => {
  const value = parseCarried(text);
  return Array.isArray(value) ? value.map(asJson) : undefined;
};

/** Upstream writes Go's names of fields here. */
function lowerKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.charAt(0).toLowerCase() + key.slice(1), lowerKeys(item)]));
}

function metadataWith(object: KubeObject, annotations: Record<string, string>): KubeObject['metadata'] {
  const { annotations: _, ...metadata } = object.metadata;
  return Object.keys(annotations).length ? { ...metadata, annotations } : metadata;
}

function toV2(object: V1): V2 {
  const { annotations = {} } = object.metadata;
  const { targetCPUUtilizationPercentage: target, ...spec } = object.spec;
  const { currentCPUUtilizationPercentage: current, ...status } = object.status ?? {};
  const metrics = [
    ...(parseList(annotations[metricsAnnotation]) ?? []).map((m) => fromV1Metric(m, 'spec') as unknown as MetricSpec),
    ...(target !== undefined ? [cpuMetric(target)] : []),
  ];
  const behavior = asJson(lowerKeys(parseCarried(annotations[behaviorAnnotation])));
  const currentMetrics =
    parseList(annotations[currentMetricsAnnotation])?.map((m) => fromV1Metric(m, 'status')) ??
    (current !== undefined ? [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } }] : undefined);
  const conditions = parseList(annotations[conditionsAnnotation]);
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: metadataWith(object, withoutCarried(annotations)),
    spec: {
      ...spec,
      metrics: metrics.length ? metrics : [cpuMetric(defaultCpuUtilization)],
      ...(Object.keys(behavior).length && { behavior }),
    },
    status: { ...status, ...(currentMetrics && { currentMetrics }), ...(conditions && { conditions }) },
  } as unknown as V2;
}

function toV1(object: V2): V1 {
  const { metrics = [], behavior, ...spec } = object.spec;
  const { currentMetrics = [], conditions = [], ...status } = object.status ?? {};
  const target = metrics.find(isCpuUtilization)?.resource?.target.averageUtilization;
  const current = currentMetrics.findLast((m) => m.type === 'Resource' && m.resource?.name === 'cpu')?.resource?.current.averageUtilization;
  const others = metrics.filter((m) => !isCpuUtilization(m));
  const annotations = {
    ...withoutCarried(object.metadata.annotations),
    ...(others.length && { [metricsAnnotation]: JSON.stringify(others.map((m) => toV1Metric(m, 'spec'))) }),
    ...(currentMetrics.length && { [currentMetricsAnnotation]: JSON.stringify(currentMetrics.map((m) => toV1Metric(m, 'status'))) }),
    ...(behavior && { [behaviorAnnotation]: JSON.stringify(behavior) }),
    ...(conditions.length && { [conditionsAnnotation]: JSON.stringify(conditions) }),
  };
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: metadataWith(object, annotations),
    spec: { ...spec, ...(target !== undefined && { targetCPUUtilizationPercentage: target }) },
    status: { ...status, ...(current !== undefined && { currentCPUUtilizationPercentage: current }) },
  } as unknown as V1;
}

export const autoscalerConversion: VersionConversion = {
  toStorage: (object) => toV2(object as unknown as V1) as unknown as KubeObject,
  fromStorage: (stored) => toV1(stored as unknown as V2) as unknown as KubeObject,
};
