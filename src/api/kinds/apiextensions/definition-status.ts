/**
 * What the server says in the status of a CustomResourceDefinition: which of its names it accepts, and how far it is.
 * Pure. Each function gives the next status, or the very same when there is nothing to say.
 *
 * Guarantees: of two definitions of one group that want one name, the one that has it keeps it; a name that was given up
 * is free; what is established stays so, whatever becomes of its names.
 * Upstream: apiextensions-apiserver/pkg/controller/{status,establish,finalizer,nonstructuralschema,apiapproval}.
 */
import type {
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from '../../generated/apiextensions-v1.ts';
import type { CustomResourceDefinition } from '../../generated/kinds.ts';
import { findCondition, isConditionTrue, withCondition, withoutCondition } from '../../meta/conditions.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { formatTime } from '../../meta/time.ts';
import { listOf } from '../lists.ts';
import { approvalCondition } from './approval.ts';

type Definition = CustomResourceDefinition;
type Status = CustomResourceDefinitionStatus;
type Names = CustomResourceDefinitionNames;
type Condition = Omit<CustomResourceDefinitionCondition, 'lastTransitionTime' | 'observedGeneration'>;

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

export function withStatusCondition(status: Status, condition: Condition, nowMs: number): Status {
  const given = listOf(status.conditions);
  const old = findCondition(given, condition.type);
  const conditions = withCondition(given, { ...old, ...condition, lastTransitionTime: formatTime(nowMs) });
  return conditions === given ? status : { ...status, conditions };
}

/** Which names it may have, beside others of its group. */
export function withAcceptedNames(definition: Definition, others: () => Iterable<Definition>, nowMs: number): Status {
  const { spec, status } = definition;
  if (equalSemantically(spec.names, status.acceptedNames)) return status;
  const { names, conflict } = acceptNames(definition, namesIn(spec.group, others()));
  const accepted: Condition = conflict
    ? { type: 'NamesAccepted', status: 'False', ...conflict }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' };
  const next = withStatusCondition(
    equalSemantically(names, status.acceptedNames) ? status : { ...status, acceptedNames: names },
    accepted,
    nowMs,
  );
  const established = findCondition(listOf(next.conditions), 'Established');
  if (established?.status === 'True') return next;
  if (!conflict) return withStatusCondition(next, installing, nowMs);
  return established ? next : withStatusCondition(next, notAccepted, nowMs);
}

const notAccepted: Condition = { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' };
const installing: Condition = {
  type: 'Established',
  status: 'False',
  reason: 'Installing',
  message: 'the initial names have been accepted',
};

interface TakenNames {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

function namesIn(group: string, definitions: Iterable<Definition>): TakenNames {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { spec, status } of definitions) {
    if (spec.group !== group || !status.acceptedNames) continue;
    const { plural, singular, shortNames, kind, listKind } = status.acceptedNames;
    for (const name of [plural, singular, ...listOf(shortNames)]) if (name) resources.add(name);
    for (const name of [kind, listKind]) if (name) kinds.add(name);
  }
  return { resources, kinds };
}

interface Conflict {
  readonly reason: string;
  readonly message: string;
}

/** The last conflict is the one that is told. */
function acceptNames({ spec, status }: Definition, taken: TakenNames): { readonly names: Names; readonly conflict: Conflict | undefined } {
  const wanted = spec.names;
  const had: Names = status.acceptedNames ?? { plural: '', kind: '' };
  const names = { ...omitCategories(had), ...(wanted.categories && { categories: wanted.categories }) };
  let conflict: Conflict | undefined;
  const accept = <F extends 'plural' | 'singular' | 'kind' | 'listKind'>(field: F, reason: string, used: ReadonlySet<string>): void => {
    const name = wanted[field] ?? '';
    if (name !== (had[field] ?? '') && used.has(name)) conflict = { reason, message: inUse(name) };
    else names[field] = name as (typeof names)[F];
  };
  accept('plural', 'PluralConflict', taken.resources);
  accept('singular', 'SingularConflict', taken.resources);
  const own = new Set(listOf(had.shortNames));
  const clashing = listOf(wanted.shortNames).filter((name) => !own.has(name) && taken.resources.has(name));
  if (clashing.length > 0) conflict = { reason: 'ShortNamesConflict', message: aggregate(clashing.map(inUse)) };
  else if (wanted.shortNames) names.shortNames = wanted.shortNames;
  else delete names.shortNames;
  accept('kind', 'KindConflict', taken.kinds);
  accept('listKind', 'ListKindConflict', taken.kinds);
  return { names, conflict };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
function omitCategories({ categories: _, ...names }: Names): Writable<Names> {
  return names;
}

const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`;
/** Each once. */
function aggregate(messages: readonly string[]): string {
  const [first = '', ...rest] = new Set(messages);
  return rest.length > 0 ? `[${[first, ...rest].join(', ')}]` : first;
}

/** Approved by whom, for groups that need it. */
export function withApproval(definition: Definition, nowMs: number): Status {
  const { status } = definition;
  const condition = approvalCondition(definition);
  return condition ? withStatusCondition(status, condition, nowMs) : status;
}

/** `violations`: of the rules of structural schemas; a definition that was stored under older rules may have some. */
export function withStructure({ status }: Definition, violations: readonly string[], nowMs: number): Status {
  const condition: Condition = { type: 'NonStructuralSchema', status: 'True', reason: 'Violations', message: aggregate(violations) };
  if (violations.length > 0) return withStatusCondition(status, condition, nowMs);
  const conditions = withoutCondition(listOf(status.conditions), condition.type);
  return conditions === status.conditions || !status.conditions ? status : { ...status, conditions };
}

/** To be asked once its objects are served. */
export function withEstablished({ status }: Definition, hasValidCABundle: boolean, nowMs: number): Status {
  const conditions = listOf(status.conditions);
  if (!isConditionTrue(conditions, 'NamesAccepted') || isConditionTrue(conditions, 'Established')) return status;
  const condition: Condition = hasValidCABundle
    ? { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }
    : { type: 'Established', status: 'False', reason: 'InvalidCABundle', message: 'The conversion webhook CABundle is invalid' };
  return withStatusCondition(status, condition, nowMs);
}

const deletionReasons = {
  InstanceDeletionPending: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
  InstanceDeletionInProgress: 'CustomResource deletion is in progress',
  InstanceDeletionFailed: undefined,
  InstanceDeletionCheck: undefined,
  InstanceDeletionCompleted: 'removed all instances',
  NeverEstablished: 'resource was never established',
  OverlappingBuiltInResource: 'instances overlap with built-in resources in storage',
} as const;
const lastReasons = new Set<string>(['InstanceDeletionCompleted', 'NeverEstablished', 'OverlappingBuiltInResource']);

/** `message`: where the reason does not say it all. */
export function withTerminating(status: Status, reason: keyof typeof deletionReasons, nowMs: number, message?: string): Status {
  const text = message ?? deletionReasons[reason] ?? '';
  return withStatusCondition(
    status,
    { type: 'Terminating', status: lastReasons.has(reason) ? 'False' : 'True', reason, message: text },
    nowMs,
  );
}

/** What the first delete leaves: its objects go first. */
export function markDeleted(definition: Definition, nowMs: number): Definition {
  const { metadata, status } = definition;
  const finalizers = listOf(metadata.finalizers);
  return {
    ...definition,
    metadata: {
      ...metadata,
      deletionTimestamp: formatTime(nowMs),
      finalizers: finalizers.includes(cleanupFinalizer) ? finalizers : [...finalizers, cleanupFinalizer],
    },
    status: withTerminating(status, 'InstanceDeletionPending', nowMs),
  };
}
