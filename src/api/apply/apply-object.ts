/**
 * Server-side apply: what an object becomes when somebody applies his part of it. What he applies is merged over what is
 * there; what he applied the last time and does not apply now goes, unless others own it.
 *
 * Guarantees: applied twice, nothing changes the second time; a conflict changes nothing.
 * What it does not do: defaults, validation, admission: the object takes the way of every update.
 * Specified by structured-merge-diff (merge/update.go), KEP-555.
 */
import { equalJson } from '../meta/deep-equal.ts';
import { type Steps, takeSteps } from '../meta/steps.ts';
import type { Schema } from '../schema/types.ts';
import {
  type Conflict,
  compareOwnable,
  ownable,
  type TypeVersions,
  type VersionedType,
  withoutChanged,
  withoutReset,
} from './change-managers.ts';
import { checkTyped } from './check-typed.ts';
import { differenceInSteps, equalInSteps, type FieldSet, intersectionInSteps, isEmpty, noFields, unionInSteps } from './field-set.ts';
import { fieldsInSteps, namedInSteps } from './fields-of.ts';
import { keyOfManager, type Manager, type ManagerName, type Managers, withoutIdle } from './managers.ts';
import { mergeObjects } from './merge.ts';
import { reconcileFields } from './reconcile.ts';
import { removeItems } from './remove-items.ts';
import type { Json } from './structure.ts';

export interface Application {
  readonly types: TypeVersions;
  /** as it is stored, with the kind's defaults; of a new object what an empty one is */
  readonly live: Json;
  readonly applied: Json;
  readonly managers: Managers;
  readonly by: ManagerName;
  readonly time: string;
  readonly force: boolean;
}

export interface Applied {
  /** undefined: it stays as it is */
  readonly object: Json | undefined;
  readonly managers: Managers;
}

/** Others own what would be changed. */
export class ApplyConflict extends Error {
  override readonly name = 'ApplyConflict';
  readonly conflicts: readonly Conflict[];
  constructor(conflicts: readonly Conflict[]) {
    super(`${conflicts.length} others own fields`);
    this.conflicts = conflicts;
  }
}

/** How steps are taken: at once, or with others' turns between them. */
export type Take = <T>(steps: Steps<T>) => T | Promise<T>;

/** Throws ApplyConflict, and TypedError for what is no object of the type. */
export async function applyObject(application: Application, take: Take = takeSteps): Promise<Applied> {
  const { types, live, applied, by, force } = application;
  const type = typeOf(types, types.version);
  await take(checked(type, applied));
  const key = keyOfManager(by);
  const managers = await take(reconciled(types, application.managers));
  const last = managers.get(key);
  const fields = withoutReset(await take(fieldsInSteps(type.schema, applied)), type.reset);
  const mine: Manager = { ...by, version: types.version, fields, time: last?.time };
  const all: Managers = new Map([...managers, [key, mine]]);
  const merged = ((await take(mergeObjects(type.schema, live, applied))) ?? {}) as Json;
  const isKept = !last || (await take(appliesAllOf(last, all, mine)));
  const object = isKept ? merged : await prune(types, { merged, last, managers: all }, take);
  const change = { before: live, after: object };
  const comparison = await take(compareOwnable(type, change));
  const { managers: rest, conflicts } = await take(withoutChanged({ types, change, managers: all, comparison, except: key }));
  if (conflicts.length > 0 && !force) throw new ApplyConflict(conflicts);
  const isChanged = !equalJson(live, object);
  const owned = ownable(fields);
  const next = new Map(rest);
  next.set(key, {
    ...mine,
    fields: last && (await take(equalInSteps(last.fields, owned))) ? last.fields : owned,
    time: isChanged ? application.time : mine.time,
  });
  return { object: isChanged ? object : undefined, managers: withoutIdle(next) };
}

/** A step of its own: it looks at everything. */
// biome-ignore lint/correctness/useYield: nothing within it rests
function* checked({ schema }: VersionedType, applied: Json): Steps<void> {
  checkTyped(schema, applied);
}

/** Whether nothing can go: all that he applied the last time he applies now, and nothing has to be converted to tell. */
function* appliesAllOf(last: Manager, all: Managers, { version, fields }: Manager): Steps<boolean> {
  return all.values().every((manager) => manager.version === version) && isEmpty(yield* differenceInSteps(last.fields, fields));
}

function typeOf(types: TypeVersions, version: string): VersionedType {
  const type = types.typeIn(version);
  if (!type) throw new Error(`there is no version ${version}`);
  return type;
}

function* reconciled(types: TypeVersions, managers: Managers): Steps<Managers> {
  const known = new Map<string, Manager>();
  for (const [key, manager] of managers) {
    const type = types.typeIn(manager.version);
    if (type) known.set(key, { ...manager, fields: yield* reconcileFields(type.schema, manager.fields) });
  }
  return known;
}

interface Pruning {
  readonly merged: Json;
  readonly last: Manager;
  /** with what is applied now */
  readonly managers: Managers;
}

/** The merged object without what was applied the last time, is not now, and nobody else owns. */
async function prune(types: TypeVersions, { merged, last, managers }: Pruning, take: Take): Promise<Json> {
  if (isEmpty(last.fields)) return merged;
  const { schema } = typeOf(types, last.version);
  const whole = await types.convert(merged, last.version);
  const wanted = await take(namedInSteps(schema, last.fields));
  let rest = await take(removed(schema, whole, wanted));
  for (const [version, owned] of await take(ownedByVersion(managers, last.version)))
    rest = await addBack(types, { whole, rest, from: last.version, version, owned }, take);
  // What was not his goes only by who owns it.
  const gone = await take(differenceInSteps(await take(namedFieldsOf(schema, whole)), await take(namedFieldsOf(schema, rest))));
  const items = await take(intersectionInSteps(gone, wanted));
  return await types.convert(await take(removed(schema, whole, items)), types.version);
}

function* removed(schema: Schema, object: Json, items: FieldSet): Steps<Json> {
  return ((yield* removeItems(schema, object, items)) ?? {}) as Json;
}

function* namedFieldsOf(schema: Schema, object: Json): Steps<FieldSet> {
  return yield* namedInSteps(schema, yield* fieldsInSteps(schema, object));
}

/** What all managers own, the pruned version first: what conversion needs is there then. */
function* ownedByVersion(managers: Managers, first: string): Steps<ReadonlyMap<string, FieldSet>> {
  const owned = new Map<string, FieldSet>([[first, noFields]]);
  for (const { version, fields } of managers.values()) owned.set(version, yield* unionInSteps(owned.get(version) ?? noFields, fields));
  return owned;
}

interface AddBack {
  readonly whole: Json;
  readonly rest: Json;
  readonly from: string;
  readonly version: string;
  readonly owned: FieldSet;
}

/** The rest with what was removed from the whole and is owned in this version; in the version that it came in. */
async function addBack(types: TypeVersions, { whole, rest, from, version, owned }: AddBack, take: Take): Promise<Json> {
  const type = types.typeIn(version);
  if (!type) return rest;
  const { schema } = type;
  const convert = (object: Json, to: string): Json | Promise<Json> => (version === from ? object : types.convert(object, to));
  const all = await convert(whole, version);
  const there = await take(namedFieldsOf(schema, await convert(rest, version)));
  const kept = await take(unionInSteps(there, await take(namedInSteps(schema, owned))));
  const items = await take(differenceInSteps(await take(namedFieldsOf(schema, all)), kept));
  return await convert(await take(removed(schema, all, items)), from);
}
