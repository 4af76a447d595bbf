/**
 * Brings a parsed JSON body into the form that upstream would have after decoding and encoding it: unknown fields are
 * pruned and reported, types checked, nulls dropped, quantities and times made canonical, zero values dropped or filled
 * in where Go's types do so. One pass, compiled per type into closures on first use; a value that needs no change is
 * returned as it is, and nothing is changed in place.
 *
 * Not done here: defaults (default.ts), validation (validate.ts), duplicate fields (json-scan.ts).
 * Upstream: sigs.k8s.io/json, apimachinery/pkg/runtime/serializer/json.
 */

import { base64ErrorAt, canonicalBase64 } from '../meta/base64.ts';
import { parseDuration } from '../meta/duration.ts';
import { canonicalizeQuantity, QuantityError } from '../meta/quantity.ts';
import { canonicalizeMicroTime, canonicalizeTime, describeTimeError } from '../meta/time.ts';
import { own, put } from '../meta/words.ts';
import { nestingMax } from './nesting.ts';
import { type FieldSchema, type ObjectSchema, objectSchema, type Schema } from './types.ts';

/** A body of the wrong type; the message is upstream's, without the kind before it. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

export interface DecodeOptions {
  /** every object and list of the result is new (for callers that keep what they passed) */
  readonly copy?: boolean;
}

export interface Decoded {
  readonly value: Json;
  /** `unknown field "spec.foo"`, in the order of the body, at most 100 */
  readonly unknown: readonly string[];
  /** how many fields the body has, at all levels */
  readonly fieldCount: number;
}

type Json = Record<string, unknown>;

/** Problems that are told of one body. */
export const problemsMax = 100;

type Step = string | number | FieldSchema;

class Context {
  readonly copy: boolean;
  readonly path: Step[] = [];
  readonly unknown: string[] = [];
  /** the Go struct that holds the field at hand */
  struct = '';
  fieldCount = 0;
  depth = 0;
  constructor(options: DecodeOptions) {
    this.copy = options.copy ?? false;
  }
  enter(): void {
    if (++this.depth > nestingMax) throw new DecodeError('exceeded max depth');
  }
  reportUnknown(key: string): void {
    if (this.unknown.length < problemsMax) this.unknown.push(`unknown field ${JSON.stringify(this.#describePath(key))}`);
  }
  #describePath(last: string): string {
    let text = '';
    for (const step of [...this.path, last]) {
      if (typeof step === 'number') text += `[${step}]`;
      else text += `${text && '.'}${typeof step === 'string' ? step : step.name}`;
    }
    return text;
  }
  fail(value: unknown, goType: string, literal = false): never {
    const fields = this.path.filter((step) => typeof step === 'object');
    const path = fields.map((f) => (f.inlined ? `${f.inlined}.${f.name}` : f.name)).join('.');
    const what = typeof value === 'number' && literal ? `number ${value}` : kindOf(value);
    throw new DecodeError(`json: cannot unmarshal ${what} into Go struct field ${this.struct}.${path} of type ${goType}`);
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

/** `value` is never null or undefined; undefined as the result drops the value. */
type Walk = (value: unknown, context: Context) => unknown;

export function decode(schema: ObjectSchema, value: Readonly<Json>, options: DecodeOptions = {}): Decoded {
  const context = new Context(options);
  if (schema.custom) return { ...schema.custom.prune(anyWalk(value, context) as Json), fieldCount: context.fieldCount };
  const decoded = objectWalk(schema)(value, context) as Json;
  return { value: decoded, unknown: context.unknown, fieldCount: context.fieldCount };
}

const objectWalks = new WeakMap<ObjectSchema, Walk>();

function objectWalk(schema: ObjectSchema): Walk {
  let walk = objectWalks.get(schema);
  if (!walk) {
    walk = compileObject(schema);
    objectWalks.set(schema, walk);
  }
  return walk;
}

interface FieldWalk {
  readonly field: FieldSchema;
  readonly walk: Walk;
  readonly dropsZero: boolean;
}

/** The entries before `key`, which were all kept as they are. */
function copyBefore(source: Json, key: string): Json {
  const target: Json = {};
  for (const k in source) {
    if (k === key) break;
    put(target, k, source[k]);
  }
  return target;
}

function compileObject(schema: ObjectSchema): Walk {
  let fields: ReadonlyMap<string, FieldWalk> | undefined;
  let always: readonly FieldWalk[] = [];
  const structName = schema.name.slice(schema.name.lastIndexOf('.') + 1);
  const goType = schema.name.split('.').slice(-2).join('.');
  const compile = (): ReadonlyMap<string, FieldWalk> => {
    const made = new Map([...schema.fields.values()].map((field) => [field.name, compileField(field)]));
    always = [...made.values()].filter((f) => f.field.presence === 'always');
    return made;
  };
  return (value, context) => {
    if (typeof value !== 'object' || Array.isArray(value)) context.fail(value, goType);
    fields ??= compile();
    context.enter();
    const outer = context.struct;
    context.struct = structName;
    const source = value as Json;
    let target: Json | undefined = context.copy ? {} : undefined;
    for (const key in source) {
      const given = source[key];
      const next = decodeEntry(fields.get(key), key, given, context, schema.preserveUnknown);
      if (target) {
        if (next !== undefined) put(target, key, next);
      } else if (next !== given || next === undefined) {
        target = copyBefore(source, key);
        if (next !== undefined) put(target, key, next);
      }
    }
    for (const f of always) {
      if (own(target ?? source, f.field.name) !== undefined) continue;
      target ??= { ...source };
      context.path.push(f.field);
      put(target, f.field.name, f.field.nullable ? null : zeroOf(f.field.schema, context));
      context.path.pop();
    }
    context.struct = outer;
    context.depth--;
    return target ?? source;
  };
}

function decodeEntry(entry: FieldWalk | undefined, key: string, given: unknown, context: Context, preserve: boolean): unknown {
  context.fieldCount++;
  if (!entry) {
    const rest = given !== null && typeof given === 'object' ? anyWalk(given, context) : given;
    if (preserve) return rest;
    context.reportUnknown(key);
    return undefined;
  }
  if (given === null || given === undefined) return entry.field.nullable ? null : undefined;
  context.path.push(entry.field);
  const before = context.fieldCount;
  const next = entry.walk(given, context);
  context.path.pop();
  // Its fields were counted: a large map is not enumerated for that again.
  if (entry.field.schema.type === 'map' && context.fieldCount > before) return next;
  if (entry.dropsZero && isZero(next)) return undefined;
  return entry.field.nullable && isZero(next) ? null : next;
}

function isZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) {
    if (Array.isArray(value)) return value.length === 0;
    for (const _ in value) return false;
    return true;
  }
  return value === '' || value === 0 || value === false;
}

