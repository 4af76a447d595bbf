/** The functions and operators that every expression has (common/stdlib/standard.go of cel-go). */

import { longWork, type Pace, type Steps } from '../../meta/steps.ts';
import { type Declaration, func, method } from '../environment.ts';
import { doubleToInt, doubleToUint, fixed, int64, readDouble, readInt, readUint, showDouble, uint64 } from '../numbers.ts';
import { matches } from '../pattern.ts';
import { CHARACTERS_PER_ITEM, Long } from '../run.ts';
import {
  durationOf,
  parseDuration,
  parseTimestamp,
  showTimestamp,
  timeField,
  timeFields,
  timestampOf,
  timestampOfSeconds,
  unixSeconds,
} from '../time.ts';
import type { Overload, Type } from '../types.ts';
import * as t from '../types.ts';
import {
  CelError,
  compare,
  Duration,
  GrowingList,
  itemKey,
  KEY_EFFORT,
  List,
  type ListRule,
  type MapValue,
  noSuchOverload,
  stringSize,
  type Timestamp,
  TypeValue,
  typeName,
  type Uint,
  type Value,
} from '../values.ts';
import { TextSearch } from './text-search.ts';

const A = t.paramType('A');
const B = t.paramType('B');
const listA = t.listOf(A);
const mapAB = t.mapOf(A, B);

/** What the planner does itself: its laziness can't be a function's. */
const operators: Declaration[] = [
  func('_?_:_', 'conditional', [t.BOOL, A, A], A),
  func('_&&_', 'logical_and', [t.BOOL, t.BOOL], t.BOOL),
  func('_||_', 'logical_or', [t.BOOL, t.BOOL], t.BOOL),
  func('@not_strictly_false', 'not_strictly_false', [t.BOOL], t.BOOL),
  func('_==_', 'equals', [A, A], t.BOOL),
  func('_!=_', 'not_equals', [A, A], t.BOOL),
  func('_[_]', 'index_list', [listA, t.INT], A),
  func('_[_]', 'index_map', [mapAB, A], B),
  func('@in', 'in_list', [A, listA], t.BOOL),
  func('@in', 'in_map', [A, mapAB], t.BOOL),
  func('!_', 'logical_not', [t.BOOL], t.BOOL, (x) => (typeof x === 'boolean' ? !x : fail())),
];

function fail(): never {
  throw noSuchOverload();
}

type Run = NonNullable<Overload['run']>;

/** `-` on two ints, named and typed as cel-go does it: `subtract_int64`. */
function arithmetic(name: string, word: string, runs: Partial<Record<'double' | 'int64' | 'uint64', Run>>): Declaration[] {
  const types = { double: t.DOUBLE, int64: t.INT, uint64: t.UINT };
  return Object.entries(runs).map(([kind, run]) => {
    const type = types[kind as keyof typeof types];
    return func(name, `${word}_${kind}`, [type, type], type, run);
  });
}

const I = (x: Value): bigint => x as bigint;
const D = (x: Value): number => x as number;
const U = (x: Value): bigint => (x as Uint).value;
const ns = (x: Value): bigint => (x as Timestamp | Duration).ns;
const moved = (time: Value, by: bigint): Timestamp => timestampOf(ns(time) + by, (time as Timestamp).offsetMinutes);

function divisor(x: bigint, words: string): bigint {
  if (x === 0n) throw new CelError(words);
  return x;
}
const DIVISION = 'division by zero';
const MODULUS = 'modulus by zero';

