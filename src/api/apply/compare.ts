/**
 * What changed from one object to another, as sets of fields: those that are new, those that have another value, those that
 * are gone. A field that is new or gone comes with all that is in it.
 *
 * Guarantees: no field is in two of the sets; of equal objects all three are empty, and what is the same in memory is not
 * looked at. Items with equal keys count as one value that changed, or as gone and new when there is one of them after.
 * Specified by structured-merge-diff (typed/compare.go).
 */
import { equalJson } from '../meta/deep-equal.ts';
import { Pace, type Steps, takeSteps } from '../meta/steps.ts';
import { own } from '../meta/words.ts';
import type { ListSchema, Schema } from '../schema/types.ts';
import { type FieldSet, type FieldTree, isEmpty, leaf, noFields, unionBelow } from './field-set.ts';
import { fieldElement, type PathElement } from './path-element.ts';
import {
  anything,
  asList,
  asMap,
  fieldSchema,
  isAtomic,
  isEmptyMap,
  itemElement,
  type Json,
  ownedWhenAbsent,
  type Shape,
  shapeOf,
} from './structure.ts';

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

type Change = keyof Comparison;

/** Parts of objects after which the comparison may rest. */
const pace = new Pace(1000);

export const isSame = ({ added, modified, removed }: Comparison): boolean => isEmpty(added) && isEmpty(modified) && isEmpty(removed);

/** Throws TypedError for items that can't be told apart. */
export const compareObjects = (schema: Schema, before: unknown, after: unknown): Comparison =>
  takeSteps(compareInSteps(schema, before, after));

export function* compareInSteps(schema: Schema, before: unknown, after: unknown): Steps<Comparison> {
  const root = new Place();
  if (before !== after) yield* compareValues(schema, { before, after }, root);
  const { added = noFields, modified = noFields, removed = noFields } = root.found;
  return { added, modified, removed };
}

/** Where the walk is. The sets get a branch here when something is found. */
class Place {
  readonly found: { [change in Change]?: FieldTree } = {};
  readonly #parent: Place | undefined;
  readonly #element: PathElement | undefined;

  constructor(parent?: Place, element?: PathElement) {
    this.#parent = parent;
    this.#element = element;
  }

  put(change: Change, element: PathElement, below: FieldSet): void {
    const tree = this.#treeOf(change);
    const known = tree[element];
    tree[element] = known ? takeSteps(unionBelow(known, below)) : below;
  }

