/**
 * HorizontalPodAutoscaler in v1: a target for the CPU; everything else that v2 says is in annotations, while it is in
 * this version. Upstream: pkg/apis/autoscaling/v1/conversion.go.
 */

import type {
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerCondition,
  HPAScalingPolicy,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
} from '../../generated/autoscaling-v2.ts';
import { type HorizontalPodAutoscaler, HorizontalPodAutoscalerV1 } from '../../generated/kinds.ts';
import { own } from '../../meta/words.ts';
import { JsonSyntaxError, parseJSON } from '../../schema/json-scan.ts';
import { nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { omit } from '../set-defaults.ts';
import { defaultSpec, horizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
import { type OldMetrics, specFromV1, specToV1, statusFromV1, statusToV1 } from './v1-metrics.ts';

const prefix = 'autoscaling.alpha.kubernetes.io/';
const keys = {
  metrics: `${prefix}metrics`,
  currentMetrics: `${prefix}current-metrics`,
  conditions: `${prefix}conditions`,
  behavior: `${prefix}behavior`,
} as const;
const allKeys = [...Object.values(keys), `${prefix}scale-down-tolerance`, `${prefix}scale-up-tolerance`];
const statusKeys = [keys.currentMetrics, keys.conditions];

type Annotations = Readonly<Record<string, string>>;

const hooks = horizontalPodAutoscaler.hooks;

export const horizontalPodAutoscalerV1 = defineKind(HorizontalPodAutoscalerV1, {
  convert: { toStorage: toV2, fromStorage: (stored) => toV1(stored as HorizontalPodAutoscaler) },
  hooks: {
    prepareForCreate: (object) => ({
      ...withAnnotations(object, omit(object.metadata.annotations ?? {}, ...statusKeys)),
      status: { currentReplicas: 0, desiredReplicas: 0 },
    }),
    // what the annotations say of the status stays, too
    prepareForUpdate(object, old) {
      const kept = Object.entries(old.metadata.annotations ?? {}).filter(([key]) => statusKeys.some((known) => known === key));
      const others = omit(object.metadata.annotations ?? {}, ...statusKeys);
      return withAnnotations(object, { ...others, ...Object.fromEntries(kept) });
    },
    rules: (object, walk, old) => hooks.rules?.(toV2(object), walk, old && toV2(old)),
    statusRules: (object, walk, old) => hooks.statusRules?.(toV2(object), walk, old && toV2(old)),
    cells: (object, at) => hooks.cells?.(toV2(object), at) ?? nameAndAge(() => [])(object, at),
  },
});

function withAnnotations<T extends HorizontalPodAutoscaler | HorizontalPodAutoscalerV1>(object: T, annotations: Annotations): T {
  const metadata = omit(object.metadata, 'annotations');
  return { ...object, metadata: Object.keys(annotations).length ? { ...metadata, annotations } : metadata };
}

/** What an annotation says in JSON; undefined when it says nothing of that form. */
function readJson<T>(annotations: Annotations, key: string): T | undefined {
  const text = own(annotations, key);
  if (text === undefined) return undefined;
  try {
    const value: unknown = parseJSON(text);
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

const isCpuUsage = (metric: MetricSpec): boolean =>
  metric.type === 'Resource' && metric.resource?.name === 'cpu' && metric.resource.target.averageUtilization !== undefined;

function toV2(object: HorizontalPodAutoscalerV1): HorizontalPodAutoscaler {
  const { targetCPUUtilizationPercentage: percent, ...spec } = object.spec;
  const { currentCPUUtilizationPercentage: current, ...status } = object.status;
  const annotations = object.metadata.annotations ?? {};
  const list = <T>(key: string): readonly T[] | undefined => {
    const value = readJson<readonly T[]>(annotations, key);
    return Array.isArray(value) ? value : undefined;
  };
  const cpu: MetricSpec[] = [];
  if (percent !== undefined) {
    cpu.push({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } } });
  }
  const behavior = behaviorOf(readJson<object>(annotations, keys.behavior));
  const currentMetrics =
    list<OldMetrics>(keys.currentMetrics)?.map(statusFromV1) ??
    (current === undefined ? undefined : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } }]);
  const conditions = list<HorizontalPodAutoscalerCondition>(keys.conditions);
  return withAnnotations<HorizontalPodAutoscaler>(
    {
      ...object,
      apiVersion: 'autoscaling/v2',
      spec: defaultSpec({
        ...spec,
        metrics: [...(list<OldMetrics>(keys.metrics) ?? []).map(specFromV1), ...cpu],
        ...(behavior && { behavior }),
      }),
      status: { ...status, currentMetrics: currentMetrics ?? [], ...(conditions && { conditions }) },
    },
    omit(annotations, ...allKeys),
  );
}

