/**
 * Functions on strings: CEL's strings library (version 2, ext/strings.go of cel-go) and Kubernetes' regular expressions.
 * Positions count characters, never halves of them.
 */

import { type Declaration, func, method } from '../environment.ts';
import { findAll } from '../pattern.ts';
import * as t from '../types.ts';
import { CelError, List, type Value } from '../values.ts';
import { formatString } from './format-string.ts';

const S = t.STRING;
const I = t.INT;
const listS = t.listOf(S);
const text = (x: Value): string => x as string;
const at = (x: Value): number => Number(x);

/** Methods with the last arguments optional are overloads of their own. */
export const stringLibrary: readonly Declaration[] = [
  method('charAt', 'string_char_at_int', [S, I], S, (x, i) => {
    const chars = [...text(x)];
    inRange(at(i), chars.length);
    return chars[at(i)] ?? '';
  }),
  method('indexOf', 'string_index_of_string', [S, S], I, (x, sub) => indexOf(text(x), text(sub), 0)),
  method('indexOf', 'string_index_of_string_int', [S, S, I], I, (x, sub, from) => indexOf(text(x), text(sub), at(from))),
  method('lastIndexOf', 'string_last_index_of_string', [S, S], I, (x, sub) => lastIndexOf(text(x), text(sub))),
  method('lastIndexOf', 'string_last_index_of_string_int', [S, S, I], I, (x, sub, from) => lastIndexOf(text(x), text(sub), at(from))),
  method('lowerAscii', 'string_lower_ascii', [S], S, (x) => text(x).replace(/[A-Z]+/g, (part) => part.toLowerCase())),
  method('upperAscii', 'string_upper_ascii', [S], S, (x) => text(x).replace(/[a-z]+/g, (part) => part.toUpperCase())),
  method('replace', 'string_replace_string_string', [S, S, S], S, (x, old, by) => replace(text(x), text(old), text(by), -1)),
  method('replace', 'string_replace_string_string_int', [S, S, S, I], S, (x, old, by, n) => replace(text(x), text(old), text(by), at(n))),
  method('split', 'string_split_string', [S, S], listS, (x, by) => new List(split(text(x), text(by), -1))),
  method('split', 'string_split_string_int', [S, S, I], listS, (x, by, n) => new List(split(text(x), text(by), at(n)))),
  method('substring', 'string_substring_int', [S, I], S, (x, from) => {
    const chars = [...text(x)];
    inRange(at(from), chars.length);
    return chars.slice(at(from)).join('');
  }),
  method('substring', 'string_substring_int_int', [S, I, I], S, (x, from, to) => {
    if (at(from) > at(to)) throw new CelError(`invalid substring range. start: ${at(from)}, end: ${at(to)}`);
    const chars = [...text(x)];
    inRange(at(from), chars.length);
    inRange(at(to), chars.length);
    return chars.slice(at(from), at(to)).join('');
  }),
  method('trim', 'string_trim', [S], S, (x) => text(x).replace(outerBlanks, '')),
  method('format', 'string_format', [S, t.listOf(t.DYN)], S, (x, args) => formatString(text(x), args as List)),
  func('strings.quote', 'strings_quote', [S], S, (x) => quote(text(x))),
  method('join', 'list_join', [listS], S, (x) => join(x as List, '')),
  method('join', 'list_join_string', [listS, S], S, (x, by) => join(x as List, text(by))),
  method('find', 'string_find_string', [S, S], S, (x, pattern) => found(text(x), text(pattern), 1)[0] ?? ''),
  method('findAll', 'string_find_all_string', [S, S], listS, (x, pattern) => new List(found(text(x), text(pattern), -1))),
  method('findAll', 'string_find_all_string_int', [S, S, I], listS, (x, pattern, n) => new List(found(text(x), text(pattern), at(n)))),
];

/** What Unicode calls white space, which is not all that JavaScript does. */
const outerBlanks = /^[\p{White_Space}]+|[\p{White_Space}]+$/gu;

function inRange(index: number, length: number): void {
  if (index < 0 || index > length) throw new CelError(`index out of range: ${index}`);
}

function indexOf(x: string, sub: string, from: number): bigint {
  if (sub === '') return BigInt(from);
  inRange(from, Number.POSITIVE_INFINITY);
  const chars = [...x];
  const start = chars.slice(0, from).join('').length;
  const found = from >= chars.length ? -1 : x.indexOf(sub, start);
  return found < 0 ? -1n : BigInt([...x.slice(0, found)].length);
}

/** @param from the last position that may be found; absent: any */
function lastIndexOf(x: string, sub: string, from?: number): bigint {
  const chars = [...x];
  if (sub === '') return BigInt(from ?? chars.length);
  if (from === undefined && x.length < sub.length) return -1n;
  const last = from ?? chars.length - 1;
  inRange(last, Number.POSITIVE_INFINITY);
  if (last >= chars.length) return -1n;
  const found = x.lastIndexOf(sub, chars.slice(0, last).join('').length);
  return found < 0 ? -1n : BigInt([...x.slice(0, found)].length);
}

/** @param limit how many at most; negative: all */
function replace(x: string, old: string, by: string, limit: number): string {
  const parts = old === '' ? ['', ...x, ''] : x.split(old);
  if (limit < 0) return joined(parts, by);
  const head = joined(parts.slice(0, limit + 1), by);
  return parts.length > limit + 1 ? joined([head, ...parts.slice(limit + 1)], old) : head;
}

/** What these make can be far longer than what their price counts. */
const MAX_LENGTH = 2 ** 24;

function joined(parts: readonly string[], by: string): string {
  const length = parts.reduce((sum, part) => sum + part.length + by.length, 0);
  if (length > MAX_LENGTH) throw new CelError(`string of ${length} characters is too long`);
  return parts.join(by);
}

function split(x: string, by: string, limit: number): string[] {
  if (limit === 0) return [];
  const parts = by === '' ? [...x] : x.split(by);
  if (limit < 0 || parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(by)];
}

function join(list: List, by: string): string {
  const parts: string[] = [];
  for (const item of list) {
    if (typeof item !== 'string') throw new CelError(`join: invalid input: ${String(item)}`);
    parts.push(item);
  }
  return joined(parts, by);
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['\\', '\\\\'],
  ['"', '\\"'],
]);

function quote(x: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is escaped
  return `"${x.toWellFormed().replace(/[\x07\b\f\n\r\t\v\\"]/g, (c) => escapes.get(c) ?? c)}"`;
}

function found(x: string, pattern: string, limit: number): string[] {
  try {
    return findAll(x, pattern, limit);
  } catch (e) {
    if (e instanceof CelError) throw new CelError(`Illegal regex: ${e.message}`);
    throw e;
  }
}
