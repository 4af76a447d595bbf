/** Checks of a HorizontalPodAutoscaler. Upstream: pkg/apis/autoscaling/validation/validation.go. */
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HPAScalingPolicy,
  HPAScalingRules,
} from '../../generated/autoscaling-v2.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { checkNonnegativeQuantity, checkSupported, type Errors } from '../checks.ts';
import { listOf } from '../lists.ts';
import { checkPathName } from '../references.ts';
import { checkMetric } from './metric-checks.ts';

const windowSecondsMax = 3600;
const periodSecondsMax = 1800;

export function validateAutoscaler(object: HorizontalPodAutoscaler, old?: HorizontalPodAutoscaler): readonly FieldError[] {
  const errors: Errors = [];
  const { spec } = object;
  const { minReplicas, maxReplicas = 0, scaleTargetRef: target, behavior } = spec;
  checkReplicas(errors, minReplicas, maxReplicas, old?.spec.minReplicas === 0 ? 0 : 1);
  const before = old?.spec.scaleTargetRef;
  const sameTarget = before && before.apiVersion === target.apiVersion && before.kind === target.kind;
  const groupRule = target.kind === 'ReplicationController' ? 'optional' : 'required';
  checkReference(errors, 'spec.scaleTargetRef', target, sameTarget ? 'unchecked' : groupRule);
  const metrics = listOf(spec.metrics);
  const wasBad = listOf(old?.spec.metrics).some(({ type, object: about }) => type === 'Object' && isBadVersion(about?.describedObject));
  metrics.forEach((metric, i) => {
    checkMetric(errors, `spec.metrics[${i}]`, metric, (path, reference) =>
      checkReference(errors, path, reference, wasBad ? 'unchecked' : 'optional'),
    );
  });
  if (minReplicas === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')) {
    const message = 'must specify at least one Object or External metric to support scaling to zero replicas';
    errors.push(fieldErrors.forbidden('spec.metrics', message));
  }
  if (behavior?.scaleUp) checkRules(errors, 'spec.behavior.scaleUp', behavior.scaleUp);
  if (behavior?.scaleDown) checkRules(errors, 'spec.behavior.scaleDown', behavior.scaleDown);
  return errors;
}

function checkReplicas(errors: Errors, min: number | undefined, max: number, leastMin: number): void {
  if (min !== undefined && min < leastMin) {
    errors.push(fieldErrors.invalid('spec.minReplicas', min, `must be greater than or equal to ${leastMin}`));
  }
  const path = 'spec.maxReplicas';
  if (max === 0) errors.push(fieldErrors.required(path, 'must be set and greater than 0'));
  else if (max < 0) errors.push(fieldErrors.invalid(path, max, 'must be greater than or equal to 1'));
  if (min !== undefined && max < min) errors.push(fieldErrors.invalid(path, max, 'must be greater than or equal to `minReplicas`'));
}

type GroupRule = 'required' | 'optional' | 'unchecked';

function checkReference(errors: Errors, path: string, reference: CrossVersionObjectReference, group: GroupRule): void {
  checkPathName(errors, `${path}.kind`, reference.kind);
  checkPathName(errors, `${path}.name`, reference.name);
  if (group === 'unchecked') return;
  const { apiVersion = '' } = reference;
  const add = (message: string): void => void errors.push(fieldErrors.invalid(`${path}.apiVersion`, apiVersion, message));
  if (isBadVersion(reference)) add(`unexpected GroupVersion string: ${apiVersion}`);
  else if (group === 'required' && !apiVersion.includes('/')) add('apiVersion must specify API group');
}

const isBadVersion = (reference: CrossVersionObjectReference | undefined): boolean => (reference?.apiVersion ?? '').split('/').length > 2;

function checkRules(errors: Errors, path: string, rules: HPAScalingRules): void {
  const { stabilizationWindowSeconds: seconds, selectPolicy, tolerance } = rules;
  const add = (message: string): void => void errors.push(fieldErrors.invalid(`${path}.stabilizationWindowSeconds`, seconds, message));
  if (seconds !== undefined && seconds < 0) add('must be greater than or equal to zero');
  if (seconds !== undefined && seconds > windowSecondsMax) add(`must be less than or equal to ${windowSecondsMax}`);
  checkSupported(errors, `${path}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min']);
  const policies = listOf(rules.policies);
  if (!policies.length) errors.push(fieldErrors.required(`${path}.policies`, 'must specify at least one Policy'));
  policies.forEach((policy, i) => {
    checkPolicy(errors, `${path}.policies[${i}]`, policy);
  });
  if (tolerance !== undefined) checkNonnegativeQuantity(errors, `${path}.tolerance`, tolerance);
}

function checkPolicy(errors: Errors, path: string, { type = '', value = 0, periodSeconds = 0 }: HPAScalingPolicy): void {
  checkSupported(errors, `${path}.type`, type, ['Percent', 'Pods']);
  const message = 'must be greater than zero';
  if (value <= 0) errors.push(fieldErrors.invalid(`${path}.value`, value, message));
  if (periodSeconds <= 0) errors.push(fieldErrors.invalid(`${path}.periodSeconds`, periodSeconds, message));
  if (periodSeconds > periodSecondsMax) {
    errors.push(fieldErrors.invalid(`${path}.periodSeconds`, periodSeconds, `must be less than or equal to ${periodSecondsMax}`));
  }
}
