/** ResourceQuota: names of what it limits, and the scopes that go with them; scopes are fixed. Upstream: pkg/registry/core/resourcequota. */

import type { ResourceQuotaSpec, ScopedResourceSelectorRequirement } from '../../generated/core-v1.ts';
import { ResourceQuota } from '../../generated/kinds.ts';
import type { Cell } from '../../meta/kind.ts';
import { compareQuantities } from '../../meta/quantity.ts';
import { own } from '../../meta/words.ts';
import { all, each, eachEntry, fields, outside } from '../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';
import { ageOf, type CellContext } from '../cells.ts';
import { immutableMessage } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { checkResourceQuantity, resourceNameRule } from './pod-spec/resource-checks.ts';
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
    rules: (object, walk, old) => rules(object, walk, old),
    statusRules: (object, walk, old) => statusRules(object, walk, old),
    warnings: (object, old) => (old ? [] : warningsOf(object)),
    cells,
  },
});

const amounts = eachEntry<string>((name, quantity, walk) => {
  walk.enter(`[${name}]`);
  resourceNameRule(name, walk, undefined);
  if (!name.includes('/') && !isStandardQuotaResource(name)) walk.invalid('', name, 'must be a standard resource for quota');
  checkResourceQuantity(name, quantity, walk);
  walk.leave();
});

/** `shown`: what the message shows */
function checkScope(walk: Walk, scope: string, { hard = {} }: ResourceQuotaSpec, shown: unknown): void {
  const allowed = own(scopes, scope);
  if (!allowed) walk.invalid('', shown, 'unsupported scope');
  for (const name in hard) {
    if (allowed && isStandardQuotaResource(name) && !allowed.has(name)) walk.invalid('', shown, 'unsupported scope applied to resource');
  }
}

function checkOpposites(walk: Walk, names: readonly string[], shown: readonly string[]): void {
  for (const [one, other] of opposites) {
    if (names.includes(one) && names.includes(other)) walk.invalid('', shown, 'conflicting scopes');
  }
}

const scopesText =
  'ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity';

/** Upstream leaves the index out of all paths. */
const requirement =
  (spec: ResourceQuotaSpec): Rule<ScopedResourceSelectorRequirement> =>
  ({ scopeName, operator, values }, walk) => {
    if (own(scopes, scopeName)) checkScope(walk, scopeName, spec, spec.scopeSelector);
    else walk.invalid('scopeName', scopeName, 'unsupported scope');
    if (existsOnly.includes(scopeName) && operator !== 'Exists') {
      walk.invalid('operator', operator, `must be 'Exists' when scope is any of ${scopesText}`);
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (values?.length) return;
      walk.required('values', "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (!values?.length) return;
      walk.invalid('values', values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
    } else walk.invalid('operator', operator, 'not a valid selector operator');
  };

const specRule: Rule<ResourceQuotaSpec> = (spec, walk, old) => {
  walk.check('hard', spec.hard, amounts);
  const own = listOf<string>(spec.scopes);
  walk.check('scopes', own, (_, at) => {
    for (const scope of own) checkScope(at, scope, spec, own);
    checkOpposites(at, own, own);
  });
  walk.check('scopeSelector.matchExpressions', spec.scopeSelector?.matchExpressions, (list, at, before) => {
    each(outside(requirement(spec)))(list, at, before);
    checkOpposites(
      at,
      list.map(({ scopeName }) => scopeName),
      own,
    );
  });
  if (old && new Set(own).symmetricDifference(new Set<string>(old.scopes)).size) walk.invalid('scopes', own, immutableMessage);
};
const rules = fields<ResourceQuota>({ spec: specRule });
const statusRules = all<ResourceQuota>(
  ({ metadata }, walk) => {
    if (!metadata.resourceVersion) walk.required('resourceVersion');
  },
  fields({ status: fields({ hard: amounts, used: amounts }) }),
);

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