function compileField(field: FieldSchema): FieldWalk {
  return { field, walk: compileValue(field.schema, field.goType), dropsZero: field.presence === 'dropped' };
}

/** What an absent or null value is where one has to be. */
function zeroOf(schema: Schema, context: Context): unknown {
  switch (schema.type) {
    case 'string':
    case 'bytes':
      return '';
    case 'boolean':
      return false;
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0;
    case 'quantity':
      return '0';
    case 'duration':
      return '0s';
    case 'list':
      return [];
    case 'map':
      return {};
    case 'object':
      return objectWalk(schema)({}, context);
    case 'any':
      return null;
    case 'time':
    case 'microTime':
      return undefined;
  }
}

function compileValue(schema: Schema, goType: string): Walk {
  switch (schema.type) {
    case 'object':
      return (value, context) => objectWalk(schema)(value, context);
    case 'list':
      return compileList(schema.items, goType);
    case 'map':
      return compileMap(schema.values, goType);
    case 'any':
      return schemaUnion(schema.name) ?? ((value, context) => (typeof value === 'object' ? anyWalk(value as object, context) : value));
    case 'string':
      return (value, context) => (typeof value === 'string' ? value : context.fail(value, goType));
    case 'boolean':
      return (value, context) => (typeof value === 'boolean' ? value : context.fail(value, goType));
    case 'double':
      return (value, context) => (typeof value === 'number' ? value : context.fail(value, goType));
    case 'int32':
      return (value, context) => (isInt32(value) ? value : context.fail(value, goType, true));
    case 'int64':
      return (value, context) => toInt64(value) ?? context.fail(value, goType, true);
    case 'intOrString':
      return (value, context) => (typeof value === 'string' || isInt32(value) ? value : context.fail(value, 'int32', true));
    case 'bytes':
      return (value, context) => (typeof value === 'string' ? decodeBase64(value) : context.fail(value, goType));
    case 'quantity':
      return decodeQuantity;
    case 'duration':
      return (value, context) => (parseDuration(String(value)) === undefined ? context.fail(value, goType) : value);
    case 'time':
      return (value, context) => {
        if (typeof value !== 'string') return context.fail(value, 'string');
        return canonicalizeTime(value) ?? failTime(value, 'second');
      };
    case 'microTime':
      return (value, context) => {
        if (typeof value !== 'string') return context.fail(value, 'string');
        return canonicalizeMicroTime(value) ?? failTime(value, 'micro');
      };
  }
}

