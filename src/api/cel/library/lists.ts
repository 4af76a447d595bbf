/**
 * Functions on lists: Kubernetes' own (isSorted, sum, min, max, indexOf), CEL's lists library of version 3 and its sets
 * (ext/lists.go, ext/sets.go of cel-go).
 */

import { longWork, type Pace, type Steps } from '../../meta/steps.ts';
import { type Declaration, func, method } from '../environment.ts';
import { int64, uint64 } from '../numbers.ts';
import { Long } from '../run.ts';
import { durationOf } from '../time.ts';
import type { Type } from '../types.ts';
import * as t from '../types.ts';
import {
  asKey,
  CelError,
  compare,
  Duration,
  List,
  noSuchOverload,
  Optional,
  placeOf,
  type Reader,
  typeName,
  Uint,
  type Value,
} from '../values.ts';

const A = t.paramType('A');
const listA = t.listOf(A);
const list = (x: Value): List => x as List;

const comparable: readonly Type[] = [t.INT, t.UINT, t.DOUBLE, t.BOOL, t.DURATION, t.TIMESTAMP, t.STRING, t.BYTES];

const word = (type: Type): string => type.name.replace('google.protobuf.', '').toLowerCase();

const sums: readonly (readonly [Type, Value, (a: Value, b: Value) => Value])[] = [
  [t.INT, 0n, (a, b) => int64((a as bigint) + (b as bigint))],
  [t.UINT, new Uint(0n), (a, b) => uint64((a as Uint).value + (b as Uint).value)],
  [t.DOUBLE, 0, (a, b) => (a as number) + (b as number)],
  [t.DURATION, new Duration(0n), (a, b) => durationOf((a as Duration).ns + (b as Duration).ns)],
];

export const listLibrary: readonly Declaration[] = [
  ...comparable.flatMap((type) => [
    method('isSorted', `list_${word(type)}_is_sorted_bool`, [t.listOf(type)], t.BOOL, (x) => isSorted(list(x))),
    method('min', `list_${word(type)}_min_${word(type)}`, [t.listOf(type)], type, (x) => best(list(x), 'min', (order) => order > 0)),
    method('max', `list_${word(type)}_max_${word(type)}`, [t.listOf(type)], type, (x) => best(list(x), 'max', (order) => order < 0)),
    method('sort', `list_${type.name}_sort`, [t.listOf(type)], t.listOf(type), (x) => sortBy(list(x), list(x))),
    method('@sortByAssociatedKeys', `list_${type.name}_sortByAssociatedKeys`, [listA, t.listOf(type)], listA, (x, keys) =>
      sortBy(list(x), list(keys)),
    ),
  ]),
  ...sums.map(([type, zero, add]) =>
    method('sum', `list_${word(type)}_sum_${word(type)}`, [t.listOf(type)], type, (x) =>
      fold(list(x), zero, (sum, item) => {
        if (typeName(item) !== type.name) throw noSuchOverload();
        return add(sum, item);
      }),
    ),
  ),
  method('indexOf', 'list_a_index_of_int', [listA, A], t.INT, (x, item) =>
    inSteps(function* (pace) {
      return BigInt(yield* placeOf(list(x), item, pace));
    }),
  ),
  method('lastIndexOf', 'list_a_last_index_of_int', [listA, A], t.INT, (x, item) =>
    inSteps(function* (pace) {
      const place = yield* placeOf(reversed(list(x)), item, pace);
      return BigInt(place < 0 ? place : list(x).size - 1 - place);
    }),
  ),
  method('slice', 'list_slice', [listA, t.INT, t.INT], listA, (x, from, to) => slice(list(x), Number(from), Number(to))),
  method('flatten', 'list_flatten', [t.listOf(listA)], listA, (x) => flattened(list(x), 1)),
  method('flatten', 'list_flatten_int', [t.listOf(t.DYN), t.INT], t.listOf(t.DYN), (x, depth) => flattened(list(x), Number(depth))),
  func('lists.range', 'lists_range', [t.INT], t.listOf(t.INT), (n) => range(Number(n))),
  method('reverse', 'list_reverse', [listA], listA, (x) => reversed(list(x))),
  method('distinct', 'list_distinct', [listA], listA, (x) => inSteps((pace) => distinct(list(x), pace))),
  method('first', 'list_first', [listA], t.optionalOf(A), (x) => optionalAt(list(x), 0)),
  method('last', 'list_last', [listA], t.optionalOf(A), (x) => optionalAt(list(x), list(x).size - 1)),
  func('sets.contains', 'list_sets_contains_list', [listA, listA], t.BOOL, (a, b) => inSteps((pace) => hasAll(list(a), list(b), pace))),
  func('sets.equivalent', 'list_sets_equivalent_list', [listA, listA], t.BOOL, (a, b) =>
    inSteps(function* (pace) {
      return (yield* hasAll(list(a), list(b), pace)) && (yield* hasAll(list(b), list(a), pace));
    }),
  ),
  func('sets.intersects', 'list_sets_intersects_list', [listA, listA], t.BOOL, (a, b) => inSteps((pace) => hasOne(list(b), list(a), pace))),
];