function toV1(object: HorizontalPodAutoscaler): HorizontalPodAutoscalerV1 {
  const { metrics = [], behavior, ...spec } = object.spec;
  const { currentMetrics: metricsNow, conditions = [], currentReplicas = 0, ...status } = object.status;
  const percent = metrics.find(isCpuUsage)?.resource?.target.averageUtilization;
  const others = metrics.filter((metric) => !isCpuUsage(metric));
  const currentMetrics = metricsNow ?? [];
  const current = currentMetrics.findLast(isCpuStatus)?.resource?.current.averageUtilization;
  return withAnnotations<HorizontalPodAutoscalerV1>(
    {
      ...object,
      apiVersion: 'autoscaling/v1',
      spec: { ...spec, ...(percent !== undefined && { targetCPUUtilizationPercentage: percent }) },
      status: { ...status, currentReplicas, ...(current !== undefined && { currentCPUUtilizationPercentage: current }) },
    },
    {
      ...omit(object.metadata.annotations ?? {}, ...allKeys),
      ...(others.length && { [keys.metrics]: JSON.stringify(others.map(specToV1)) }),
      ...(currentMetrics.length && { [keys.currentMetrics]: JSON.stringify(currentMetrics.map(statusToV1)) }),
      ...(behavior && { [keys.behavior]: JSON.stringify(behaviorText(behavior)) }),
      ...(conditions.length && { [keys.conditions]: JSON.stringify(conditions.map(conditionText)) }),
    },
  );
}

const isCpuStatus = ({ type, resource }: MetricStatus): boolean =>
  type === 'Resource' && resource?.name === 'cpu' && resource.current.averageUtilization !== undefined;

/** In the order in which v1 has the fields. */
const conditionText = ({ type, status, lastTransitionTime, reason, message }: HorizontalPodAutoscalerCondition): object => ({
  type,
  status,
  lastTransitionTime: lastTransitionTime ?? null,
  ...(reason && { reason }),
  ...(message && { message }),
});

/** The annotation names fields in upstream's internal way: capitalized, with null for what is absent. */
function behaviorText({ scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior): object {
  const rulesText = (rules: HPAScalingRules | undefined): object | null =>
    rules
      ? {
          StabilizationWindowSeconds: rules.stabilizationWindowSeconds ?? null,
          SelectPolicy: rules.selectPolicy ?? null,
          Policies:
            rules.policies?.map(({ type, value, periodSeconds }) => ({ Type: type, Value: value, PeriodSeconds: periodSeconds })) ?? null,
          Tolerance: rules.tolerance ?? null,
        }
      : null;
  return { ScaleUp: rulesText(scaleUp), ScaleDown: rulesText(scaleDown) };
}

function behaviorOf(text: object | undefined): HorizontalPodAutoscalerBehavior | undefined {
  const { scaleUp, scaleDown } = lowered(text ?? {}) as { readonly scaleUp?: object; readonly scaleDown?: object };
  if (!scaleUp && !scaleDown) return undefined;
  const rulesOf = (given: object): HPAScalingRules => {
    const rules = lowered(given) as HPAScalingRules;
    if (!rules.policies) return rules;
    return { ...rules, policies: rules.policies.map((policy) => lowered(policy) as unknown as HPAScalingPolicy) };
  };
  return { ...(scaleUp && { scaleUp: rulesOf(scaleUp) }), ...(scaleDown && { scaleDown: rulesOf(scaleDown) }) };
}

/** Field names beginning in lower case, and no nulls. */
const lowered = (object: object): object =>
  Object.fromEntries(
    Object.entries(object)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key.charAt(0).toLowerCase() + key.slice(1), value]),
  );