function failTime(value: string, precision: 'second' | 'micro'): never {
  throw new DecodeError(describeTimeError(value, precision));
}

const isInt32 = (value: unknown): value is number => typeof value === 'number' && (value | 0) === value;

/** The largest number of a double's precision that clients can read as an int64. */
const int64Max = 2 ** 63 - 1024;

/** An integer that clients can read. The limits themselves, which people do write, are 2^63 to JSON.parse: they become the nearest. */
function toInt64(value: unknown): number | undefined {
  if (!Number.isInteger(value) || Math.abs(value as number) > 2 ** 63) return undefined;
  return Math.min(Math.max(value as number, -int64Max), int64Max);
}

function decodeQuantity(value: unknown): string {
  try {
    return canonicalizeQuantity(typeof value === 'string' || typeof value === 'number' ? value : '?');
  } catch (error) {
    if (error instanceof QuantityError) throw new DecodeError(error.message);
    throw error;
  }
}

function compileList(items: Schema, goType: string): Walk {
  const itemType = goType.startsWith('[]') ? goType.slice(2) : goType;
  const walk = compileValue(items, itemType);
  return (value, context) => {
    if (!Array.isArray(value)) return context.fail(value, goType);
    context.enter();
    let target: unknown[] | undefined = context.copy ? [] : undefined;
    for (let i = 0; i < value.length; i++) {
      const given: unknown = value[i];
      context.path.push(i);
      const next = given === null || given === undefined ? zeroOf(items, context) : walk(given, context);
      context.path.pop();
      if (target) target.push(next);
      else if (next !== given) target = [...value.slice(0, i), next];
    }
    context.depth--;
    return target ?? value;
  };
}

function compileMap(values: Schema, goType: string): Walk {
  const valueType = goType.startsWith('map[string]') ? goType.slice('map[string]'.length) : goTypeOfMapValue(values);
  const walk = compileValue(values, valueType);
  return (value, context) => {
    if (typeof value !== 'object' || Array.isArray(value)) return context.fail(value, goType);
    context.enter();
    const source = value as Json;
    let target: Json | undefined = context.copy ? {} : undefined;
    for (const key in source) {
      const given = source[key];
      context.fieldCount++;
      if (given === undefined) {
        target ??= copyBefore(source, key);
        continue;
      }
      context.path.push(key);
      const next = given === null ? zeroOf(values, context) : walk(given, context);
      context.path.pop();
      if (target) put(target, key, next);
      else if (next !== given) {
        target = copyBefore(source, key);
        put(target, key, next);
      }
    }
    context.depth--;
    return target ?? source;
  };
}

/** For named map types (v1.ResourceList), whose values the Go name does not say. */
function goTypeOfMapValue(values: Schema): string {
  return values.type === 'quantity' ? 'resource.Quantity' : values.type;
}

const apiextensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.';

/** The unions in a CustomResourceDefinition's schema: a schema, or what the type's name says. Others hold free JSON. */
function schemaUnion(name: string | undefined): Walk | undefined {
  if (!name?.startsWith(`${apiextensions}JSONSchemaPropsOr`)) return undefined;
  const schema = objectSchema(`${apiextensions}JSONSchemaProps`);
  const takesBool = name.endsWith('OrBool');
  const list = name.endsWith('OrStringArray') ? compileList({ type: 'string' }, '[]string') : compileList(schema, '[]v1.JSONSchemaProps');
  return (value, context) => {
    if (takesBool && (typeof value !== 'object' || Array.isArray(value))) {
      if (typeof value === 'boolean') return value;
      throw new DecodeError('boolean or JSON schema expected');
    }
    if (Array.isArray(value)) return list(value, context);
    return typeof value === 'object' ? objectWalk(schema)(value, context) : undefined;
  };
}

/** Free JSON: counted and bounded in depth, copied when asked for. */
function anyWalk(value: object, context: Context): unknown {
  context.enter();
  let result: unknown = value;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => (item !== null && typeof item === 'object' ? anyWalk(item, context) : item));
    if (context.copy) result = items;
  } else {
    const copy: Json = {};
    for (const key in value) {
      context.fieldCount++;
      const item = own(value as Json, key);
      const next = item !== null && typeof item === 'object' ? anyWalk(item, context) : item;
      if (context.copy) put(copy, key, next);
    }
    if (context.copy) result = copy;
  }
  context.depth--;
  return result;
}

function decodeBase64(text: string): string {
  const value = canonicalBase64(text);
  if (value !== undefined) return value;
  throw new DecodeError(`illegal base64 data at input byte ${base64ErrorAt(text)}`);
}
