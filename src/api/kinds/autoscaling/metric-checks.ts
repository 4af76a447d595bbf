/** Checks of one metric of an autoscaler. Upstream: pkg/apis/autoscaling/validation/validation.go. */

import type {
  ContainerResourceMetricSource,
  CrossVersionObjectReference,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
  ResourceMetricSource,
} from '../../generated/autoscaling-v2.ts';
import { compareQuantities } from '../../meta/quantity.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import { addJudged } from '../../schema/rules/walk.ts';
import { checkDnsLabel, checkPresent, type Errors } from '../checks.ts';
import { containerResourceName } from '../core/pod-spec/resource-checks.ts';
import { checkPathName } from '../references.ts';

type CheckReference = (path: string, reference: CrossVersionObjectReference) => void;

const sourceTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
/** In the order in which upstream looks at them. */
const sources = ['object', 'external', 'pods', 'resource', 'containerResource'] as const;

export function checkMetric(errors: Errors, path: string, metric: MetricSpec, checkReference: CheckReference): void {
  const { type = '' } = metric;
  const known = sourceTypes.includes(type);
  if (!type) errors.push(fieldErrors.required(`${path}.type`, 'must specify a metric source type'));
  if (!known) errors.push(fieldErrors.notSupported(`${path}.type`, type, sourceTypes));
  const present = sources.filter((source) => metric[source] !== undefined);
  const [first] = present;
  if (first) checkSource(errors, path, metric, { source: first, checkReference });
  const expected = known ? sources.find((source) => source.toLowerCase() === type.toLowerCase()) : undefined;
  if (!known) errors.push(fieldErrors.notSupported(`${path}.type`, type, sourceTypes));
  else if (expected && !metric[expected]) {
    errors.push(fieldErrors.required(`${path}.${expected}`, 'must populate information for the given metric source'));
  }
  if (present.length === 1) return;
  for (const source of present) {
    if (source !== expected) errors.push(fieldErrors.forbidden(`${path}.${source}`, 'must populate the given metric source only'));
  }
}

interface SourceRule {
  readonly source: (typeof sources)[number];
  readonly checkReference: CheckReference;
}

function checkSource(errors: Errors, metricPath: string, metric: MetricSpec, { source, checkReference }: SourceRule): void {
  const path = `${metricPath}.${source}`;
  const { object, external, pods, resource, containerResource } = metric;
  const demandAverage = (detail: string): void => void errors.push(fieldErrors.required(`${path}.target.averageValue`, detail));
  if (source === 'object' && object) {
    checkReference(`${path}.describedObject`, object.describedObject);
    checkIdentified(errors, path, object);
    if (!hasAmount(object.target)) demandAverage('must set either a target value or averageValue');
  } else if (source === 'external' && external) {
    checkIdentified(errors, path, external);
    if (!hasAmount(external.target)) demandAverage('must set either a target value for metric or a per-pod target');
    if (external.target.value !== undefined && external.target.averageValue !== undefined) {
      const message = 'may not set both a target value for metric and a per-pod target';
      errors.push(fieldErrors.forbidden(`${path}.target.value`, message));
    }
  } else if (source === 'pods' && pods) {
    checkIdentified(errors, path, pods);
    if (pods.target.averageValue === undefined) demandAverage('must specify a positive target averageValue');
  } else if (source === 'resource' && resource) {
    checkPresent(errors, `${path}.name`, resource.name, 'must specify a resource name');
    checkUsage(errors, path, resource);
  } else if (containerResource) checkContainerResource(errors, path, containerResource);
}

const hasAmount = ({ value, averageValue }: MetricTarget): boolean => value !== undefined || averageValue !== undefined;

function checkIdentified(
  errors: Errors,
  path: string,
  { metric, target }: { readonly metric: MetricIdentifier; readonly target: MetricTarget },
): void {
  checkPathName(errors, `${path}.metric.name`, metric.name, 'must specify a metric name');
  checkTarget(errors, `${path}.target`, target);
}

function checkContainerResource(errors: Errors, path: string, source: ContainerResourceMetricSource): void {
  const { name, container } = source;
  if (checkPresent(errors, `${path}.name`, name, 'must specify a resource name')) {
    addJudged(errors, `${path}.name`, name, containerResourceName);
  }
  if (checkPresent(errors, `${path}.container`, container, 'must specify a container')) {
    checkDnsLabel(errors, `${path}.container`, container);
  }
  checkUsage(errors, path, source);
}

function checkUsage(errors: Errors, path: string, { target }: ResourceMetricSource): void {
  const at = `${path}.target`;
  checkTarget(errors, at, target);
  const { averageUtilization, averageValue } = target;
  if (averageUtilization === undefined && averageValue === undefined) {
    const message = 'must set either a target raw value or a target utilization';
    errors.push(fieldErrors.required(`${at}.averageUtilization`, message));
  } else if (averageUtilization !== undefined && averageValue !== undefined) {
    const message = 'may not set both a target raw value and a target utilization';
    errors.push(fieldErrors.forbidden(`${at}.averageValue`, message));
  }
}

const targetTypes = ['Utilization', 'Value', 'AverageValue'];

function checkTarget(errors: Errors, path: string, target: MetricTarget): void {
  const { type = '', averageUtilization } = target;
  if (!type) errors.push(fieldErrors.required(`${path}.type`, 'must specify a metric target type'));
  if (!targetTypes.includes(type)) {
    errors.push(fieldErrors.invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  }
  for (const field of ['value', 'averageValue'] as const) {
    const amount = target[field];
    if (amount !== undefined && compareQuantities(amount, '0') <= 0) {
      errors.push(fieldErrors.invalid(`${path}.${field}`, amount, 'must be positive'));
    }
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(fieldErrors.invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'));
  }
}
