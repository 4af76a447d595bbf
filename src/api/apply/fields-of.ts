/**
 * The fields that an object has, for who applies it: leaves, items of lists, and entries of maps, but not the objects on
 * the way to them. `withNamedFields` adds those, where it has to be told whether an object is still there.
 * Specified by structured-merge-diff (typed/tofieldset.go; fieldpath/set.go, EnsureNamedFieldsAreMembers).
 */
import { Pace, type Steps, takeSteps } from '../meta/steps.ts';
import { own } from '../meta/words.ts';
import type { ListSchema, Schema } from '../schema/types.ts';
import { elementsOf, type FieldSet, type FieldTree, isEmpty, leaf, noFields, treeOf } from './field-set.ts';
import { fieldElement, type PathElement } from './path-element.ts';
import { anything, asList, asMap, fieldSchema, isAtomic, isEmptyMap, isNamedField, itemElement, schemaAt, shapeOf } from './structure.ts';

/** Parts of an object or of a set after which the walk may rest. */
const pace = new Pace(1000);

/** Throws TypedError for items that can't be told apart. */
export const fieldsOf = (schema: Schema, object: unknown): FieldSet => takeSteps(fieldsInSteps(schema, object));

export function* fieldsInSteps(schema: Schema, object: unknown): Steps<FieldSet> {
  const fields = yield* fieldsBelow(schema, object);
  return fields === undefined || '.' in fields ? noFields : fields;
}

/** What is below a part by itself; undefined: nothing, and it is no member unless who has it says so. */
function* fieldsBelow(schema: Schema, value: unknown): Steps<FieldSet | undefined> {
  const shape = shapeOf(schema, value);
  if (shape === 'scalar' || isAtomic(schema, shape)) return leaf;
  return yield* shape === 'list' ? fieldsOfItems(schema as ListSchema, asList(value) ?? []) : fieldsOfMap(schema, value);
}

function* fieldsOfMap(schema: Schema, value: unknown): Steps<FieldSet | undefined> {
  const map = asMap(value);
  const fields: FieldTree = {};
  for (const name in map) {
    if (pace.isDue()) yield;
    const part = own(map, name);
    if (part === undefined) continue;
    const inner = asMap(part);
    const isMember = part === null || !isNamedField(schema, name) || (inner !== undefined && isEmptyMap(inner));
    const below = asPart(yield* fieldsBelow(fieldSchema(schema, name) ?? anything, part), isMember);
    if (below) fields[fieldElement(name)] = below;
  }
  return isEmpty(fields) ? undefined : fields;
}

function* fieldsOfItems(schema: ListSchema, items: readonly unknown[]): Steps<FieldSet | undefined> {
  if (items.length === 0) return undefined;
  const fields: FieldTree = {};
  const duplicates = new Set<PathElement>();
  for (const item of items) {
    if (pace.isDue()) yield;
    const element = itemElement(schema, item);
    if (duplicates.has(element)) continue;
    if (Object.hasOwn(fields, element)) {
      duplicates.add(element);
      fields[element] = leaf;
    } else fields[element] = asPart(yield* fieldsBelow(schema.items, item), true) ?? leaf;
  }
  return fields;
}

function asPart(below: FieldSet | undefined, isMember: boolean): FieldSet | undefined {
  if (!isMember || below === undefined || isEmpty(below)) return isMember ? (below ?? leaf) : below;
  return { '.': leaf, ...below };
}

/** The set with every field that has a name in its type and something below it. */
export const withNamedFields = (schema: Schema, set: FieldSet): FieldSet => takeSteps(namedInSteps(schema, set));

export function* namedInSteps(schema: Schema, set: FieldSet): Steps<FieldSet> {
  let named: FieldTree | undefined;
  for (const element of elementsOf(set)) {
    if (pace.isDue()) yield;
    const below = set[element] ?? leaf;
    if (isEmpty(below)) continue;
    const inner = yield* namedInSteps(schemaAt(schema, element) ?? scalar, below);
    const isMember = '.' in inner || (element.startsWith('f:') && isNamedField(schema, element.slice(2)));
    const whole = isMember && !('.' in inner) ? { '.': leaf, ...inner } : inner;
    if (whole === below) continue;
    named ??= treeOf(set);
    named[element] = whole;
  }
  return named ?? set;
}

const scalar: Schema = { type: 'string' };
