/**
 * HorizontalPodAutoscaler in v2, the stored version. Upstream: pkg/apis/autoscaling/v2/defaults.go,
 * pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go.
 */
import type {
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
  MetricSpec,
} from '../../generated/autoscaling-v2.ts';
import { HorizontalPodAutoscaler } from '../../generated/kinds.ts';
import { fields } from '../../schema/rules/rules.ts';
import { nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { counters } from '../replica-status.ts';
import { change, setDefaults } from '../set-defaults.ts';
import { metricsText } from './metric-cells.ts';
import { autoscaler } from './validate-autoscaler.ts';

export const horizontalPodAutoscaler = defineKind(HorizontalPodAutoscaler, {
  hooks: {
    default: (object) => change(object, 'spec', defaultSpec),
    prepareForCreate: (object) => ({ ...object, status: { desiredReplicas: 0, currentMetrics: null } }),
    rules: autoscaler,
    statusRules: fields({ status: counters('currentReplicas', 'desiredReplicas') }),
    cells: nameAndAge(({ spec, status }) => [
      `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
      metricsText(spec.metrics ?? [], status.currentMetrics ?? []),
      spec.minReplicas === undefined ? '<unset>' : String(spec.minReplicas),
      spec.maxReplicas,
      status.currentReplicas ?? 0,
    ]),
  },
});

/** What an autoscaler watches that says nothing about it: 80 % of the requested CPU. */
const cpuMetrics: readonly MetricSpec[] = [
  { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
];

const defaultUp: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const defaultDown: HPAScalingRules = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };

export function defaultSpec(given: HorizontalPodAutoscalerSpec): HorizontalPodAutoscalerSpec {
  const spec = given.metrics?.length ? given : { ...given, metrics: cpuMetrics };
  return change(spec, 'behavior', defaultBehavior);
}

function defaultBehavior(behavior: HorizontalPodAutoscalerBehavior): HorizontalPodAutoscalerBehavior {
  const scaleUp = setDefaults(behavior.scaleUp ?? {}, defaultUp);
  const scaleDown = setDefaults(behavior.scaleDown ?? {}, defaultDown);
  return scaleUp === behavior.scaleUp && scaleDown === behavior.scaleDown ? behavior : { ...behavior, scaleUp, scaleDown };
}
