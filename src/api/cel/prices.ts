/**
 * What calls cost when they are evaluated: CEL's own functions by what they go through, Kubernetes' libraries as
 * apiserver/pkg/cel/library/cost.go has them. Changing a number changes which stored rules still hold.
 */

import { costSize, Foreign, List, MapValue, stringSize, type Value } from './values.ts';

/** The cost of a call by its arguments: paid first, so that nothing is done that can't be paid. */
type ArgumentPrice = (args: readonly Value[]) => number;

/** The cost of a call by its arguments, or also by what came out: only then it has two parameters. */
export type Price = (args: readonly Value[], result: Value) => number;

/** Per character: going through a string, and through a pattern. */
export const STRING_FACTOR = 0.1;
export const PATTERN_FACTOR = 0.25;

/** Undefined: 1. */
export function priceOf(name: string, overloadId: string): Price | undefined {
  return byName.get(name) ?? byOverload.get(overloadId);
}

function size(args: readonly Value[], i: number): number {
  return costSize(args[i] ?? null);
}

function traversal(factor: number): ArgumentPrice {
  return (args) => Math.ceil(size(args, 0) * factor * STRING_FACTOR);
}

const once = traversal(1);
const twice = traversal(2);

/** What is free is not counted: a loop could have it counted over and over. */
function product(length: () => number, by: number): number {
  return by === 0 ? 0 : length() * by;
}

const pattern: ArgumentPrice = (args) =>
  product(() => Math.ceil((1 + size(args, 0)) * STRING_FACTOR), Math.ceil(size(args, 1) * PATTERN_FACTOR));

/** Of two texts that differ much the longer one is not counted. */
const smaller: ArgumentPrice = (args) => {
  const [a, b] = args;
  if (typeof a === 'string' && typeof b === 'string') {
    if (a.length <= b.length / UNITS_PER_CHARACTER) return once(args);
    if (b.length <= a.length / UNITS_PER_CHARACTER) return Math.ceil(stringSize(b) * STRING_FACTOR);
  }
  return Math.ceil(Math.min(size(args, 0), size(args, 1)) * STRING_FACTOR);
};
const UNITS_PER_CHARACTER = 2;

/** a call, and the list that it makes */
export const LIST_CALL = 11;
export const comparable = ['int', 'uint', 'double', 'bool', 'google.protobuf.Duration', 'google.protobuf.Timestamp', 'string', 'bytes'];

const made: Price = (_args, result) => costSize(result) + LIST_CALL;

/** Comparing each item with each. */
function pairs(list: Value | undefined): number {
  const first = list instanceof List ? list.at(0) : undefined;
  const each = typeof first === 'string' || first instanceof Uint8Array ? 2 + STRING_FACTOR : 2;
  return Math.trunc(costSize(list ?? null) ** 2 * each) + LIST_CALL;
}

const byOverload = new Map<string, Price>([
  ...['starts_with_string', 'ends_with_string', 'string_to_bytes', 'bytes_to_string', 'strings_quote', 'string_format'].map(
    (id) => [id, once] as const,
  ),
  ['in_list', (args) => size(args, 1)],
  ...['less', 'greater', 'less_equals', 'greater_equals'].flatMap((word) =>
    ['string', 'bytes'].map((type) => [`${word}_${type}`, smaller] as const),
  ),
  ['not_equals', smaller],
  ['add_string', (args) => Math.ceil((size(args, 0) + size(args, 1)) * STRING_FACTOR)],
  ['add_bytes', (args) => Math.ceil((size(args, 0) + size(args, 1)) * STRING_FACTOR)],
  ['matches_string', pattern],
  ['list_slice', made],
  ['lists_range', (args) => Math.max(Number(args[0]), 0) + LIST_CALL],
  ['list_reverse', made],
  ['list_flatten', (args) => size(args, 0) + LIST_CALL],
  ['list_flatten_int', (args) => Math.trunc(size(args, 0) * Number(args[1])) + LIST_CALL],
  ['list_distinct', (args) => pairs(args[0])],
  ...comparable.flatMap((type) => [
    [`list_${type}_sort`, (args: readonly Value[]) => pairs(args[0])] as const,
    [`list_${type}_sortByAssociatedKeys`, (args: readonly Value[]) => pairs(args[1])] as const,
  ]),
  ['list_sets_contains_list', (args) => 1 + size(args, 0) * size(args, 1)],
  ['list_sets_intersects_list', (args) => 1 + size(args, 0) * size(args, 1)],
  ['list_sets_equivalent_list', (args) => 1 + size(args, 0) * size(args, 1) * 2],
  ['contains_string', (args) => product(() => Math.ceil(size(args, 0) * STRING_FACTOR), Math.ceil(size(args, 1) * STRING_FACTOR))],
]);

