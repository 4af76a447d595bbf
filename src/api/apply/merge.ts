/**
 * An object with what is applied put over it. What both have of scalars and of what is owned as a whole is the applied
 * one's; nothing is removed. Items that both have are in the order of the applied list, others where they were among them.
 *
 * Guarantees: nothing is changed in place; parts that only one side has are that side's very values.
 * Specified by structured-merge-diff (typed/merge.go).
 */
import { own, put } from '../meta/words.ts';
import type { ListSchema, Schema } from '../schema/types.ts';
import type { PathElement } from './path-element.ts';
import { anything, asList, asMap, fieldSchema, isAtomic, isEmptyMap, itemElement, type Json, shapeOf } from './structure.ts';

/** Both are there. Undefined: nothing is. Throws TypedError for items that can't be told apart, or are applied twice. */
export function mergeObjects(schema: Schema, live: unknown, applied: unknown): unknown {
  return mergeValues(schema, live, applied);
}

function mergeValues(schema: Schema, live: unknown, applied: unknown): unknown {
  const shape = shapeOf(schema, applied === undefined ? live : applied);
  const chosen = applied === undefined ? live : applied;
  if (shape === 'scalar' || isAtomic(schema, shape)) return chosen;
  if (shape === 'list') {
    const lists = { live: asList(live) ?? [], applied: asList(applied) ?? [] };
    if (lists.live.length === 0 && lists.applied.length === 0) return chosen;
    return mergeLists(schema as ListSchema, lists.live, lists.applied);
  }
  const maps = { live: asMap(live) ?? {}, applied: asMap(applied) ?? {} };
  return isEmptyMap(maps.live) && isEmptyMap(maps.applied) ? chosen : mergeMaps(schema, maps.live, maps.applied);
}

/** What only one side has it has as it is there. */
function mergeMaps(schema: Schema, live: Json, applied: Json): unknown {
  const merged: Record<string, unknown> = {};
  const merge = (name: string): void => {
    const [before, wanted] = [own(live, name), own(applied, name)];
    if (before === undefined && wanted === undefined) return;
    const value = mergeValues(fieldSchema(schema, name) ?? anything, before, wanted);
    if (value !== undefined) put(merged, name, value);
  };
  for (const name in live) merge(name);
  for (const name in applied) if (!Object.hasOwn(live, name)) merge(name);
  return isEmptyMap(merged) ? undefined : merged;
}

interface Items {
  readonly elements: readonly PathElement[];
  readonly byElement: ReadonlyMap<PathElement, unknown>;
}

function mergeLists(schema: ListSchema, live: readonly unknown[], applied: readonly unknown[]): unknown {
  const wanted = itemsOf(schema, applied, false);
  const before = itemsOf(schema, live, true);
  const isShared = (element: PathElement): boolean => before.byElement.has(element) && wanted.byElement.has(element);
  const shared = wanted.elements.filter(isShared);
  const merged: unknown[] = [];
  const taken = new Set<PathElement>();
  const take = (element: PathElement, item: unknown): void => {
    const value = mergeValues(schema.items, item, wanted.byElement.get(element));
    if (value !== undefined) merged.push(value);
  };
  const takeWanted = (element: PathElement): void => {
    taken.add(element);
    take(element, before.byElement.get(element));
    if (shared[0] === element) shared.shift();
  };
  let [l, w] = [0, 0];
  while (l < before.elements.length || w < wanted.elements.length) {
    const [ours, theirs] = [before.elements[l], wanted.elements[w]];
    if (ours !== undefined && ours === theirs) {
      takeWanted(ours);
      l++;
      w++;
    } else if (ours !== undefined && theirs !== undefined && isShared(ours) && shared[0] !== undefined && shared[0] !== ours) {
      // It comes later in the applied list: it is taken there.
      l++;
    } else if (ours !== undefined && !isShared(ours)) {
      take(ours, live[l++]);
    } else {
      if (ours !== undefined && taken.has(ours)) l++;
      if (theirs !== undefined) {
        takeWanted(theirs);
        w++;
      }
    }
  }
  return merged.length > 0 ? merged : undefined;
}

/** In a list that is stored an item may be there twice: what is applied takes the place of neither. */
function itemsOf(schema: ListSchema, items: readonly unknown[], mayRepeat: boolean): Items {
  const byElement = new Map<PathElement, unknown>();
  const elements = items.map((item) => {
    const element = itemElement(schema, item);
    byElement.set(element, byElement.has(element) && mayRepeat ? null : item);
    return element;
  });
  return { elements, byElement };
}