const arithmetics: Declaration[] = [
  func('_+_', 'add_bytes', [t.BYTES, t.BYTES], t.BYTES, (a, b) => Buffer.concat([a as Uint8Array, b as Uint8Array])),
  func('_+_', 'add_duration_duration', [t.DURATION, t.DURATION], t.DURATION, (a, b) => durationOf(ns(a) + ns(b))),
  func('_+_', 'add_duration_timestamp', [t.DURATION, t.TIMESTAMP], t.TIMESTAMP, (a, b) => moved(b, ns(a))),
  func('_+_', 'add_timestamp_duration', [t.TIMESTAMP, t.DURATION], t.TIMESTAMP, (a, b) => moved(a, ns(b))),
  ...arithmetic('_+_', 'add', {
    double: (a, b) => D(a) + D(b),
    int64: (a, b) => int64(I(a) + I(b)),
    uint64: (a, b) => uint64(U(a) + U(b)),
  }),
  func('_+_', 'add_list', [listA, listA], listA, (a, b) => concat(a as List, b as List)),
  func('_+_', 'add_string', [t.STRING, t.STRING], t.STRING, (a, b) => (a as string) + (b as string)),
  ...arithmetic('_-_', 'subtract', {
    double: (a, b) => D(a) - D(b),
    int64: (a, b) => int64(I(a) - I(b)),
    uint64: (a, b) => uint64(U(a) - U(b)),
  }),
  func('_-_', 'subtract_duration_duration', [t.DURATION, t.DURATION], t.DURATION, (a, b) => durationOf(ns(a) - ns(b))),
  func('_-_', 'subtract_timestamp_duration', [t.TIMESTAMP, t.DURATION], t.TIMESTAMP, (a, b) => moved(a, -ns(b))),
  func('_-_', 'subtract_timestamp_timestamp', [t.TIMESTAMP, t.TIMESTAMP], t.DURATION, (a, b) => new Duration(int64(ns(a) - ns(b)))),
  ...arithmetic('_*_', 'multiply', {
    double: (a, b) => D(a) * D(b),
    int64: (a, b) => int64(I(a) * I(b)),
    uint64: (a, b) => uint64(U(a) * U(b)),
  }),
  ...arithmetic('_/_', 'divide', {
    double: (a, b) => D(a) / D(b),
    int64: (a, b) => int64(I(a) / divisor(I(b), DIVISION)),
    uint64: (a, b) => uint64(U(a) / divisor(U(b), DIVISION)),
  }),
  ...arithmetic('_%_', 'modulo', {
    int64: (a, b) => int64(remainder(I(a), divisor(I(b), MODULUS))),
    uint64: (a, b) => uint64(U(a) % divisor(U(b), MODULUS)),
  }),
  func('-_', 'negate_double', [t.DOUBLE], t.DOUBLE, (a) => -D(a)),
  func('-_', 'negate_int64', [t.INT], t.INT, (a) => int64(-I(a))),
];

/** The smallest int by -1 has no quotient of 64 bits, so cel-go has no remainder for it either. */
function remainder(a: bigint, b: bigint): bigint {
  if (b === -1n) int64(-a);
  return a % b;
}

/** Lists of the API add as what they are: sets without what is there, keyed lists by replacing. */
function concat(a: List, b: List): Value | Long {
  if (a instanceof GrowingList) {
    a.push(b);
    return a;
  }
  const { rule, read } = a;
  if (rule !== 'atomic') {
    return new Long(function* (pace) {
      return new List(yield* merge(a.json(), b.json(), rule, pace), read, rule);
    });
  }
  return new Long(function* (pace) {
    if (pace.isDue((a.size + b.size) / COPIED_PER_ITEM)) yield longWork;
    return read === b.read ? new List([...a.raw, ...b.raw], read) : new List([...a, ...b]);
  });
}

/** Items that are copied while one is looked at. */
const COPIED_PER_ITEM = 4;

function* merge(a: readonly unknown[], b: readonly unknown[], rule: Exclude<ListRule, 'atomic'>, pace: Pace): Steps<unknown[]> {
  const key = (item: unknown): unknown => (rule === 'set' ? item : itemKey(item, rule.keys));
  const items = [...a];
  const places = new Map<unknown, number>();
  for (const [i, item] of a.entries()) {
    if (pace.isDue(KEY_EFFORT)) yield longWork;
    places.set(key(item), i);
  }
  for (const item of b) {
    if (pace.isDue(KEY_EFFORT)) yield longWork;
    const place = places.get(key(item));
    if (place === undefined) {
      if (rule === 'set') places.set(key(item), items.length);
      items.push(item);
    } else if (rule !== 'set') {
      items[place] = item;
    }
  }
  return items;
}

