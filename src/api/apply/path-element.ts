/**
 * A step from an object or list to a part of it, as FieldsV1 writes it: a field (`f:name`), the item of a list with these
 * keys (`k:{"name":"a"}`), a value in a set (`v:"a"`), an index (`i:0`). In this form a step is also a key of a FieldSet,
 * and two steps are equal when their texts are.
 *
 * Guarantees: texts are made as upstream makes them, so that they can be compared byte for byte.
 * Specified by structured-merge-diff (fieldpath/element.go, serialize-pe.go).
 */

import { escapeAsGo } from '../meta/go-json.ts';
import { JsonSyntaxError, parseJSON } from '../schema/json-scan.ts';
import { isJsonObject } from '../schema/merge-patch.ts';

export type PathElement = `f:${string}` | `k:${string}` | `v:${string}` | `i:${string}`;

export type FieldPath = readonly PathElement[];

/** Names whose steps are kept: those of fields of types come back with every object. */
const keptNamesMax = 8192;
const kept = new Map<string, PathElement>();

export function fieldElement(name: string): PathElement {
  let element = kept.get(name);
  if (element === undefined) {
    element = `f:${name}`;
    if (kept.size < keptNamesMax) kept.set(name, element);
  }
  return element;
}

/** The item of a set. Scalars only. */
export const valueElement = (value: unknown): PathElement => `v:${escapeAsGo(JSON.stringify(value))}`;

/** The item of a list with these keys: pairs of name and value, in any order. */
export function keyElement(keys: readonly (readonly [string, unknown])[]): PathElement {
  const [first] = keys;
  if (first && keys.length === 1) return `k:{"${first[0]}":${escapeAsGo(JSON.stringify(first[1]))}}`;
  const sorted = keys.toSorted(([a], [b]) => compareTexts(a, b));
  return `k:{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${escapeAsGo(JSON.stringify(value))}`).join(',')}}`;
}

/** What a client has written as a step. Undefined: of a sort that is not known, to be passed over. Throws what is wrong with it. */
export function parsePathElement(text: string): PathElement | undefined {
  if (text.length < 2) throw new Error('key must be 2 characters long:');
  if (text[1] !== ':') throw new Error(`missing colon: ${text}`);
  const rest = text.slice(2);
  switch (text[0]) {
    case 'f':
      return fieldElement(rest);
    case 'v':
      return valueElement(parseValue(rest));
    case 'k': {
      const keys = parseValue(rest);
      if (!isJsonObject(keys)) throw new Error('expected { after k:');
      return keyElement(Object.entries(keys));
    }
    case 'i':
      if (!/^[+-]?\d+$/.test(rest)) throw new Error(`strconv.Atoi: parsing ${JSON.stringify(rest)}: invalid syntax`);
      return `i:${Number(rest)}`;
    default:
      return undefined;
  }
}

function parseValue(text: string): unknown {
  try {
    return parseJSON(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new Error(error.message);
    throw error;
  }
}

const ranks = 'fkvi';

/** A step with what it says, where that is not its text. */
export interface ReadElement {
  readonly element: PathElement;
  readonly value: unknown;
}

export const readElement = (element: PathElement): ReadElement => ({ element, value: valueIn(element) });

function valueIn(element: PathElement): unknown {
  if (element.startsWith('f')) return undefined;
  const rest = element.slice(2);
  return element.startsWith('i') ? Number(rest) : parseJSON(rest);
}

/** Upstream's order: fields, keys, values, indices; each by what it says, numbers as numbers. */
export function compareElements({ element: a, value: x }: ReadElement, { element: b, value: y }: ReadElement): number {
  if (a === b) return 0;
  const sort = a.charCodeAt(0);
  if (sort !== b.charCodeAt(0)) return ranks.indexOf(a[0] ?? '') - ranks.indexOf(b[0] ?? '');
  if (sort === fieldSort) return compareTexts(a, b);
  return sort === keySort ? compareKeys(x as object, y as object) : compareScalars(x, y);
}
const [fieldSort, keySort] = [0x66, 0x6b];

function compareKeys(a: object, b: object): number {
  const left = Object.entries(a);
  const right = Object.entries(b);
  for (const [i, [name, value]] of left.entries()) {
    const other = right[i];
    if (!other) return 1;
    const difference = compareTexts(name, other[0]) || compareScalars(value, other[1]);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

const scalarTypes = ['number', 'string', 'boolean', 'object'];

function compareScalars(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  if (typeof a === typeof b && typeof a !== 'object') return Number(a) - Number(b);
  return scalarTypes.indexOf(typeof a) - scalarTypes.indexOf(typeof b);
}

const surrogates = /[\ud800-\udfff]/;

/** By their bytes in UTF-8. That is the order of strings too, but for what UTF-16 writes with surrogates. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const isLess = a < b;
  return surrogates.test(isLess ? a : b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : isLess ? -1 : 1;
}

/** `.spec.containers[name="a"].image` */
export const describePath = (path: FieldPath): string => path.map(describePathElement).join('');

export function describePathElement(element: PathElement): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case 'f':
      return `.${rest}`;
    case 'k': {
      const keys = Object.entries(parseJSON(rest) as object);
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
    }
    case 'v':
      return `[=${JSON.stringify(parseJSON(rest))}]`;
    default:
      return `[${rest}]`;
  }
}
