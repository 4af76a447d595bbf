/**
 * An object with what is applied put over it. What both have of scalars and of what is owned as a whole is the applied
 * one's; nothing is removed. Items that both have are in the order of the applied list, others where they were among them.
 *
 * Guarantees: nothing is changed in place; parts that only one side has are that side's very values.
 * Specified by structured-merge-diff (typed/merge.go).
 */
import { Pace, type Steps } from '../meta/steps.ts';
import { own, put } from '../meta/words.ts';
import type { ListSchema, Schema } from '../schema/types.ts';
import type { PathElement } from './path-element.ts';
import { anything, asList, asMap, fieldSchema, isAtomic, isEmptyMap, itemElement, type Json, shapeOf } from './structure.ts';

/** Parts after which a merge may rest. */
const pace = new Pace(1000);

/** Undefined: nothing is. Throws TypedError for items that can't be told apart, or are applied twice. */
export function* mergeObjects(schema: Schema, live: unknown, applied: unknown): Steps<unknown> {
  const shape = shapeOf(schema, applied === undefined ? live : applied);
  const chosen = applied === undefined ? live : applied;
  if (shape === 'scalar' || isAtomic(schema, shape)) return chosen;
  if (shape === 'list') {
    const lists = { live: asList(live) ?? [], applied: asList(applied) ?? [] };
    if (lists.live.length === 0 && lists.applied.length === 0) return chosen;
    return yield* mergeLists(schema as ListSchema, lists.live, lists.applied);
  }
  const maps = { live: asMap(live) ?? {}, applied: asMap(applied) ?? {} };
  return isEmptyMap(maps.live) && isEmptyMap(maps.applied) ? chosen : yield* mergeMaps(schema, maps.live, maps.applied);
}

function* mergeMaps(schema: Schema, live: Json, applied: Json): Steps<unknown> {
  if (live === applied) return live;
  const merged: Record<string, unknown> = {};
  for (const map of [live, applied]) {
    for (const name in map) {
      if (pace.isDue()) yield;
      if (map === applied && Object.hasOwn(live, name)) continue;
      const [before, wanted] = [own(live, name), own(applied, name)];
      const value =
        isPlain(before) && isPlain(wanted)
          ? (wanted ?? before)
          : yield* mergeObjects(fieldSchema(schema, name) ?? anything, before, wanted);
      if (value !== undefined) put(merged, name, value);
    }
  }
  return isEmptyMap(merged) ? undefined : merged;
}

/** There is nothing in it to be merged, whatever its type is. */
const isPlain = (value: unknown): boolean => typeof value !== 'object';

interface Items {
  readonly elements: readonly PathElement[];
  readonly byElement: ReadonlyMap<PathElement, unknown>;
}

function* mergeLists(schema: ListSchema, live: readonly unknown[], applied: readonly unknown[]): Steps<unknown> {
  const wanted = yield* itemsOf(schema, applied, false);
  const before = yield* itemsOf(schema, live, true);
  const isShared = (element: PathElement): boolean => before.byElement.has(element) && wanted.byElement.has(element);
  const shared = wanted.elements.filter(isShared);
  let nextShared = 0;
  const merged: unknown[] = [];
  const taken = new Set<PathElement>();
  function* take(element: PathElement, item: unknown): Steps<void> {
    const value = yield* mergeObjects(schema.items, item, wanted.byElement.get(element));
    if (value !== undefined) merged.push(value);
  }
  function* takeWanted(element: PathElement): Steps<void> {
    taken.add(element);
    yield* take(element, before.byElement.get(element));
    if (shared[nextShared] === element) nextShared++;
  }
  let [l, w] = [0, 0];
  while (l < before.elements.length || w < wanted.elements.length) {
    if (pace.isDue()) yield;
    const [ours, theirs] = [before.elements[l], wanted.elements[w]];
    if (ours !== undefined && ours === theirs) {
      yield* takeWanted(ours);
      l++;
      w++;
    } else if (
      ours !== undefined &&
      theirs !== undefined &&
      isShared(ours) &&
      shared[nextShared] !== undefined &&
      shared[nextShared] !== ours
    ) {
      // It comes later in the applied list: it is taken there.
      l++;
    } else if (ours !== undefined && !isShared(ours)) {
      yield* take(ours, live[l++]);
    } else {
      if (ours !== undefined && taken.has(ours)) l++;
      if (theirs !== undefined) {
        yield* takeWanted(theirs);
        w++;
      }
    }
  }
  return merged.length > 0 ? merged : undefined;
}

/** In a list that is stored an item may be there twice: what is applied takes the place of neither. */
function* itemsOf(schema: ListSchema, items: readonly unknown[], mayRepeat: boolean): Steps<Items> {
  const byElement = new Map<PathElement, unknown>();
  const elements: PathElement[] = [];
  for (const item of items) {
    if (pace.isDue()) yield;
    const element = itemElement(schema, item);
    elements.push(element);
    byElement.set(element, byElement.has(element) && mayRepeat ? null : item);
  }
  return { elements, byElement };
}
