/**
 * Who owns what after a change of an object: who wrote a field owns it, nobody owns what is gone. An update takes fields
 * from whoever had them; an apply that would change another's field is a conflict, unless it is forced.
 *
 * Guarantees: every member of every set is a field of the object in that set's version; entries whose sets did not change
 * keep their time; whoever owns nothing is gone, and so are entries of versions that there are no more.
 * Specified by structured-merge-diff (merge/update.go), apimachinery (pkg/util/managedfields/internal: stripmeta.go,
 * managedfieldsupdater.go).
 */
import { type Steps, takeSteps } from '../meta/steps.ts';
import type { Schema } from '../schema/types.ts';
import { type Comparison, compareInSteps } from './compare.ts';
import {
  differenceInSteps,
  differenceOf,
  type FieldSet,
  fieldSetOf,
  intersectionInSteps,
  isEmpty,
  noFields,
  recursiveDifferenceOf,
  unionInSteps,
} from './field-set.ts';
import {
  capManagers,
  keyOfManager,
  type Manager,
  type ManagerName,
  type Managers,
  nobody,
  updateManagersMax,
  withoutIdle,
} from './managers.ts';
import type { FieldPath } from './path-element.ts';
import { isReconciled, reconcileFields } from './reconcile.ts';
import type { Json } from './structure.ts';

export interface VersionedType {
  readonly schema: Schema;
  /** what writes of this sort never own: of the object itself its status, of the status all else */
  readonly reset: FieldSet;
}

/** The type of an object in all versions in which somebody may own fields of it. */
export interface TypeVersions {
  /** that of the request */
  readonly version: string;
  /** Undefined: there is no such version any more. */
  typeIn(version: string): VersionedType | undefined;
  convert(object: Json, version: string): Json | Promise<Json>;
}

export interface ObjectChange {
  readonly before: Json;
  readonly after: Json;
}

/** The fields of metadata that belong to nobody. */
const unowned = fieldSetOf(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
    (name): FieldPath => ['f:metadata', `f:${name}`],
  ),
);

export const ownable = (fields: FieldSet): FieldSet => differenceOf(fields, unowned);

/** Without what writes of this sort never own. */
export const withoutReset = (fields: FieldSet, reset: FieldSet): FieldSet =>
  isEmpty(reset) ? fields : recursiveDifferenceOf(fields, reset);

/** What a change is to owners of fields. Throws TypedError. */
export function* compareOwnable({ schema, reset }: VersionedType, { before, after }: ObjectChange): Steps<Comparison> {
  const { added, modified, removed } = yield* compareInSteps(schema, before, after);
  return {
    added: withoutReset(added, reset),
    modified: withoutReset(modified, reset),
    removed: withoutReset(removed, reset),
  };
}

export interface OwnUpdate extends Changed {
  readonly by: ManagerName;
  readonly time: string;
}

/** After a create, an update, a patch. Throws TypedError. */
export function* managersAfterUpdate({ by, time, ...changed }: OwnUpdate): Steps<Managers | Promise<Managers>> {
  const written = { by, time, fields: yield* writtenIn(changed.comparison) };
  const key = keyOfManager(by);
  const known = changed.managers.get(key);
  if (known && (yield* changesNoSet(changed, { key, known, fields: written.fields }))) {
    return new Map([...changed.managers, [key, { ...known, time }]]);
  }
  const rest = yield* withoutChanged({ ...changed, writer: { key, fields: written.fields } });
  return rest instanceof Promise ? rest.then((found) => takeSteps(afterWritten(found, written))) : yield* afterWritten(rest, written);
}

interface KnownWriter {
  readonly key: string;
  readonly known: Manager;
  /** what he wrote */
  readonly fields: FieldSet;
}

/** Most updates: nobody had what is gone, the writer had all that he wrote, and nobody else had any of it. It may fail to say so. */
function* changesNoSet({ types, managers, comparison }: Changed, { key, known, fields }: KnownWriter): Steps<boolean> {
  const { schema } = types.typeIn(types.version) ?? {};
  if (!schema || managers.size > updateManagersMax) return false;
  for (const [, { version, fields: owned }] of managers) {
    if (version !== types.version || isEmpty(owned) || !isReconciled(schema, owned)) return false;
  }
  if ((yield* unionInSteps(known.fields, fields)) !== known.fields) return false;
  const { added, modified, removed } = comparison;
  const written = managers.size > 1 ? yield* unionInSteps(modified, added) : noFields;
  for (const [other, { fields: owned }] of managers) {
    if (!isEmpty(yield* intersectionInSteps(owned, removed))) return false;
    if (other !== key && !isEmpty(yield* intersectionInSteps(owned, written))) return false;
  }
  return true;
}

