/**
 * A set of fields, after its type may have changed since it was made: of what is owned as a whole now, and was owned in
 * parts, its owners own the whole. Specified by structured-merge-diff (typed/reconcile_schema.go).
 */
import { Pace, type Steps } from '../meta/steps.ts';
import type { Schema } from '../schema/types.ts';
import { elementsOf, type FieldSet, type FieldTree, isEmpty, leaf, treeOf } from './field-set.ts';
import { isAtomic, schemaAt } from './structure.ts';

/** Elements after which the walk may rest. */
const pace = new Pace(1000);

/** Sets that are as their type has them: many objects have the same ones. */
const asTyped = new WeakMap<FieldSet, Schema>();

/** Whether the set is known to be as its type has it. */
export const isReconciled = (schema: Schema, set: FieldSet): boolean => asTyped.get(set) === schema;

/** The very set, when nothing is to be changed. */
export function* reconcileFields(schema: Schema, set: FieldSet): Steps<FieldSet> {
  if (isReconciled(schema, set)) return set;
  const reconciled = yield* reconcileBelow(schema, set);
  asTyped.set(reconciled, schema);
  return reconciled;
}

function* reconcileBelow(schema: Schema, set: FieldSet): Steps<FieldSet> {
  let reconciled: FieldTree | undefined;
  for (const element of elementsOf(set)) {
    if (pace.isDue()) yield;
    const below = set[element] ?? leaf;
    const type = schemaAt(schema, element);
    if (!type || isEmpty(below)) continue;
    const next = isOwnedWhole(type) ? leaf : yield* reconcileBelow(type, below);
    if (next === below) continue;
    reconciled ??= treeOf(set);
    reconciled[element] = next;
  }
  return reconciled ?? set;
}

/** What is open (`any`) says nothing about it. */
function isOwnedWhole(schema: Schema): boolean {
  if (schema.type === 'list') return isAtomic(schema, 'list');
  return (schema.type === 'map' || schema.type === 'object') && isAtomic(schema, 'map');
}
