/** ResourceQuota: names of what it limits, and the scopes that go with them; scopes are fixed. Upstream: pkg/registry/core/resourcequota. */

import type { ResourceQuotaSpec } from '../../generated/core-v1.ts';
import { ResourceQuota } from '../../generated/kinds.ts';
import type { Cell } from '../../meta/kind.ts';
import { compareQuantities } from '../../meta/quantity.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { own } from '../../meta/words.ts';
import { ageOf, type CellContext } from '../cells.ts';
import { type Errors, immutableMessage } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { checkResourceName, checkResourceQuantity } from './pod-spec/resource-checks.ts';
import { isStandardQuotaResource } from './pod-spec/resource-names.ts';

const podResources = new Set(['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory', 'pods']);
const claimResources = new Set(['persistentvolumeclaims', 'requests.storage']);

/** What each scope can be combined with. */
const scopes: Readonly<Record<string, ReadonlySet<string>>> = {
  Terminating: podResources,
  NotTerminating: podResources,
  NotBestEffort: podResources,
  PriorityClass: podResources,
  CrossNamespacePodAffinity: podResources,
  BestEffort: new Set(['pods']),
  VolumeAttributesClass: claimResources,
};
const opposites = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;
const existsOnly = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity'];

export const resourceQuota = defineKind(ResourceQuota, {
  returnsDeletedObject: true,
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: {} }),
    validate,
    validateStatus(object) {
      const errors: Errors = object.metadata.resourceVersion ? [] : [fieldErrors.required('resourceVersion')];
      checkAmounts(errors, 'status.hard', object.status.hard);
      checkAmounts(errors, 'status.used', object.status.used);
      return errors;
    },
    warnings: (object, old) => (old ? [] : warningsOf(object)),
    cells,
  },
});

function validate(object: ResourceQuota, old?: ResourceQuota): readonly FieldError[] {
  const errors: Errors = [];
  const { spec } = object;
  checkAmounts(errors, 'spec.hard', spec.hard);
  const own = listOf<string>(spec.scopes);
  for (const scope of own) checkScope(errors, 'spec.scopes', { scope, spec, value: own });
  checkOpposites(errors, 'spec.scopes', own, own);
  if (spec.scopeSelector) checkScopeSelector(errors, 'spec.scopeSelector.matchExpressions', spec);
  if (!old) return errors;
  const before = new Set<string>(old.spec.scopes);
  if (new Set(own).symmetricDifference(before).size) errors.push(fieldErrors.invalid('spec.scopes', own, immutableMessage));
  return errors;
}

function checkAmounts(errors: Errors, path: string, amounts: Readonly<Record<string, string>> | undefined): void {
  for (const name in amounts) {
    const at = `${path}[${name}]`;
    checkResourceName(errors, at, name);
    if (!name.includes('/') && !isStandardQuotaResource(name)) {
      errors.push(fieldErrors.invalid(at, name, 'must be a standard resource for quota'));
    }
    checkResourceQuantity(errors, at, { name, quantity: amounts[name] ?? '0' });
  }
}

interface ScopeCheck {
  readonly scope: string;
  readonly spec: ResourceQuotaSpec;
  /** what the message shows */
  readonly value: unknown;
}

function checkScope(errors: Errors, path: string, { scope, spec, value }: ScopeCheck): void {
  const allowed = own(scopes, scope);
  if (!allowed) errors.push(fieldErrors.invalid(path, value, 'unsupported scope'));
  for (const name of Object.keys(spec.hard ?? {})) {
    if (!allowed || !isStandardQuotaResource(name) || allowed.has(name)) continue;
    errors.push(fieldErrors.invalid(path, value, 'unsupported scope applied to resource'));
  }
}

function checkOpposites(errors: Errors, path: string, names: readonly string[], shown: readonly string[]): void {
  for (const [one, other] of opposites) {
    if (names.includes(one) && names.includes(other)) errors.push(fieldErrors.invalid(path, shown, 'conflicting scopes'));
  }
}

function checkScopeSelector(errors: Errors, path: string, spec: ResourceQuotaSpec): void {
  const requirements = listOf(spec.scopeSelector?.matchExpressions);
  for (const { scopeName, operator, values } of requirements) {
    if (!scopes[scopeName]) errors.push(fieldErrors.invalid(`${path}.scopeName`, scopeName, 'unsupported scope'));
    else checkScope(errors, path, { scope: scopeName, spec, value: spec.scopeSelector });
    if (existsOnly.includes(scopeName) && operator !== 'Exists') {
      const scopesText =
        'ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity';
      errors.push(fieldErrors.invalid(`${path}.operator`, operator, `must be 'Exists' when scope is any of ${scopesText}`));
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (values?.length) continue;
      const message = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      errors.push(fieldErrors.required(`${path}.values`, message));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (!values?.length) continue;
      const message = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      errors.push(fieldErrors.invalid(`${path}.values`, values, message));
    } else errors.push(fieldErrors.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  const names = requirements.map(({ scopeName }) => scopeName);
  checkOpposites(errors, path, names, listOf(spec.scopes));
}

function warningsOf({ spec: { hard = {} } }: ResourceQuota): readonly string[] {
  const found: string[] = [];
  for (const name of ['cpu', 'memory', 'storage', 'ephemeral-storage']) {
    const bare = (name === 'cpu' || name === 'memory') && hard[`requests.${name}`] === undefined;
    const requestName = bare ? name : `requests.${name}`;
    const [request, limit] = [own(hard, requestName), hard[`limits.${name}`]];
    if (request === undefined || limit === undefined || compareQuantities(request, limit) <= 0) continue;
    found.push(`ResourceQuota ${requestName} (${request}) should be less than limits.${name} (${limit})`);
  }
  return found;
}

function cells(object: ResourceQuota, at: CellContext): readonly Cell[] {
  const { hard = {}, used = {} } = object.status;
  const texts = (limits: boolean): string =>
    Object.keys(hard)
      .filter((name) => name.startsWith('limits.') === limits)
      .toSorted()
      .map((name) => `${name}: ${own(used, name) ?? '0'}/${own(hard, name)}`)
      .join(', ');
  return [object.metadata.name, texts(false), texts(true), ageOf(object, at)];
}