function* afterWritten({ managers }: Rest, written: Written): Steps<Managers> {
  return capManagers(yield* withWritten(withoutIdle(managers), written));
}

/** Who writes an object that nobody owns fields of: a new one. */
export function* managersOfNew({ by, time, comparison }: Pick<OwnUpdate, 'by' | 'time' | 'comparison'>): Steps<Managers> {
  return yield* withWritten(nobody, { by, time, fields: yield* writtenIn(comparison) });
}

function* writtenIn({ added, modified }: Comparison): Steps<FieldSet> {
  return ownable(yield* unionInSteps(added, modified));
}

type Written = Pick<Manager, 'fields'> & Pick<OwnUpdate, 'by' | 'time'>;

function* withWritten(managers: Managers, { by, time, fields }: Written): Steps<Managers> {
  if (isEmpty(fields)) return managers;
  const key = keyOfManager(by);
  const known = managers.get(key);
  const owned = known ? yield* unionInSteps(known.fields, fields) : fields;
  const written = { ...by, version: by.apiVersion, fields: owned, time };
  return new Map([...managers, [key, written]]);
}

export interface Changed {
  readonly types: TypeVersions;
  readonly change: ObjectChange;
  readonly managers: Managers;
  /** in the request's version */
  readonly comparison: Comparison;
  /** whose own fields these are: he is in no conflict with himself */
  readonly except?: string | undefined;
  /** who gets these fields afterwards: he need not lose them first */
  readonly writer?: { readonly key: string; readonly fields: FieldSet } | undefined;
}

export interface Conflict {
  readonly manager: Manager;
  readonly fields: FieldSet;
}

export interface Rest {
  readonly managers: Managers;
  readonly conflicts: readonly Conflict[];
}

/**
 * All but `except` without what changed or is gone; and what they had of that, as conflicts. At once where nobody else has
 * to convert the object to versions in which somebody owns fields.
 */
export function* withoutChanged(changed: Changed): Steps<Rest | Promise<Rest>> {
  const { types, change, managers, comparison, except } = changed;
  const comparisons = new Map<string, Comparison | undefined>([[types.version, comparison]]);
  const waiting: Promise<void>[] = [];
  for (const [key, { version }] of managers) {
    if (key === except || comparisons.has(version)) continue;
    const found = yield* comparisonIn(types, version, change);
    if (found instanceof Promise) waiting.push(found.then((made) => void comparisons.set(version, made)));
    else comparisons.set(version, found);
  }
  if (waiting.length > 0) return Promise.all(waiting).then(() => takeSteps(restOf(changed, comparisons)));
  return yield* restOf(changed, comparisons);
}

function* restOf({ types, managers, except, writer }: Changed, comparisons: ReadonlyMap<string, Comparison | undefined>): Steps<Rest> {
  const rest = new Map<string, Manager>();
  const conflicts: Conflict[] = [];
  /** the same for all managers of a version */
  const writtenBy = new Map<Comparison, FieldSet>();
  for (const [key, manager] of managers) {
    if (key === except) {
      rest.set(key, manager);
      continue;
    }
    const found = comparisons.get(manager.version);
    const type = types.typeIn(manager.version);
    if (!found || !type) continue;
    const owned = yield* reconcileFields(type.schema, manager.fields);
    const written = writtenBy.get(found) ?? (yield* unionInSteps(found.modified, found.added));
    writtenBy.set(found, written);
    const changed = yield* intersectionInSteps(owned, written);
    const taken = key === writer?.key ? yield* differenceInSteps(changed, writer.fields) : changed;
    if (!isEmpty(taken)) conflicts.push({ manager, fields: taken });
    const fields = yield* differenceInSteps(yield* differenceInSteps(owned, taken), found.removed);
    rest.set(key, fields === manager.fields ? manager : { ...manager, fields });
  }
  return { managers: rest, conflicts };
}

/** Undefined: there is no such version any more. */
function* comparisonIn(
  types: TypeVersions,
  version: string,
  { before, after }: ObjectChange,
): Steps<Comparison | undefined | Promise<Comparison>> {
  const type = types.typeIn(version);
  if (!type) return undefined;
  const [was, is] = [types.convert(before, version), types.convert(after, version)];
  if (!(was instanceof Promise || is instanceof Promise)) return yield* compareOwnable(type, { before: was, after: is });
  return Promise.all([was, is]).then(([converted, changed]) => takeSteps(compareOwnable(type, { before: converted, after: changed })));
}
