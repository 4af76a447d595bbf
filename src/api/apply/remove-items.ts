/**
 * An object without some of its fields and items. What is owned as a whole and has something to be removed from goes as
 * a whole; what has lost all of its parts becomes null.
 * Specified by structured-merge-diff (typed/remove.go).
 */
import { Pace, type Steps } from '../meta/steps.ts';
import { own, put } from '../meta/words.ts';
import type { ListSchema, Schema } from '../schema/types.ts';
import { elementsOf, type FieldSet, isEmpty, isMember } from './field-set.ts';
import { fieldElement } from './path-element.ts';
import { anything, asList, asMap, fieldSchema, isAtomic, isEmptyMap, itemElement, shapeOf } from './structure.ts';

/** Parts after which a walk may rest. */
const pace = new Pace(1000);

export function* removeItems(schema: Schema, value: unknown, items: FieldSet): Steps<unknown> {
  const shape = shapeOf(schema, value);
  if (shape === 'scalar') return value;
  if (shape === 'list') {
    const list = asList(value);
    if (!list || list.length === 0 || isAtomic(schema, shape)) return null;
    return yield* removeFromList(schema as ListSchema, list, items);
  }
  const map = asMap(value);
  if (!map || isEmptyMap(map) || isAtomic(schema, shape)) return null;
  const rest: Record<string, unknown> = {};
  for (const name in map) {
    if (pace.isDue()) yield;
    const below = items[fieldElement(name)];
    const part = own(map, name);
    if (below === undefined) put(rest, name, part);
    else if (!isMember(below)) put(rest, name, yield* removeItems(fieldSchema(schema, name) ?? anything, part, below));
  }
  return isEmptyMap(rest) ? null : rest;
}

function* removeFromList(schema: ListSchema, list: readonly unknown[], items: FieldSet): Steps<unknown> {
  const rest: unknown[] = [];
  for (const item of list) {
    if (pace.isDue()) yield;
    const below = items[itemElement(schema, item)];
    if (below === undefined) rest.push(item);
    else if (!isMember(below))
      rest.push(isEmpty(below) || elementsOf(below).length === 0 ? item : yield* removeItems(schema.items, item, below));
  }
  return rest.length > 0 ? rest : null;
}
