/**
 * Functions on lists: Kubernetes' own (isSorted, sum, min, max, indexOf), CEL's lists library of version 3 and its sets
 * (ext/lists.go, ext/sets.go of cel-go).
 */

import { type Declaration, func, method } from '../environment.ts';
import { int64, uint64 } from '../numbers.ts';
import { durationOf } from '../time.ts';
import type { Type } from '../types.ts';
import * as t from '../types.ts';
import { asKey, CelError, compare, Duration, equals, List, noSuchOverload, Optional, typeName, Uint, type Value } from '../values.ts';

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
    method('sum', `list_${word(type)}_sum_${word(type)}`, [t.listOf(type)], type, (x) => {
      let sum = zero;
      for (const item of list(x)) {
        if (typeName(item) !== type.name) throw noSuchOverload();
        sum = add(sum, item);
      }
      return sum;
    }),
  ),
  method('indexOf', 'list_a_index_of_int', [listA, A], t.INT, (x, item) => BigInt([...list(x)].findIndex((i) => equals(i, item)))),
  method('lastIndexOf', 'list_a_last_index_of_int', [listA, A], t.INT, (x, item) =>
    BigInt([...list(x)].findLastIndex((i) => equals(i, item))),
  ),
  method('slice', 'list_slice', [listA, t.INT, t.INT], listA, (x, from, to) => slice(list(x), Number(from), Number(to))),
  method('flatten', 'list_flatten', [t.listOf(listA)], listA, (x) => new List(flatten(list(x), 1))),
  method('flatten', 'list_flatten_int', [t.listOf(t.DYN), t.INT], t.listOf(t.DYN), (x, depth) => new List(flatten(list(x), Number(depth)))),
  func('lists.range', 'lists_range', [t.INT], t.listOf(t.INT), (n) => range(Number(n))),
  method('reverse', 'list_reverse', [listA], listA, (x) => new List([...list(x)].reverse())),
  method('distinct', 'list_distinct', [listA], listA, (x) => distinct(list(x))),
  method('first', 'list_first', [listA], t.optionalOf(A), (x) => optionalAt(list(x), 0)),
  method('last', 'list_last', [listA], t.optionalOf(A), (x) => optionalAt(list(x), list(x).size - 1)),
  func('sets.contains', 'list_sets_contains_list', [listA, listA], t.BOOL, (a, b) => hasAll(list(a), list(b))),
  func(
    'sets.equivalent',
    'list_sets_equivalent_list',
    [listA, listA],
    t.BOOL,
    (a, b) => hasAll(list(a), list(b)) && hasAll(list(b), list(a)),
  ),
  func('sets.intersects', 'list_sets_intersects_list', [listA, listA], t.BOOL, (a, b) => [...list(a)].some((item) => has(list(b), item))),
];

function order(a: Value, b: Value): number {
  const found = compare(a, b);
  if (found === undefined) throw noSuchOverload();
  return found;
}

function isSorted(x: List): boolean {
  for (let i = 1; i < x.size; i += 1) if (order(x.at(i - 1) ?? null, x.at(i) ?? null) > 0) return false;
  return true;
}

function best(x: List, name: string, isWorse: (order: number) => boolean): Value {
  let found: Value | undefined;
  for (const item of x) if (found === undefined || isWorse(order(found, item))) found = item;
  if (found === undefined) throw new CelError(`${name} called on empty list`);
  return found;
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

function flatten(x: List, depth: number): Value[] {
  if (depth < 0) throw new CelError('level must be non-negative');
  return [...x].flatMap((item) => (item instanceof List && depth > 0 ? flatten(item, depth - 1) : [item]));
}

/** More than any budget pays for. */
const MAX_RANGE = 2_000_000;

function range(n: number): Value {
  if (n > MAX_RANGE) throw new CelError(`lists.range of ${n} is too long`);
  return new List(Array.from({ length: Math.max(n, 0) }, (_, i) => BigInt(i)));
}

function distinct(x: List): Value {
  const seen: Value[] = [];
  const plain = new Set<unknown>();
  for (const item of x) {
    const key = asKey(item);
    const isPlain = typeof key !== 'object' && !Number.isNaN(key);
    if (isPlain ? plain.has(key) : seen.some((other) => equals(other, item))) continue;
    if (isPlain) plain.add(key);
    seen.push(item);
  }
  return new List(seen);
}

function has(x: List, item: Value): boolean {
  for (const other of x) if (equals(other, item)) return true;
  return false;
}

function hasAll(x: List, items: List): boolean {
  for (const item of items) if (!has(x, item)) return false;
  return true;
}

function optionalAt(x: List, index: number): Optional {
  const item = x.at(index);
  return item === undefined ? Optional.none : new Optional(item);
}