/** `_==_` of the libraries' own types looks at one thing. */
const equality: Price = (args) => (args[0] instanceof Foreign ? 1 : smaller(args));

const AUTHORIZATION_CHECK = 350_000;
/** the smallest requirement of a selector is two characters: `k,` */
const REQUIREMENTS_PER_CHARACTER = 0.5;
const COST_PER_REQUIREMENT = 50;
const SELECTOR_COST = 10;

export function selectorCost(length: number): number {
  return (
    SELECTOR_COST + Math.ceil(length * STRING_FACTOR) + Math.ceil(Math.ceil(length * REQUIREMENTS_PER_CHARACTER) * COST_PER_REQUIREMENT)
  );
}

const range: ArgumentPrice = (args) => Math.ceil(size(args, 0) * 2 * STRING_FACTOR);

/** Functions whose cost goes by their name alone. */
export const byName = new Map<string, Price>([
  ['_==_', equality],
  ['check', () => AUTHORIZATION_CHECK],
  ['fieldSelector', (args) => selectorCost(size(args, 1))],
  ['labelSelector', (args) => selectorCost(size(args, 1))],
  ...['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf'].map(
    (name) => [name, (args: readonly Value[]) => through(args[0] ?? null)] as const,
  ),
  ...['url', 'lowerAscii', 'upperAscii', 'substring', 'trim', 'jsonpatch.escapeKey'].map((name) => [name, once] as const),
  ...['cidr', 'isIP', 'isCIDR', 'quantity', 'isQuantity', 'semver', 'isSemver'].map((name) => [name, once] as const),
  ...['replace', 'split', 'ip.isCanonical'].map((name) => [name, twice] as const),
  ['join', (_args, result) => Math.ceil(costSize(result) * 2 * STRING_FACTOR)],
  ['find', pattern],
  ['findAll', pattern],
  ['ip', (args) => (args[0] instanceof Foreign ? 1 : once(args))],
  ['containsIP', (args) => range(args) + ofText(args)],
  ['containsCIDR', (args) => range(args) + once(args) + 1 + ofText(args)],
  ['validate', (args) => product(() => Math.ceil((1 + size(args, 1)) * STRING_FACTOR), Math.ceil(formatSize(args) * PATTERN_FACTOR))],
]);

/** What an argument that is still to be parsed adds. */
function ofText(args: readonly Value[]): number {
  return typeof args[1] === 'string' ? Math.ceil(size(args, 1) * STRING_FACTOR) : 0;
}

function formatSize(args: readonly Value[]): number {
  const [format] = args;
  return format !== undefined && format instanceof Foreign && 'maxPatternSize' in format ? Number(format.maxPatternSize) : 0;
}

/** Going through all of a value; strings count by their bytes here. */
function through(value: Value): number {
  if (typeof value === 'string') return Math.trunc(Buffer.byteLength(value) * STRING_FACTOR);
  if (value instanceof Uint8Array) return Math.trunc(value.length * STRING_FACTOR);
  let cost = 0;
  if (value instanceof List) {
    for (let i = 0; i < value.size; i += 1) {
      const raw = value.raw[i];
      cost += typeof raw === 'number' || typeof raw === 'bigint' ? 1 : through(value.read(raw));
    }
    return cost;
  }
  if (value instanceof MapValue) {
    for (const key of value.keys()) cost += through(key) + through(value.get(key) ?? null);
    return cost;
  }
  return 1;
}