  /** The whole of what is here; of the object itself nothing is said. */
  putSelf(change: Change): void {
    if (!this.#parent || !this.#element) return;
    const here = this.found[change];
    if (here) here['.'] = leaf;
    else this.#parent.put(change, this.#element, leaf);
  }

  #treeOf(change: Change): FieldTree {
    let tree = this.found[change];
    if (tree) return tree;
    tree = {};
    this.found[change] = tree;
    if (!this.#parent || !this.#element) return tree;
    const above = this.#parent.#treeOf(change);
    if (above[this.#element]) tree['.'] = leaf;
    above[this.#element] = tree;
    return tree;
  }
}

interface Pair<T = unknown> {
  readonly before: T;
  readonly after: T;
}

/** Both are there. */
function* compareValues(schema: Schema, values: Pair, place: Place): Steps<void> {
  const shape = shapeOf(schema, values.after);
  const shapeBefore = shapeOf(schema, values.before);
  if (shapeBefore !== shape) yield* compareShape(schema, shapeBefore, values, place);
  yield* compareShape(schema, shape, values, place);
}

function* compareShape(schema: Schema, shape: Shape, { before, after }: Pair, place: Place): Steps<void> {
  const hasParts = shape !== 'scalar' && !isAtomic(schema, shape);
  const maps = { before: asMap(before) ?? {}, after: asMap(after) ?? {} };
  const lists = { before: asList(before) ?? [], after: asList(after) ?? [] };
  if (hasParts && shape === 'map' && !(isEmptyMap(maps.before) && isEmptyMap(maps.after))) yield* compareMaps(schema, maps, place);
  else if (hasParts && schema.type === 'list' && lists.before.length + lists.after.length > 0) yield* compareItems(schema, lists, place);
  else if (!equalJson(before, after)) place.putSelf('modified');
}

function* compareMaps(schema: Schema, { before, after }: Pair<Json>, place: Place): Steps<void> {
  const absentOwned = ownedWhenAbsent(schema);
  for (const name in after) {
    if (pace.isDue()) yield;
    const now = after[name];
    if (now === undefined) continue;
    const then = own(before, name);
    if (then === now) continue;
    const element = fieldElement(name);
    if (then === undefined && absentOwned.includes(name)) place.put('modified', element, leaf);
    else if (isPlain(then) && isPlain(now)) place.put(then === undefined ? 'added' : 'modified', element, leaf);
    else yield* comparePart(fieldSchema(schema, name) ?? anything, element, { before: then, after: now }, place);
  }
  for (const name in before) {
    if (pace.isDue()) yield;
    const then = before[name];
    if (then === undefined || own(after, name) !== undefined) continue;
    if (absentOwned.includes(name)) place.put('modified', fieldElement(name), leaf);
    else place.put('removed', fieldElement(name), yield* fieldsOfPart(fieldSchema(schema, name) ?? anything, then));
  }
}

/** It has nothing in it, whatever its type is. */
const isPlain = (value: unknown): boolean => typeof value !== 'object';

function* comparePart(schema: Schema, element: PathElement, { before, after }: Pair, place: Place): Steps<void> {
  if (before === undefined) place.put('added', element, yield* fieldsOfPart(schema, after));
  else if (after === undefined) place.put('removed', element, yield* fieldsOfPart(schema, before));
  else if (isPlain(before) && isPlain(after)) place.put('modified', element, leaf);
  else yield* compareValues(schema, { before, after }, new Place(place, element));
}

function* compareItems(schema: ListSchema, lists: Pair<readonly unknown[]>, place: Place): Steps<void> {
  const before = yield* itemsByElement(schema, lists.before);
  const after = yield* itemsByElement(schema, lists.after);
  for (const element of new Set([...before.keys(), ...after.keys()])) {
    if (pace.isDue()) yield;
    const [then, ...otherThen] = before.get(element) ?? [];
    const [now, ...otherNow] = after.get(element) ?? [];
    if (otherThen.length > 0 && otherNow.length > 0) {
      if (!equalJson(before.get(element), after.get(element))) place.put('modified', element, leaf);
    } else if (otherThen.length > 0) {
      if (now !== undefined) place.put('added', element, yield* fieldsOfPart(schema.items, now));
      place.put('removed', element, leaf);
    } else if (otherNow.length > 0) {
      if (then !== undefined) place.put('removed', element, yield* fieldsOfPart(schema.items, then));
      place.put('added', element, leaf);
    } else if (then !== now) yield* comparePart(schema.items, element, { before: then, after: now }, place);
  }
}

function* itemsByElement(schema: ListSchema, items: readonly unknown[]): Steps<ReadonlyMap<PathElement, readonly unknown[]>> {
  const found = new Map<PathElement, unknown[]>();
  for (const item of items) {
    if (pace.isDue()) yield;
    const element = itemElement(schema, item);
    const known = found.get(element);
    if (known) known.push(item);
    else found.set(element, [item]);
  }
  return found;
}

/** What is below a field that is new or gone: all that is in it, and itself. */
function* fieldsOfPart(schema: Schema, value: unknown): Steps<FieldSet> {
  const shape = shapeOf(schema, value);
  if (shape === 'scalar' || isAtomic(schema, shape)) return leaf;
  if (shape === 'list') return schema.type === 'list' ? yield* fieldsOfItems(schema, asList(value) ?? []) : leaf;
  const map = asMap(value);
  if (!map || isEmptyMap(map)) return leaf;
  const fields: FieldTree = { '.': leaf };
  for (const name in map) {
    if (pace.isDue()) yield;
    const part = map[name];
    if (part === undefined) continue;
    fields[fieldElement(name)] = isPlain(part) ? leaf : yield* fieldsOfPart(fieldSchema(schema, name) ?? anything, part);
  }
  for (const name of ownedWhenAbsent(schema)) fields[fieldElement(name)] ??= leaf;
  return fields;
}

function* fieldsOfItems(schema: ListSchema, items: readonly unknown[]): Steps<FieldSet> {
  if (items.length === 0) return leaf;
  const fields: FieldTree = { '.': leaf };
  for (const [element, [item, ...others]] of yield* itemsByElement(schema, items)) {
    if (pace.isDue()) yield;
    fields[element] = others.length > 0 ? leaf : yield* fieldsOfPart(schema.items, item);
  }
  return fields;
}