const inSteps = (work: (pace: Pace) => Steps<Value>): Long => new Long(work);

function order(a: Value, b: Value): number {
  const found = compare(a, b);
  if (found === undefined) throw noSuchOverload();
  return found;
}

/** Goes through the items with what came of those before. */
function fold<T extends Value>(x: List, start: T, add: (made: T, item: Value, index: number) => T): Long {
  return inSteps(function* (pace) {
    let made = start;
    for (let i = 0; i < x.size; i += 1) {
      if (pace.isDue()) yield longWork;
      made = add(made, x.at(i) ?? null, i);
    }
    return made;
  });
}

function isSorted(x: List): Long {
  return fold<boolean>(x, true, (sorted, item, i) => sorted && (i === 0 || order(x.at(i - 1) ?? null, item) <= 0));
}

function best(x: List, name: string, isWorse: (order: number) => boolean): Value | Long {
  const first = x.at(0);
  if (first === undefined) throw new CelError(`${name} called on empty list`);
  return fold<Value>(x, first, (found, item) => (isWorse(order(found, item)) ? item : found));
}

function sortBy(x: List, keys: List): Value {
  const items = Array.from(x, (item, i) => ({ item, key: keys.at(i) ?? null }));
  const [first] = items;
  if (!first) return x;
  if (compare(first.key, first.key) === undefined) throw new CelError('list elements must be comparable');
  if (items.some(({ key }) => typeName(key) !== typeName(first.key))) throw new CelError('list elements must have the same type');
  return new List(items.sort((a, b) => order(a.key, b.key)).map(({ item }) => item));
}

function slice(x: List, from: number, to: number): Value {
  const call = `cannot slice(${from}, ${to})`;
  if (from < 0 || to < 0) throw new CelError(`${call}, negative indexes not supported`);
  if (from > to) throw new CelError(`${call}, start index must be less than or equal to end index`);
  if (x.size < to) throw new CelError(`${call}, list is length ${x.size}`);
  return new List(x.raw.slice(from, to), x.read);
}

const reversed = (x: List): List => new List(x.raw.toReversed(), x.read);

function flattened(x: List, depth: number): Long {
  if (depth < 0) throw new CelError('level must be non-negative');
  return inSteps(function* (pace) {
    const items: Value[] = [];
    yield* flatten(x, depth, items, pace);
    return new List(items);
  });
}

function* flatten(x: List, depth: number, into: Value[], pace: Pace): Steps<void> {
  for (let i = 0; i < x.size; i += 1) {
    if (pace.isDue()) yield longWork;
    const item = x.at(i) ?? null;
    if (item instanceof List && depth > 0) yield* flatten(item, depth - 1, into, pace);
    else into.push(item);
  }
}

/** More than any budget pays for. */
const MAX_RANGE = 2_000_000;

const readIndex: Reader = (raw) => BigInt(raw as number);

function range(n: number): Value {
  if (n > MAX_RANGE) throw new CelError(`lists.range of ${n} is too long`);
  return new List(
    Array.from({ length: Math.max(n, 0) }, (_, i) => i),
    readIndex,
  );
}

function* distinct(x: List, pace: Pace): Steps<Value> {
  const seen: Value[] = [];
  const plain = new Set<unknown>();
  for (const item of x) {
    const key = asKey(item);
    const isPlain = typeof key !== 'object' && !Number.isNaN(key);
    if (isPlain ? plain.has(key) : (yield* placeOf(new List(seen), item, pace)) >= 0) continue;
    if (isPlain) plain.add(key);
    seen.push(item);
  }
  return new List(seen);
}

function* hasAll(x: List, items: List, pace: Pace): Steps<boolean> {
  for (const item of items) if ((yield* placeOf(x, item, pace)) < 0) return false;
  return true;
}

function* hasOne(x: List, items: List, pace: Pace): Steps<boolean> {
  for (const item of items) if ((yield* placeOf(x, item, pace)) >= 0) return true;
  return false;
}

function optionalAt(x: List, index: number): Optional {
  const item = x.at(index);
  return item === undefined ? Optional.none : new Optional(item);
}
