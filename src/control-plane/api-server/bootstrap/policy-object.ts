/**
 * What has to be done so that one bootstrap object is as the policy says: pure plans, upstream's reconciliation.
 * Roles get the rules they lack, bindings the subjects they lack; nothing is taken away. Who sets the annotation
 * `rbac.authorization.kubernetes.io/autoupdate: "false"` keeps an object as it is.
 * Upstream: component-helpers/auth/rbac/reconciliation, apiserver/pkg/util/flowcontrol (apf.kubernetes.io/autoupdate-spec).
 */

import type { PolicyRule, RoleRef, Subject } from '../../../api/generated/rbac-v1.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { own } from '../../../api/meta/words.ts';
import { uncoveredRules } from '../authorization/policy-rule.ts';

export type Step<T> =
  | { readonly do: 'nothing' }
  | { readonly do: 'create'; readonly object: T }
  | { readonly do: 'update'; readonly object: T }
  /** what can't be changed in place: a binding's role */
  | { readonly do: 'replace'; readonly object: T };

interface RoleLike extends KubeObject {
  readonly rules?: readonly PolicyRule[] | null;
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly unknown[] };
}
interface BindingLike extends KubeObject {
  readonly roleRef: RoleRef;
  readonly subjects?: readonly Subject[];
}
interface SpecLike extends KubeObject {
  readonly spec?: unknown;
}

const nothing = { do: 'nothing' } as const;
const rbacAutoUpdate = 'rbac.authorization.kubernetes.io/autoupdate';
const flowAutoUpdate = 'apf.kubernetes.io/autoupdate-spec';

/** For what is only made when it is not there. */
export const planPresent = <T extends KubeObject>(existing: T | undefined, wanted: T): Step<T> =>
  existing ? nothing : { do: 'create', object: wanted };

export function planRole<T extends RoleLike>(existing: T | undefined, wanted: T): Step<T> {
  if (!existing) return { do: 'create', object: wanted };
  if (isProtected(existing)) return nothing;
  const isSame = equalSemantically(existing.rules, wanted.rules);
  const missing = isSame ? [] : uncoveredRules(existing.rules ?? [], wanted.rules ?? []);
  const aggregationRule = mergeAggregation(existing, wanted);
  const metadata = mergeMetadata(existing, wanted);
  if (metadata === existing.metadata && missing.length === 0 && aggregationRule === existing.aggregationRule) return nothing;
  const { aggregationRule: _old, ...rest } = existing;
  const object = {
    ...rest,
    metadata,
    rules: [...(existing.rules ?? []), ...missing],
    ...(aggregationRule && { aggregationRule }),
  } as unknown as T;
  return { do: 'update', object };
}

function mergeAggregation(existing: RoleLike, wanted: RoleLike): RoleLike['aggregationRule'] {
  if (!wanted.aggregationRule) return undefined;
  const known = existing.aggregationRule?.clusterRoleSelectors ?? [];
  const missing = (wanted.aggregationRule.clusterRoleSelectors ?? []).filter((each) => !known.some((own) => equalSemantically(own, each)));
  if (existing.aggregationRule && missing.length === 0) return existing.aggregationRule;
  return { clusterRoleSelectors: [...known, ...missing] };
}

export function planBinding<T extends BindingLike>(existing: T | undefined, wanted: T): Step<T> {
  if (!existing) return { do: 'create', object: wanted };
  if (isProtected(existing)) return nothing;
  const subjects = existing.subjects ?? [];
  const missing = (wanted.subjects ?? []).filter((each) => !subjects.some((own) => sameSubject(own, each)));
  const merged = { ...wanted, subjects: [...subjects, ...missing] };
  if (!sameRole(existing.roleRef, wanted.roleRef)) return { do: 'replace', object: merged };
  const metadata = mergeMetadata(existing, wanted);
  if (metadata === existing.metadata && missing.length === 0) return nothing;
  return { do: 'update', object: { ...existing, metadata, subjects: merged.subjects } };
}

const sameRole = (a: RoleRef, b: RoleRef): boolean => a.kind === b.kind && a.name === b.name && a.apiGroup === b.apiGroup;
const sameSubject = (a: Subject, b: Subject): boolean =>
  a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '') && (a.apiGroup ?? '') === (b.apiGroup ?? '');

/** Flow schemas and priority levels follow the policy as long as their annotation says so. */
export function planFlowControl<T extends SpecLike>(existing: T | undefined, wanted: T): Step<T> {
  if (!existing) return { do: 'create', object: wanted };
  if (existing.metadata.annotations?.[flowAutoUpdate] !== 'true' || includes(existing.spec, wanted.spec)) return nothing;
  return { do: 'update', object: { ...existing, spec: wanted.spec } };
}

/** Whether everything that `wanted` says is in `given`, which may say more (defaults). */
function includes(given: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return Array.isArray(given) && given.length === wanted.length && wanted.every((each, i) => includes(given[i], each));
  if (typeof wanted !== 'object' || wanted === null) return given === wanted;
  if (typeof given !== 'object' || given === null) return Object.keys(wanted).length === 0;
  return Object.entries(wanted).every(([key, value]) => includes(own(given as Record<string, unknown>, key), value));
}

const isProtected = ({ metadata }: KubeObject): boolean => metadata.annotations?.[rbacAutoUpdate] === 'false';

/** Labels and annotations that are missing are added; those that are there stay as they are. */
function mergeMetadata(existing: KubeObject, wanted: KubeObject): KubeObject['metadata'] {
  const lacks = (part: 'labels' | 'annotations'): boolean =>
    Object.keys(wanted.metadata[part] ?? {}).some((key) => own(existing.metadata[part], key) === undefined);
  if (!lacks('labels') && !lacks('annotations')) return existing.metadata;
  const merged = (part: 'labels' | 'annotations') => ({ ...wanted.metadata[part], ...existing.metadata[part] });
  return { ...existing.metadata, labels: merged('labels'), annotations: merged('annotations') };
}
