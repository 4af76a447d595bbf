/**
 * What expressions compute with. Numbers of JSON are read where they are: an int is a bigint, a double a number. Lists and
 * maps are views of the frozen objects of the store (`raw` with a reader for its items), or of what an expression made.
 *
 * Equality and order are CEL's: numbers of all types on one line, lists in order, maps by key. An error is a value too,
 * since && and || take it back when the other side decides.
 */

import { longWork, Pace, type Steps, takeSteps } from '../meta/steps.ts';
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
    for (const _ in this.raw) {
      count += 1;
      if (count > COUNTED_AGAIN) return knownSizes.getOrInsertComputed(this.raw, (raw) => Object.keys(raw).length);
    }
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

/** Larger maps are counted once: an expression may ask each time a loop goes round. */
const COUNTED_AGAIN = 100;
const knownSizes = new WeakMap<object, number>();

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
  return equalsAtOnce(a, b) ?? takeSteps(equalsInSteps(a, b, new Pace(Number.POSITIVE_INFINITY)));
}

/** Undefined for what has parts that are to be compared. */
export function equalsAtOnce(a: Value, b: Value): boolean | undefined {
  if (a === b) return true;
  if (typeof a === 'string' || typeof b === 'string' || typeof a === 'boolean' || a === null || b === null) return false;
  const order = compareNumbers(a, b);
  if (order !== undefined) return order === 0;
  if (a instanceof List) return b instanceof List ? undefined : false;
  if (a instanceof MapValue) return b instanceof MapValue ? undefined : false;
  if (a instanceof Timestamp) return b instanceof Timestamp && a.ns === b.ns;
  if (a instanceof Duration) return b instanceof Duration && a.ns === b.ns;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Optional) {
    if (!(b instanceof Optional)) return false;
    return a.value === undefined || b.value === undefined ? a.value === b.value : equalsAtOnce(a.value, b.value);
  }
  return a instanceof Foreign && a.equals(b);
}

/** For those that `equalsAtOnce` leaves open. */
export function* equalsInSteps(a: Value, b: Value, pace: Pace): Steps<boolean> {
  if (a instanceof List && b instanceof List) return yield* equalLists(a, b, pace);
  if (a instanceof MapValue && b instanceof MapValue) return yield* equalMaps(a, b, pace);
  if (a instanceof Optional && b instanceof Optional) return yield* equalsInSteps(a.value ?? null, b.value ?? null, pace);
  return equals(a, b);
}

function* equalLists(a: List, b: List, pace: Pace): Steps<boolean> {
  if (a.size !== b.size) return false;
  if (a.rule === 'atomic') {
    for (let i = 0; i < a.size; i += 1) {
      if (pace.isDue()) yield longWork;
      const left = a.at(i) ?? null;
      const right = b.at(i) ?? null;
      if (!(equalsAtOnce(left, right) ?? (yield* equalsInSteps(left, right, pace)))) return false;
    }
    return true;
  }
  if (a.rule === 'set') {
    const items = new Set(a.json());
    if (pace.isDue(a.size)) yield longWork;
    return b.json().every((item) => items.has(item));
  }
  const { keys } = a.rule;
  const places = new Map<string, number>();
  for (const [i, item] of a.json().entries()) {
    if (pace.isDue(KEY_EFFORT)) yield longWork;
    places.set(itemKey(item, keys), i);
  }
  for (const [i, item] of b.json().entries()) {
    if (pace.isDue(KEY_EFFORT)) yield longWork;
    const left = a.at(places.get(itemKey(item, keys)) ?? -1);
    const right = b.at(i) ?? null;
    if (left === undefined || !(equalsAtOnce(left, right) ?? (yield* equalsInSteps(left, right, pace)))) return false;
  }
  return true;
}

/** Where in the list the item is first, from `from` on; -1: nowhere. */
export function* placeOf(list: List, item: Value, pace: Pace, from = 0): Steps<number> {
  for (let i = from; i < list.size; i += 1) {
    if (pace.isDue()) yield longWork;
    const other = list.at(i) ?? null;
    if (equalsAtOnce(other, item) ?? (yield* equalsInSteps(other, item, pace))) return i;
  }
  return -1;
}

/** Making the key of an item, in items looked at. */
export const KEY_EFFORT = 5;

/** What tells items of a keyed list apart. */
export function itemKey(item: unknown, keys: readonly string[]): string {
  const fields = item as Readonly<Record<string, unknown>> | null;
  return JSON.stringify(keys.map((key) => own(fields ?? undefined, key) ?? null));
}

function* equalMaps(a: MapValue, b: MapValue, pace: Pace): Steps<boolean> {
  if (a.size !== b.size) return false;
  for (const key of a.keys()) {
    if (pace.isDue()) yield longWork;
    const value = a.get(key);
    const other = b.get(key);
    if (value === undefined && other === undefined) continue;
    if (value === undefined || other === undefined || other instanceof CelError) return false;
    if (!(equalsAtOnce(value, other) ?? (yield* equalsInSteps(value, other, pace)))) return false;
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
