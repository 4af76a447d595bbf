/**
 * Fills in constant defaults, from both tables: what an absent field becomes whatever the other fields say. Compiled per
 * type into closures that visit only what has defaults below it; nothing is changed in place, and an object that is
 * complete comes back as it is. Quantities of resource lists are rounded up to thousandths, as upstream does here.
 */

import { formatQuantity, parseQuantity, quantityMilliValue } from '../meta/quantity.ts';
import { own, put } from '../meta/words.ts';
import { rulesOf } from './type-rules.ts';
import type { FieldSchema, ObjectSchema, Schema } from './types.ts';

type Json = Readonly<Record<string, unknown>>;
type Walk = (value: unknown) => unknown;

/** The object with its constant defaults. */
export function applyDefaults<T extends object>(schema: ObjectSchema, object: T): T {
  if (schema.custom) return schema.custom.fill(object);
  const walk = walkOf(schema);
  return walk ? (walk(object) as T) : object;
}

/** undefined: nothing to fill in below */
const walks = new WeakMap<ObjectSchema, { readonly walk: Walk | undefined }>();

interface FieldDefault {
  readonly name: string;
  readonly value: unknown;
  readonly replacesZero: boolean;
}
interface FieldWalk {
  readonly name: string;
  readonly walk: Walk;
}

function walkOf(schema: ObjectSchema): Walk | undefined {
  const known = walks.get(schema);
  if (known) return known.walk;
  // A type that holds itself is taken to have something to fill in, until it turns out that it has not.
  const pending: { walk: Walk | undefined } = { walk: (value) => walks.get(schema)?.walk?.(value) ?? value };
  walks.set(schema, pending);
  const compiled = compileObject(schema);
  walks.set(schema, { walk: compiled });
  return compiled;
}

function compileObject(schema: ObjectSchema): Walk | undefined {
  const rules = rulesOf(schema.name) ?? {};
  const defaults: FieldDefault[] = [];
  const below: FieldWalk[] = [];
  for (const field of schema.fields.values()) {
    const value = own(rules, field.name)?.default ?? field.default;
    if (value !== undefined) defaults.push({ name: field.name, value, replacesZero: field.presence !== 'kept' });
    const walk = compileField(field);
    if (walk) below.push({ name: field.name, walk });
  }
  if (!defaults.length && !below.length) return undefined;
  return (value) => fillObject(value as Json, defaults, below);
}

function fillObject(source: Json, defaults: readonly FieldDefault[], below: readonly FieldWalk[]): Json {
  let target: Record<string, unknown> | undefined;
  for (const d of defaults) {
    const given = own(source, d.name);
    if (given !== undefined && !(d.replacesZero && isZero(given))) continue;
    target ??= { ...source };
    put(target, d.name, d.value);
  }
  for (const f of below) {
    const given = own(target ?? source, f.name);
    if (given === undefined || given === null) continue;
    const next = f.walk(given);
    if (next === given) continue;
    target ??= { ...source };
    put(target, f.name, next);
  }
  return target ?? source;
}

const isZero = (value: unknown): boolean => value === '' || value === 0 || value === false || (Array.isArray(value) && !value.length);

function compileField(field: FieldSchema): Walk | undefined {
  if (field.goType === 'v1.ResourceList') return roundResources;
  return compileValue(field.schema);
}

function compileValue(schema: Schema): Walk | undefined {
  if (schema.type === 'object') return walkOf(schema);
  if (schema.type === 'list') {
    const walk = compileValue(schema.items);
    return walk && ((value) => fillList(value as readonly unknown[], walk));
  }
  if (schema.type === 'map') {
    const walk = compileValue(schema.values);
    return walk && ((value) => fillMap(value as Json, walk));
  }
  return undefined;
}

function fillList(source: readonly unknown[], walk: Walk): readonly unknown[] {
  let target: unknown[] | undefined;
  for (let i = 0; i < source.length; i++) {
    const next = walk(source[i]);
    if (next === source[i]) continue;
    target ??= source.slice();
    target[i] = next;
  }
  return target ?? source;
}

function fillMap(source: Json, walk: Walk): Json {
  let target: Record<string, unknown> | undefined;
  for (const key in source) {
    const next = walk(source[key]);
    if (next === source[key]) continue;
    target ??= { ...source };
    put(target, key, next);
  }
  return target ?? source;
}

/** What a canonical quantity below one thousandth looks like. */
const finerThanMilli = /[nu]$|e-/;

function roundResources(value: unknown): unknown {
  return fillMap(value as Json, (quantity) => {
    if (typeof quantity !== 'string' || !finerThanMilli.test(quantity)) return quantity;
    const { format } = parseQuantity(quantity);
    return formatQuantity({ unscaled: BigInt(quantityMilliValue(quantity)), scale: -3, format });
  });
}