const comparisons: Declaration[] = (
  [
    ['_<_', 'less', (order) => order < 0],
    ['_<=_', 'less_equals', (order) => order <= 0],
    ['_>_', 'greater', (order) => order > 0],
    ['_>=_', 'greater_equals', (order) => order >= 0],
  ] as const satisfies readonly (readonly [string, string, (order: number) => boolean])[]
).flatMap(([name, word, holds]) => {
  const run: Run = (a, b) => {
    const order = compare(a, b);
    if (order === undefined) throw noSuchOverload();
    if (Number.isNaN(order)) throw new CelError('NaN values cannot be ordered');
    return holds(order);
  };
  const numbers: readonly (readonly [string, Type])[] = [
    ['int64', t.INT],
    ['uint64', t.UINT],
    ['double', t.DOUBLE],
  ];
  const others: readonly (readonly [string, Type])[] = [
    ['bool', t.BOOL],
    ['string', t.STRING],
    ['bytes', t.BYTES],
    ['timestamp', t.TIMESTAMP],
    ['duration', t.DURATION],
  ];
  return [
    ...numbers.flatMap(([left, a]) =>
      numbers.map(([right, b]) => func(name, left === right ? `${word}_${left}` : `${word}_${left}_${right}`, [a, b], t.BOOL, run)),
    ),
    ...others.map(([kind, type]) => func(name, `${word}_${kind}`, [type, type], t.BOOL, run)),
  ];
});

function sized(kind: string, type: Type, size: (x: Value) => number): Declaration[] {
  const run: Run = (x) => {
    if (typeof x !== 'string' || x.length < CHARACTERS_PER_ITEM) return BigInt(size(x));
    return new Long(function* (pace) {
      if (pace.isDue(x.length / CHARACTERS_PER_ITEM)) yield longWork;
      return BigInt(size(x));
    });
  };
  return [func('size', `size_${kind}`, [type], t.INT, run), method('size', `${kind}_size`, [type], t.INT, run)];
}

const sizes: Declaration[] = [
  ...sized('bytes', t.BYTES, (x) => (x as Uint8Array).length),
  ...sized('list', listA, (x) => (x as List).size),
  ...sized('map', mapAB, (x) => (x as MapValue).size),
  ...sized('string', t.STRING, (x) => stringSize(x as string)),
];

const same: Run = (x) => x;

/** A conversion that can fail: what is read is undefined then. */
function converted(result: Type, read: (text: string) => Value | undefined): Run {
  return (x) => {
    const value = read(x as string);
    if (value === undefined) throw new CelError(`type conversion error from 'string' to '${result.name}'`);
    return value;
  };
}

