/**
 * How server-side apply sees a schema: whether a value is a scalar, a list or a map, what is owned as a whole, of which
 * type the parts are, and by which step an item of a list is named. The walkers of this room read schemas through this.
 *
 * What a schema leaves open (`any`) follows from the value: its maps are owned field by field, its lists as a whole.
 * Specified by structured-merge-diff (schema/elements.go, typed/helpers.go), kube-openapi (pkg/schemaconv).
 */
import { own } from '../meta/words.ts';
import { isJsonObject } from '../schema/merge-patch.ts';
import type { FieldSchema, ListSchema, ObjectSchema, Schema } from '../schema/types.ts';
import { keyElement, type PathElement, valueElement } from './path-element.ts';

export type Json = Readonly<Record<string, unknown>>;
export type Shape = 'scalar' | 'list' | 'map';

/** A value that can't be told apart into fields: items of a list without keys, for one. The message is upstream's. */
export class TypedError extends Error {
  override readonly name = 'TypedError';
}

export const anything: Schema = { type: 'any' };

const rawExtension = 'io.k8s.apimachinery.pkg.runtime.RawExtension';

export function shapeOf(schema: Schema, value: unknown): Shape {
  switch (schema.type) {
    case 'object':
    case 'map':
      return 'map';
    case 'list':
      return 'list';
    case 'any':
      if (Array.isArray(value)) return 'list';
      return typeof value === 'object' || value === undefined ? 'map' : 'scalar';
    default:
      return 'scalar';
  }
}

/** Whether a list or map is owned as a whole. */
export function isAtomic(schema: Schema, shape: Shape): boolean {
  switch (schema.type) {
    case 'object':
    case 'map':
      return schema.atomic;
    case 'list':
      return schema.listType === 'atomic';
    default:
      return shape === 'list' || (schema.type === 'any' && schema.name === rawExtension);
  }
}

export const asMap = (value: unknown): Json | undefined => (isJsonObject(value) ? value : undefined);
export const asList = (value: unknown): readonly unknown[] | undefined => (Array.isArray(value) ? value : undefined);

export function isEmptyMap(map: Json): boolean {
  for (const _ in map) return false;
  return true;
}

/** The type of a field of a map; undefined for one that there can't be. */
export function fieldSchema(schema: Schema, name: string): Schema | undefined {
  switch (schema.type) {
    case 'object':
      return schema.fields.get(name)?.schema ?? (schema.preserveUnknown ? anything : undefined);
    case 'map':
      return schema.values;
    case 'any':
      return anything;
    default:
      return undefined;
  }
}

const absentTimes = new WeakMap<ObjectSchema, readonly string[]>();
const none: readonly string[] = [];

/** The fields that are owned when they are absent, too. */
export function ownedWhenAbsent(schema: Schema): readonly string[] {
  if (schema.type !== 'object') return none;
  let names = absentTimes.get(schema);
  if (!names) {
    names = [...schema.fields.values()].filter((field) => field.ownedWhenAbsent).map(({ name }) => name);
    absentTimes.set(schema, names);
  }
  return names;
}

/** Whether the field has a name of its own in the type: it is no entry of a map. */
export const isNamedField = (schema: Schema, name: string): boolean => schema.type === 'object' && schema.fields.has(name);

/** The type of what a step leads to. */
export function schemaAt(schema: Schema, element: PathElement): Schema | undefined {
  if (element.startsWith('f:')) return fieldSchema(schema, element.slice(2));
  return element.startsWith('k:') && schema.type === 'list' ? schema.items : undefined;
}

const zeros: Readonly<Record<string, unknown>> = { string: '', boolean: false, int32: 0, int64: 0, double: 0, intOrString: 0 };

/** What an item without this key counts as. */
function keyDefault(field: FieldSchema | undefined): unknown {
  if (!field) return undefined;
  return field.default ?? (field.presence === 'always' ? own(zeros, field.schema.type) : undefined);
}

/** The step to an item of a set or of a list with keys. Throws TypedError for an item that has none. */
export function itemElement({ items, listType, listMapKeys }: ListSchema, item: unknown): PathElement {
  if (listType === 'set') return setElement(item);
  if (item === null || item === undefined) throw new TypedError('associative list with keys may not have a null element');
  const map = asMap(item);
  if (!map) throw new TypedError('associative list with keys may not have non-map elements');
  const keys: [string, unknown][] = [];
  for (const name of listMapKeys) {
    const value = own(map, name);
    const key = value === undefined && items.type === 'object' ? keyDefault(items.fields.get(name)) : value;
    if (key !== undefined) keys.push([name, key]);
  }
  if (keys.length > 0) return keyElement(keys);
  const list = `[${listMapKeys.map((name) => JSON.stringify(name)).join(' ')}]`;
  throw new TypedError(
    `associative list with keys has an element that omits all key fields ${list} (and doesn't have default values for any key fields)`,
  );
}

function setElement(item: unknown): PathElement {
  if (Array.isArray(item)) throw new TypedError('not supported: associative list with lists as elements');
  if (item === null || item === undefined) {
    throw new TypedError("associative list without keys has an element that's an explicit null");
  }
  if (typeof item === 'object') throw new TypedError("associative list without keys has an element that's a map type");
  return valueElement(item);
}
