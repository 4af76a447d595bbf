/**
 * Whether two objects have the same fields, without saying which: they are walked in step, and nothing is made. Of objects
 * of one sort, made by one writer, that is so nearly always.
 *
 * Guarantees: of two objects of which it says so, `compareObjects` with `empty` finds the same fields new or of another
 * value. It may fail to say so: of items in another order, for one.
 */
import { equalJson } from '../meta/deep-equal.ts';
import { own } from '../meta/words.ts';
import type { ListSchema, Schema } from '../schema/types.ts';
import { anything, asList, asMap, fieldSchema, isAtomic, shapeOf } from './structure.ts';

export interface Pair<T = unknown> {
  readonly one: T;
  readonly other: T;
}

/** `empty`: what an object is of which nothing is said; undefined where nothing is. */
export function haveSameFields(schema: Schema, pair: Pair, empty: unknown): boolean {
  const { one, other } = pair;
  if (one === other) return true;
  if (one === undefined || other === undefined) return false;
  const shape = shapeOf(schema, one);
  if (shape !== shapeOf(schema, other)) return false;
  if (shape === 'scalar' && empty !== undefined) return one !== empty && other !== empty;
  if (shape === 'scalar' || isAtomic(schema, shape)) return empty === undefined || equalJson(one, other);
  if (shape === 'list') return !asList(empty ?? [])?.length && haveSameItems(schema as ListSchema, asList(one), asList(other));
  const [map, otherMap, emptyMap] = [asMap(one), asMap(other), asMap(empty)];
  if (!map || !otherMap || (empty !== undefined && !emptyMap)) return false;
  let count = 0;
  for (const name in map) {
    count++;
    const parts = { one: map[name], other: own(otherMap, name) };
    if (parts.one === parts.other) continue;
    if (!haveSameFields(fieldSchema(schema, name) ?? anything, parts, own(emptyMap, name))) return false;
  }
  for (const _ in otherMap) count--;
  return count === 0;
}

function haveSameItems({ items, listType, listMapKeys }: ListSchema, one: Items, other: Items): boolean {
  if (!one || !other || one.length !== other.length) return false;
  return one.every((item, i) => {
    if (listType !== 'map') return item === other[i];
    const [map, otherMap] = [asMap(item), asMap(other[i])];
    if (!map || !otherMap || !listMapKeys.every((key) => own(map, key) === own(otherMap, key))) return false;
    return haveSameFields(items, { one: map, other: otherMap }, undefined);
  });
}

type Items = readonly unknown[] | undefined;