const conversions: Declaration[] = [
  func('type', 'type', [A], t.typeOf(A), (x) => new TypeValue(typeName(x))),
  func('dyn', 'to_dyn', [A], t.DYN, same),
  func('bool', 'bool_to_bool', [t.BOOL], t.BOOL, same),
  func(
    'bool',
    'string_to_bool',
    [t.STRING],
    t.BOOL,
    converted(t.BOOL, (x) => booleans.get(x)),
  ),
  func('bytes', 'bytes_to_bytes', [t.BYTES], t.BYTES, same),
  func('bytes', 'string_to_bytes', [t.STRING], t.BYTES, (x) => new TextEncoder().encode(x as string)),
  func('double', 'double_to_double', [t.DOUBLE], t.DOUBLE, same),
  func('double', 'int64_to_double', [t.INT], t.DOUBLE, (x) => Number(I(x))),
  func('double', 'string_to_double', [t.STRING], t.DOUBLE, converted(t.DOUBLE, readDouble)),
  func('double', 'uint64_to_double', [t.UINT], t.DOUBLE, (x) => Number(U(x))),
  func('duration', 'duration_to_duration', [t.DURATION], t.DURATION, same),
  func('duration', 'int64_to_duration', [t.INT], t.DURATION, (x) => durationOf(I(x))),
  func('duration', 'string_to_duration', [t.STRING], t.DURATION, (x) => parseDuration(x as string)),
  func('int', 'int64_to_int64', [t.INT], t.INT, same),
  func('int', 'double_to_int64', [t.DOUBLE], t.INT, (x) => doubleToInt(D(x))),
  func('int', 'duration_to_int64', [t.DURATION], t.INT, (x) => ns(x)),
  func('int', 'string_to_int64', [t.STRING], t.INT, converted(t.INT, readInt)),
  func('int', 'timestamp_to_int64', [t.TIMESTAMP], t.INT, (x) => unixSeconds(x as Timestamp)),
  func('int', 'uint64_to_int64', [t.UINT], t.INT, (x) => int64(U(x))),
  func('string', 'string_to_string', [t.STRING], t.STRING, same),
  func('string', 'bool_to_string', [t.BOOL], t.STRING, String),
  func('string', 'bytes_to_string', [t.BYTES], t.STRING, (x) => textOf(x as Uint8Array)),
  func('string', 'double_to_string', [t.DOUBLE], t.STRING, (x) => showDouble(D(x))),
  func('string', 'duration_to_string', [t.DURATION], t.STRING, (x) => `${fixed(Number(ns(x)) / 1e9)}s`),
  func('string', 'int64_to_string', [t.INT], t.STRING, String),
  func('string', 'timestamp_to_string', [t.TIMESTAMP], t.STRING, (x) => showTimestamp(x as Timestamp)),
  func('string', 'uint64_to_string', [t.UINT], t.STRING, (x) => String(U(x))),
  func('timestamp', 'timestamp_to_timestamp', [t.TIMESTAMP], t.TIMESTAMP, same),
  func('timestamp', 'int64_to_timestamp', [t.INT], t.TIMESTAMP, (x) => timestampOfSeconds(I(x))),
  func('timestamp', 'string_to_timestamp', [t.STRING], t.TIMESTAMP, (x) => parseTimestamp(x as string)),
  func('uint', 'uint64_to_uint64', [t.UINT], t.UINT, same),
  func('uint', 'double_to_uint64', [t.DOUBLE], t.UINT, (x) => doubleToUint(D(x))),
  func('uint', 'int64_to_uint64', [t.INT], t.UINT, (x) => uint64(I(x))),
  func('uint', 'string_to_uint64', [t.STRING], t.UINT, converted(t.UINT, readUint)),
];

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
]);

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CelError('invalid UTF-8 in bytes, cannot convert to string');
  }
}

const texts: Declaration[] = [
  method('contains', 'contains_string', [t.STRING, t.STRING], t.BOOL, (a, b) => new TextSearch(b as string).first(a as string) >= 0),
  method('endsWith', 'ends_with_string', [t.STRING, t.STRING], t.BOOL, (a, b) => (a as string).endsWith(b as string)),
  method('startsWith', 'starts_with_string', [t.STRING, t.STRING], t.BOOL, (a, b) => (a as string).startsWith(b as string)),
  func('matches', 'matches', [t.STRING, t.STRING], t.BOOL, (a, b) => matches(a as string, b as string)),
  method('matches', 'matches_string', [t.STRING, t.STRING], t.BOOL, (a, b) => matches(a as string, b as string)),
];

const durationParts: readonly (readonly [keyof typeof timeFields, bigint])[] = [
  ['getHours', 3_600_000_000_000n],
  ['getMinutes', 60_000_000_000n],
  ['getSeconds', 1_000_000_000n],
];

const times: Declaration[] = [
  ...(Object.keys(timeFields) as (keyof typeof timeFields)[]).flatMap((name) => [
    method(name, `timestamp_${name}`, [t.TIMESTAMP], t.INT, (x) => timeField(x as Timestamp, name)),
    method(name, `timestamp_${name}_with_tz`, [t.TIMESTAMP, t.STRING], t.INT, (x, zone) => timeField(x as Timestamp, name, zone as string)),
  ]),
  ...durationParts.map(([name, unit]) => method(name, `duration_${name}`, [t.DURATION], t.INT, (x) => ns(x) / unit)),
  method('getMilliseconds', 'duration_getMilliseconds', [t.DURATION], t.INT, (x) => ns(x) / 1_000_000n),
];

export const standardLibrary: readonly Declaration[] = [
  ...operators,
  ...arithmetics,
  ...comparisons,
  ...sizes,
  ...conversions,
  ...texts,
  ...times,
];
