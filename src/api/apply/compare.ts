/**
 * What changed from one object to another, as sets of fields: those that are new, those that have another value, those that
 * are gone. A field that is new or gone comes with all that is in it.
 *
 * Guarantees: no field is in two of the sets; of equal objects all three are empty, and what is the same in memory is not
 * looked at. Items with equal keys count as one value that changed, or as gone and new when there is one of them after.
 * Specified by structured-merge-diff (typed/compare.go).
 */
import { equalJson } from '../meta/deep-equal.ts';
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

export const isSame = ({ added, modified, removed }: Comparison): boolean => isEmpty(added) && isEmpty(modified) && isEmpty(removed);

/** Throws TypedError for items that can't be told apart. */
export function compareObjects(schema: Schema, before: unknown, after: unknown): Comparison {
  const root = new Place();
  if (before !== after) compareValues(schema, { before, after }, root);
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
    tree[element] = known ? unionBelow(known, below) : below;
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
function compareValues(schema: Schema, values: Pair, place: Place): void {
  const shape = shapeOf(schema, values.after);
  const shapeBefore = shapeOf(schema, values.before);
  if (shapeBefore !== shape) compareShape(schema, shapeBefore, values, place);
  compareShape(schema, shape, values, place);
}

function compareShape(schema: Schema, shape: Shape, { before, after }: Pair, place: Place): void {
  const hasParts = shape !== 'scalar' && !isAtomic(schema, shape);
  const maps = { before: asMap(before) ?? {}, after: asMap(after) ?? {} };
  const lists = { before: asList(before) ?? [], after: asList(after) ?? [] };
  if (hasParts && shape === 'map' && !(isEmptyMap(maps.before) && isEmptyMap(maps.after))) compareMaps(schema, maps, place);
  else if (hasParts && schema.type === 'list' && lists.before.length + lists.after.length > 0) compareItems(schema, lists, place);
  else if (!equalJson(before, after)) place.putSelf('modified');
}

function compareMaps(schema: Schema, { before, after }: Pair<Json>, place: Place): void {
  const absentOwned = ownedWhenAbsent(schema);
  for (const name in after) {
    const now = after[name];
    if (now === undefined) continue;
    const then = own(before, name);
    if (then === now) continue;
    if (then === undefined && absentOwned.includes(name)) place.put('modified', fieldElement(name), leaf);
    else comparePart(fieldSchema(schema, name) ?? anything, fieldElement(name), { before: then, after: now }, place);
  }
  for (const name in before) {
    const then = before[name];
    if (then === undefined || own(after, name) !== undefined) continue;
    if (absentOwned.includes(name)) place.put('modified', fieldElement(name), leaf);
    else place.put('removed', fieldElement(name), fieldsOfPart(fieldSchema(schema, name) ?? anything, then));
  }
}

function comparePart(schema: Schema, element: PathElement, { before, after }: Pair, place: Place): void {
  if (before === undefined) place.put('added', element, fieldsOfPart(schema, after));
  else if (after === undefined) place.put('removed', element, fieldsOfPart(schema, before));
  else if (typeof before !== 'object' && typeof after !== 'object') place.put('modified', element, leaf);
  else compareValues(schema, { before, after }, new Place(place, element));
}

function compareItems(schema: ListSchema, lists: Pair<readonly unknown[]>, place: Place): void {
  const before = itemsByElement(schema, lists.before);
  const after = itemsByElement(schema, lists.after);
  for (const element of new Set([...before.keys(), ...after.keys()])) {
    const [then, ...otherThen] = before.get(element) ?? [];
    const [now, ...otherNow] = after.get(element) ?? [];
    if (otherThen.length > 0 && otherNow.length > 0) {
      if (!equalJson(before.get(element), after.get(element))) place.put('modified', element, leaf);
    } else if (otherThen.length > 0) {
      if (now !== undefined) place.put('added', element, fieldsOfPart(schema.items, now));
      place.put('removed', element, leaf);
    } else if (otherNow.length > 0) {
      if (then !== undefined) place.put('removed', element, fieldsOfPart(schema.items, then));
      place.put('added', element, leaf);
    } else if (then !== now) comparePart(schema.items, element, { before: then, after: now }, place);
  }
}

function itemsByElement(schema: ListSchema, items: readonly unknown[]): ReadonlyMap<PathElement, readonly unknown[]> {
  const found = new Map<PathElement, unknown[]>();
  for (const item of items) {
    const element = itemElement(schema, item);
    const known = found.get(element);
    if (known) known.push(item);
    else found.set(element, [item]);
  }
  return found;
}

/** What is below a field that is new or gone: all that is in it, and itself. */
function fieldsOfPart(schema: Schema, value: unknown): FieldSet {
  const shape = shapeOf(schema, value);
  if (shape === 'scalar' || isAtomic(schema, shape)) return leaf;
  if (shape === 'list') return schema.type === 'list' ? fieldsOfItems(schema, asList(value) ?? []) : leaf;
  const map = asMap(value);
  if (!map || isEmptyMap(map)) return leaf;
  const fields: FieldTree = { '.': leaf };
  for (const name in map) {
    if (map[name] !== undefined) fields[fieldElement(name)] = fieldsOfPart(fieldSchema(schema, name) ?? anything, map[name]);
  }
  for (const name of ownedWhenAbsent(schema)) fields[fieldElement(name)] ??= leaf;
  return fields;
}

function fieldsOfItems(schema: ListSchema, items: readonly unknown[]): FieldSet {
  if (items.length === 0) return leaf;
  const fields: FieldTree = { '.': leaf };
  for (const [element, [item, ...others]] of itemsByElement(schema, items)) {
    fields[element] = others.length > 0 ? leaf : fieldsOfPart(schema.items, item);
  }
  return fields;
}
