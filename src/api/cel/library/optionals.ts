/** Optionals, and the insertions that map macros make (cel/library.go, ext/comprehensions.go of cel-go). */

import { type Declaration, func, method } from '../environment.ts';
import * as t from '../types.ts';
import {
  CelError,
  Duration,
  type EntryMap,
  isKey,
  List,
  MapValue,
  noSuchOverload,
  Optional,
  Timestamp,
  Uint,
  type Value,
} from '../values.ts';

const K = t.paramType('K');
const V = t.paramType('V');
const optV = t.optionalOf(V);
const listV = t.listOf(V);
const mapKV = t.mapOf(K, V);

export const optionalLibrary: readonly Declaration[] = [
  func('optional.of', 'optional_of', [V], optV, (x) => new Optional(x)),
  func('optional.ofNonZeroValue', 'optional_ofNonZeroValue', [V], optV, (x) => (isZero(x) ? Optional.none : new Optional(x))),
  func('optional.none', 'optional_none', [], optV, () => Optional.none),
  func('optional.unwrap', 'optional_unwrap', [t.listOf(optV)], listV, unwrap),
  method('unwrapOpt', 'optional_unwrapOpt', [t.listOf(optV)], listV, unwrap),
  method('value', 'optional_value', [optV], V, (x) => {
    const { value } = x as Optional;
    if (value === undefined) throw new CelError('optional.none() dereference');
    return value;
  }),
  method('hasValue', 'optional_hasValue', [optV], t.BOOL, (x) => (x as Optional).value !== undefined),
  // what only the planner can do without evaluating too much
  method('or', 'optional_or_optional', [optV, optV], optV),
  method('orValue', 'optional_orValue_value', [optV, V], V),
  func('_?._', 'select_optional_field', [t.DYN, t.STRING], optV),
  func('_[?_]', 'list_optindex_optional_int', [listV, t.INT], optV),
  func('_[?_]', 'optional_list_optindex_optional_int', [t.optionalOf(listV), t.INT], optV),
  func('_[?_]', 'map_optindex_optional_value', [mapKV, K], optV),
  func('_[?_]', 'optional_map_optindex_optional_value', [t.optionalOf(mapKV), K], optV),
  func('_[_]', 'optional_list_index_int', [t.optionalOf(listV), t.INT], optV),
  func('_[_]', 'optional_map_index_value', [t.optionalOf(mapKV), K], optV),
  func('cel.@mapInsert', '@mapInsert_map_key_value', [mapKV, K, V], mapKV, (map, key, value) => insert(map, [[key, value]])),
  func('cel.@mapInsert', '@mapInsert_map_map', [mapKV, mapKV], mapKV, (map, more) => insert(map, entriesOf(more as MapValue))),
];

function unwrap(list: Value): Value {
  const present: Value[] = [];
  for (const item of list as List) {
    if (!(item instanceof Optional)) throw noSuchOverload();
    if (item.value !== undefined) present.push(item.value);
  }
  return new List(present);
}

/** Into the map that a loop is making. */
function insert(map: Value, entries: Iterable<readonly [Value, Value]>): Value {
  const target = map as EntryMap;
  for (const [key, value] of entries) {
    if (!isKey(key)) throw new CelError(`unsupported key type: ${String(key)}`);
    if (target.get(key) !== undefined)
      throw new CelError(`insert failed: key ${String(key instanceof Uint ? key.value : key)} already exists`);
    target.set(key, value);
  }
  return target;
}

function* entriesOf(map: MapValue): Generator<readonly [Value, Value]> {
  for (const key of map.keys()) yield [key, map.get(key) ?? null];
}

function isZero(x: Value): boolean {
  if (x === null || x === false || x === 0n || x === 0 || x === '') return true;
  if (x instanceof List || x instanceof MapValue) return x.size === 0;
  if (x instanceof Uint) return x.value === 0n;
  if (x instanceof Uint8Array) return x.length === 0;
  if (x instanceof Duration) return x.ns === 0n;
  if (x instanceof Timestamp) return x.ns === YEAR_ONE;
  return x instanceof Optional && (x.value === undefined || isZero(x.value));
}

/** Go's zero time, which is what cel-go asks for. */
const YEAR_ONE = -62_135_596_800_000_000_000n;
