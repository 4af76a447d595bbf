/**
 * What expressions compute with. Numbers of JSON are read where they are: an int is a bigint, a double a number. Lists and
 * maps are views of the frozen objects of the store (`raw` with a reader for its items), or of what an expression made.
 *
 * Equality and order are CEL's: numbers of all types on one line, lists in order, maps by key. An error is a value too,
 * since && and || take it back when the other side decides.
 */

import { own } from '../meta/words.ts';

export type Value =
  | null
  | boolean
  /** int */
  | bigint
  /** double */
  | number
  | Uint
  | string
  | Uint8Array
  | Timestamp
  | Duration
  | List
  | MapValue
  | Optional
  | TypeValue
  | Foreign
  | CelError;

/** What an evaluation ends with, or a library function throws. Carries no stack: it is an answer, not a fault. */
export class CelError {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

export function noSuchOverload(): CelError {
  return new CelError('no such overload');
}

export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** Nanoseconds since 1970, and the offset from UTC that it was written with, which printing keeps. */
export class Timestamp {
  readonly ns: bigint;
  readonly offsetMinutes: number;
  constructor(ns: bigint, offsetMinutes = 0) {
    this.ns = ns;
    this.offsetMinutes = offsetMinutes;
  }
}

export class Duration {
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

export class Optional {
  static readonly none = new Optional(undefined);
  readonly value: Value | undefined;
  constructor(value: Value | undefined) {
    this.value = value;
  }
}

/** What `type(x)` gives and type names stand for. */
export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A value of a library's own type: an address, a quantity, an authorizer. */
export abstract class Foreign {
  abstract readonly typeName: string;
  abstract equals(other: Value): boolean;
  /** what costs count; undefined: 1 */
  get size(): number | undefined {
    return undefined;
  }
}

export type Reader = (raw: unknown) => Value;

/** How lists of the API are compared and added: in order, as sets, or by the keys of their items. */
export type ListRule = 'atomic' | 'set' | { readonly keys: readonly string[] };

export class List {
  readonly raw: readonly unknown[];
  readonly read: Reader;
  readonly rule: ListRule;
  constructor(raw: readonly unknown[], read: Reader = asIs, rule: ListRule = 'atomic') {
    this.raw = raw;
    this.read = read;
    this.rule = rule;
  }
  get size(): number {
    return this.raw.length;
  }
  /** undefined outside */
  at(index: number): Value | undefined {
    return index >= 0 && index < this.raw.length ? this.read(this.raw[index]) : undefined;
  }
  /** Its items as JSON: what sets and keyed lists compare. */
  json(): readonly unknown[] {
    return this.read === asIs ? this.raw.map((item) => toJson(item as Value)) : this.raw;
  }
  *[Symbol.iterator](): Generator<Value> {
    for (const item of this.raw) yield this.read(item);
  }
}

const asIs: Reader = (raw) => raw as Value;

export abstract class MapValue {
  abstract readonly size: number;
  /** undefined when there is no such key; an error for a key that can't be one */
  abstract get(key: Value): Value | undefined;
  abstract keys(): Iterable<Value>;
}

/** A list that a loop is making: what is added to it is added in place. No expression sees it before it is done. */
export class GrowingList extends List {
  readonly #items: Value[];
  constructor() {
    const items: Value[] = [];
    super(items);
    this.#items = items;
  }
  push(items: Iterable<Value>): void {
    for (const item of items) this.#items.push(item);
  }
}

/** A map that an expression made. Keys that are equal numbers are one key. */
export class EntryMap extends MapValue {
  readonly #entries = new Map<unknown, { readonly key: Value; readonly value: Value }>();
  override get size(): number {
    return this.#entries.size;
  }
  override get(key: Value): Value | undefined {
    return this.#entries.get(asKey(key))?.value;
  }
  override *keys(): Generator<Value> {
    for (const { key } of this.#entries.values()) yield key;
  }
  /** For whoever makes the map only. */
  set(key: Value, value: Value): void {
    this.#entries.set(asKey(key), { key, value });
  }
  /** For whoever makes the map only. */
  delete(key: Value): void {
    this.#entries.delete(asKey(key));
  }
}

/** What maps and sets know a value by: numbers that are equal are one. */
export function asKey(key: Value): unknown {
  if (key instanceof Uint) return key.value;
  return typeof key === 'number' && Number.isInteger(key) ? BigInt(key) : key;
}

/** Whether a literal map or `@mapInsert` may have this key. */
export function isKey(key: Value): boolean {
  return typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean' || key instanceof Uint;
}

/**
 * An object of JSON: `property` says what a name is in it and how its value is read. For a map all names are the same;
 * for an object of a schema a name is as expressions write it.
 */
export class JsonMap extends MapValue {
  readonly raw: Readonly<Record<string, unknown>>;
  readonly shape: MapShape;
  constructor(raw: Readonly<Record<string, unknown>>, shape: MapShape) {
    super();
    this.raw = raw;
    this.shape = shape;
  }
  override get size(): number {
    let count = 0;
    for (const _ in this.raw) count += 1;
    return count;
  }
  override get(key: Value): Value | undefined {
    return typeof key === 'string' ? this.shape.get(this.raw, key) : noSuchOverload();
  }
  override *keys(): Generator<Value> {
    for (const name of Object.keys(this.raw)) {
      const key = this.shape.key(name);
      if (key !== undefined) yield key;
    }
  }
}

export interface MapShape {
  get(raw: Readonly<Record<string, unknown>>, key: string): Value | undefined;
  /** the name as expressions write it; undefined for one that they don't see */
  key(name: string): string | undefined;
}

/** Any JSON, without a schema. Whole numbers are ints, as Kubernetes' own decoder makes them. */
export function readJson(raw: unknown): Value {
  switch (typeof raw) {
    case 'number':
      return Number.isInteger(raw) ? BigInt(raw) : raw;
    case 'object':
      if (raw === null) return null;
      if (Array.isArray(raw)) return new List(raw, readJson);
      return raw instanceof Object && Object.getPrototypeOf(raw) !== Object.prototype && Object.getPrototypeOf(raw) !== null
        ? (raw as Value)
        : new JsonMap(raw as Readonly<Record<string, unknown>>, anyShape);
    case 'undefined':
      return null;
    default:
      return raw as Value;
  }
}

const anyShape: MapShape = {
  get: (raw, key) => {
    const value = own(raw, key);
    return value === undefined ? undefined : readJson(value);
  },
  key: (name) => name,
};

/** JSON of a value, for what is stored or sent. Throws CelError for what JSON has no form for. */
export function toJson(value: Value): unknown {
  switch (typeof value) {
    case 'bigint':
      return Number(value);
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (value instanceof Uint) return Number(value.value);
  if (value instanceof List) return Array.from(value, toJson);
  if (value instanceof JsonMap) return value.raw;
  if (value instanceof MapValue) {
    return Object.fromEntries(
      Array.from(value.keys(), (key) => [String(key instanceof Uint ? key.value : key), toJson(value.get(key) ?? null)]),
    );
  }
  throw new CelError(`no JSON form of a ${typeName(value)}`);
}

/** What `type(value)` is called. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    default:
  }
  if (value === null) return 'null_type';
  if (value instanceof List) return 'list';
  if (value instanceof MapValue) return 'map';
  if (value instanceof Uint) return 'uint';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Optional) return 'optional_type';
  if (value instanceof TypeValue) return 'type';
  return value instanceof Foreign ? value.typeName : 'error';
}

export function equals(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a === 'string' || typeof b === 'string' || typeof a === 'boolean' || a === null || b === null) return false;
  const order = compareNumbers(a, b);
  if (order !== undefined) return order === 0;
  if (a instanceof List) return b instanceof List && equalLists(a, b);
  if (a instanceof MapValue) return b instanceof MapValue && equalMaps(a, b);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.ns === b.ns;
  if (a instanceof Duration) return b instanceof Duration && a.ns === b.ns;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Optional) {
    if (!(b instanceof Optional)) return false;
    return a.value === undefined || b.value === undefined ? a.value === b.value : equals(a.value, b.value);
  }
  return a instanceof Foreign && a.equals(b);
}

function equalLists(a: List, b: List): boolean {
  if (a.size !== b.size) return false;
  if (a.rule === 'atomic') {
    for (let i = 0; i < a.size; i += 1) if (!equals(a.at(i) ?? null, b.at(i) ?? null)) return false;
    return true;
  }
  if (a.rule === 'set') {
    const items = new Set(a.json());
    return b.json().every((item) => items.has(item));
  }
  const keys = a.rule.keys;
  const places = new Map(a.json().map((item, i) => [itemKey(item, keys), i]));
  return b.json().every((item, i) => {
    const place = places.get(itemKey(item, keys));
    return place !== undefined && equals(a.at(place) ?? null, b.at(i) ?? null);
  });
}

/** What tells items of a keyed list apart. */
export function itemKey(item: unknown, keys: readonly string[]): string {
  const fields = item as Readonly<Record<string, unknown>> | null;
  return JSON.stringify(keys.map((key) => own(fields ?? undefined, key) ?? null));
}

function equalMaps(a: MapValue, b: MapValue): boolean {
  if (a.size !== b.size) return false;
  for (const key of a.keys()) {
    const value = a.get(key);
    const other = b.get(key);
    if (value === undefined && other === undefined) continue;
    if (value === undefined || other === undefined || other instanceof CelError || !equals(value, other)) return false;
  }
  return true;
}

/** Of two numbers of any types: below 0, 0, above 0, NaN; undefined when one is no number. An int meets a double as one. */
export function compareNumbers(a: Value, b: Value): number | undefined {
  let left = a instanceof Uint ? a.value : a;
  let right = b instanceof Uint ? b.value : b;
  if ((typeof left !== 'bigint' && typeof left !== 'number') || (typeof right !== 'bigint' && typeof right !== 'number')) return undefined;
  if (typeof left !== typeof right) [left, right] = [Number(left), Number(right)];
  if (left < right) return -1;
  if (left > right) return 1;
  return left === right ? 0 : Number.NaN;
}

/** As compareNumbers, for all that has an order: strings by code points, bytes, bools, times. */
export function compare(a: Value, b: Value): number | undefined {
  if (typeof a === 'string') return typeof b === 'string' ? compareStrings(a, b) : undefined;
  if (typeof a === 'boolean') return typeof b === 'boolean' ? Number(a) - Number(b) : undefined;
  if (a instanceof Timestamp || a instanceof Duration) {
    if (!(b instanceof Timestamp || b instanceof Duration) || a.constructor !== b.constructor) return undefined;
    return a.ns < b.ns ? -1 : Number(a.ns > b.ns);
  }
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? Buffer.compare(a, b) : undefined;
  return compareNumbers(a, b);
}

function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    if (a.charCodeAt(i) !== b.charCodeAt(i)) {
      const left = a.codePointAt(i) ?? 0;
      const right = b.codePointAt(i) ?? 0;
      // a low surrogate that differs belongs to two characters that begin alike
      return left - right;
    }
  }
  return a.length - b.length;
}

/** Characters of a string, as size() counts them. */
export function stringSize(text: string): number {
  let pairs = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit < 0xdc00) pairs += 1;
  }
  return text.length - pairs;
}

/** What costs count: characters, bytes, items, entries; 1 for the rest. */
export function costSize(value: Value): number {
  if (typeof value === 'string') return stringSize(value);
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof List || value instanceof MapValue) return value.size;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof Optional) return value.value === undefined ? 1 : costSize(value.value);
  return value instanceof Foreign ? (value.size ?? 1) : 1;
}
