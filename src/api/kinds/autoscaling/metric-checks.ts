/** Rules of one metric of an autoscaler. Upstream: pkg/apis/autoscaling/validation/validation.go. */
import type {
  ContainerResourceMetricSource,
  CrossVersionObjectReference,
  ExternalMetricSource,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
  ObjectMetricSource,
  PodsMetricSource,
  ResourceMetricSource,
} from '../../generated/autoscaling-v2.ts';
import { all, fields, min, positiveQuantity, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { containerResourceName } from '../core/pod-spec/resource-checks.ts';
import { dnsLabel, pathName } from '../shared-rules.ts';

const targetTypes = ['Utilization', 'Value', 'AverageValue'];
const target = all<MetricTarget>(
  ({ type = '' }, walk) => {
    if (!type) walk.required('type', 'must specify a metric target type');
    if (!targetTypes.includes(type)) walk.invalid('type', type, 'must be either Utilization, Value, or AverageValue');
  },
  fields({
    value: positiveQuantity('must be positive'),
    averageValue: positiveQuantity('must be positive'),
    averageUtilization: min(1, 'must be greater than 0'),
  }),
);
const hasAmount = ({ value, averageValue }: MetricTarget): boolean => value !== undefined || averageValue !== undefined;

const identified = fields<{ readonly metric: MetricIdentifier; readonly target: MetricTarget }>({
  metric: fields({ name: required(pathName, 'must specify a metric name') }),
  target,
});

const external = all<ExternalMetricSource>(identified, ({ target: { value, averageValue } }, walk) => {
  if (value === undefined && averageValue === undefined) {
    walk.required('target.averageValue', 'must set either a target value for metric or a per-pod target');
  } else if (value !== undefined && averageValue !== undefined) {
    walk.forbidden('target.value', 'may not set both a target value for metric and a per-pod target');
  }
});

const pods = all<PodsMetricSource>(identified, ({ target: { averageValue } }, walk) => {
  if (averageValue === undefined) walk.required('target.averageValue', 'must specify a positive target averageValue');
});

const usage = all<{ readonly target: MetricTarget }>(fields({ target }), ({ target: { averageUtilization, averageValue } }, walk) => {
  if (averageUtilization === undefined && averageValue === undefined) {
    walk.required('target.averageUtilization', 'must set either a target raw value or a target utilization');
  } else if (averageUtilization !== undefined && averageValue !== undefined) {
    walk.forbidden('target.averageValue', 'may not set both a target raw value and a target utilization');
  }
});
const resource = all<ResourceMetricSource>(fields({ name: required(undefined, 'must specify a resource name') }), usage);
const containerResource = all<ContainerResourceMetricSource>(
  fields({
    name: required(containerResourceName, 'must specify a resource name'),
    container: required(dnsLabel, 'must specify a container'),
  }),
  usage,
);

const sourceTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
/** In the order in which upstream looks at them. */
const sources = ['object', 'external', 'pods', 'resource', 'containerResource'] as const;

export const metricRule = (reference: Rule<CrossVersionObjectReference>): Rule<MetricSpec> => {
  const object = all<ObjectMetricSource>(fields({ describedObject: reference }), identified, (given, walk) => {
    if (!hasAmount(given.target)) walk.required('target.averageValue', 'must set either a target value or averageValue');
  });
  const rules = { object, external, pods, resource, containerResource };
  return (metric, walk) => {
    const { type = '' } = metric;
    const known = sourceTypes.includes(type);
    if (!type) walk.required('type', 'must specify a metric source type');
    if (!known) walk.notSupported('type', type, sourceTypes);
    const present = sources.filter((source) => metric[source] !== undefined);
    const [first] = present;
    if (first) walk.check(first, metric[first] as never, rules[first] as Rule<never>);
    const expected = known ? sources.find((source) => source.toLowerCase() === type.toLowerCase()) : undefined;
    if (!known) walk.notSupported('type', type, sourceTypes);
    else if (expected && !metric[expected]) walk.required(expected, 'must populate information for the given metric source');
    if (present.length === 1) return;
    for (const source of present) {
      if (source !== expected) walk.forbidden(source, 'must populate the given metric source only');
    }
  };
};
