/**
 * Functions on strings: CEL's strings library (version 2, ext/strings.go of cel-go) and Kubernetes' regular expressions.
 * Positions count characters, never halves of them.
 */

import { longWork, type Pace, type Steps } from '../../meta/steps.ts';
import { type Declaration, func, method } from '../environment.ts';
import { matcherOf } from '../pattern.ts';
import { CHARACTERS_PER_ITEM, Long } from '../run.ts';
import * as t from '../types.ts';
import { CelError, List, stringSize, type Value } from '../values.ts';
import { formatString } from './format-string.ts';
import { TextSearch } from './text-search.ts';

const S = t.STRING;
const I = t.INT;
const listS = t.listOf(S);
const text = (x: Value): string => x as string;
const at = (x: Value): number => Number(x);

/** Methods with the last arguments optional are overloads of their own. */
export const stringLibrary: readonly Declaration[] = [
  method('charAt', 'string_char_at_int', [S, I], S, (x, i) => through(text(x), () => charAt(text(x), at(i)))),
  method('indexOf', 'string_index_of_string', [S, S], I, (x, sub) => indexOf(text(x), text(sub), 0)),
  method('indexOf', 'string_index_of_string_int', [S, S, I], I, (x, sub, from) => indexOf(text(x), text(sub), at(from))),
  method('lastIndexOf', 'string_last_index_of_string', [S, S], I, (x, sub) => lastIndexOf(text(x), text(sub))),
  method('lastIndexOf', 'string_last_index_of_string_int', [S, S, I], I, (x, sub, from) => lastIndexOf(text(x), text(sub), at(from))),
  method('lowerAscii', 'string_lower_ascii', [S], S, (x) => inParts(text(x), (part) => part.replace(/[A-Z]+/g, (c) => c.toLowerCase()))),
  method('upperAscii', 'string_upper_ascii', [S], S, (x) => inParts(text(x), (part) => part.replace(/[a-z]+/g, (c) => c.toUpperCase()))),
  method('replace', 'string_replace_string_string', [S, S, S], S, (x, old, by) => replace(text(x), text(old), text(by), -1)),
  method('replace', 'string_replace_string_string_int', [S, S, S, I], S, (x, old, by, n) => replace(text(x), text(old), text(by), at(n))),
  method('split', 'string_split_string', [S, S], listS, (x, by) => split(text(x), text(by), -1)),
  method('split', 'string_split_string_int', [S, S, I], listS, (x, by, n) => split(text(x), text(by), at(n))),
  method('substring', 'string_substring_int', [S, I], S, (x, from) => text(x).slice(offsetOf(text(x), at(from)))),
  method('substring', 'string_substring_int_int', [S, I, I], S, (x, from, to) => {
    if (at(from) > at(to)) throw new CelError(`invalid substring range. start: ${at(from)}, end: ${at(to)}`);
    return text(x).slice(offsetOf(text(x), at(from)), offsetOf(text(x), at(to)));
  }),
  method('trim', 'string_trim', [S], S, (x) => trim(text(x))),
  method('format', 'string_format', [S, t.listOf(t.DYN)], S, (x, args) => formatted(text(x), args as List)),
  func('strings.quote', 'strings_quote', [S], S, (x) => quote(text(x))),
  method('join', 'list_join', [listS], S, (x) => join(x as List, '')),
  method('join', 'list_join_string', [listS, S], S, (x, by) => join(x as List, text(by))),
  method('find', 'string_find_string', [S, S], S, (x, pattern) => find(text(x), text(pattern))),
  method('findAll', 'string_find_all_string', [S, S], listS, (x, pattern) => findAll(text(x), text(pattern), -1)),
  method('findAll', 'string_find_all_string_int', [S, S, I], listS, (x, pattern, n) => findAll(text(x), text(pattern), at(n))),
];

/** What looks through a text at a price that does not say so. */
function through(x: string, look: () => Value): Value | Long {
  return new Long(function* (pace) {
    if (pace.isDue(x.length / CHARACTERS_PER_ITEM)) yield longWork;
    return look();
  });
}

/** A text is worked on in parts of this length. */
const PART_LENGTH = 64 * 1024;

function inParts(x: string, change: (part: string) => string): Value | Long {
  return x.length <= PART_LENGTH ? change(x) : new Long(() => changeParts(x, change));
}

function* changeParts(x: string, change: (part: string) => string): Steps<string> {
  let made = '';
  for (let from = 0; from < x.length; ) {
    const to = from + PART_LENGTH + (isLowSurrogate(x.charCodeAt(from + PART_LENGTH)) ? 1 : 0);
    made += change(x.slice(from, to));
    from = to;
    yield longWork;
  }
  return made;
}

const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;

/** Where the character of this index begins: characters count, not halves of them. Throws for what is out of range. */
function offsetOf(x: string, index: number): number {
  let offset = 0;
  let left = index;
  for (; left > 0 && offset < x.length; left -= 1) offset += widthAt(x, offset);
  if (left !== 0) throw new CelError(`index out of range: ${index}`);
  return offset;
}

const widthAt = (x: string, offset: number): number => ((x.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1);

function charAt(x: string, index: number): string {
  const offset = offsetOf(x, index);
  return x.slice(offset, offset + widthAt(x, offset));
}

function inRange(index: number): void {
  if (index < 0) throw new CelError(`index out of range: ${index}`);
}

function indexOf(x: string, sub: string, from: number): bigint {
  if (sub === '') return BigInt(from);
  inRange(from);
  if (from >= stringSize(x)) return -1n;
  const start = offsetOf(x, from);
  const place = new TextSearch(sub).first(x, start);
  return place < 0 ? -1n : BigInt(from + stringSize(x.slice(start, place)));
}

/** @param from the last position that may be found; absent: any */
function lastIndexOf(x: string, sub: string, from?: number): bigint {
  const size = stringSize(x);
  if (sub === '') return BigInt(from ?? size);
  if (from === undefined && x.length < sub.length) return -1n;
  const last = from ?? size - 1;
  inRange(last);
  if (last >= size) return -1n;
  const place = new TextSearch(sub).last(x, offsetOf(x, last));
  return place < 0 ? -1n : BigInt(stringSize(x.slice(0, place)));
}

/** What Unicode calls white space, which is not all that JavaScript does. */
const otherBlank = /\p{White_Space}/u;
const isBlank = (unit: number): boolean =>
  unit <= SPACE ? unit === SPACE || (unit >= 0x09 && unit <= 0x0d) : unit > 0x7f && otherBlank.test(String.fromCharCode(unit));
const SPACE = 0x20;

function trim(x: string): string {
  let from = 0;
  let to = x.length;
  while (from < to && isBlank(x.charCodeAt(from))) from += 1;
  while (to > from && isBlank(x.charCodeAt(to - 1))) to -= 1;
  return x.slice(from, to);
}

/** @param limit how many at most; negative: all */
function replace(x: string, old: string, by: string, limit: number): Value | Long {
  return new Long(function* (pace) {
    const parts = yield* cut(x, old, { cuts: limit < 0 ? Number.POSITIVE_INFINITY : limit, isReplacing: true }, pace);
    return yield* joined(parts, by, pace);
  });
}

function split(x: string, by: string, limit: number): Value | Long {
  if (limit === 0 || (x === '' && by === '')) return new List([]);
  const cuts = limit < 0 ? Number.POSITIVE_INFINITY : limit - 1;
  return new Long(function* (pace) {
    return new List(yield* cut(x, by, { cuts, isReplacing: false }, pace));
  });
}

/** The text without some occurrences of `by`. The empty text is between characters; to be replaced, also before the first and after the last. */
function* cut(
  x: string,
  by: string,
  { cuts, isReplacing }: { readonly cuts: number; readonly isReplacing: boolean },
  pace: Pace,
): Steps<string[]> {
  const parts: string[] = [];
  const search = new TextSearch(by);
  let from = 0;
  const next = (): number => {
    if (by !== '') return search.first(x, from);
    if (parts.length === 0 && isReplacing) return 0;
    const place = from + widthAt(x, from);
    return place < x.length || (place === x.length && isReplacing) ? place : -1;
  };
  while (parts.length < cuts) {
    if (pace.isDue()) yield longWork;
    const place = next();
    if (place < 0) break;
    parts.push(x.slice(from, place));
    from = place + by.length;
  }
  if (pace.isDue((x.length - from) / CHARACTERS_PER_ITEM)) yield longWork;
  parts.push(x.slice(from));
  return parts;
}

/** What these make can be far longer than what their price counts. */
const MAX_LENGTH = 2 ** 24;
const JOINED_AT_ONCE = 10_000;

function* joined(parts: readonly string[], by: string, pace: Pace): Steps<string> {
  let made = parts[0] ?? '';
  for (let i = 1; i < parts.length; i += JOINED_AT_ONCE) {
    const more = parts.slice(i, i + JOINED_AT_ONCE);
    const length = more.reduce((sum, part) => sum + by.length + part.length, made.length);
    if (length > MAX_LENGTH) throw new CelError(`string of ${length} characters is too long`);
    made = [made, ...more].join(by);
    if (pace.isDue(more.length)) yield longWork;
  }
  return made;
}

function join(list: List, by: string): Long {
  return new Long(function* (pace) {
    const parts: string[] = [];
    for (let i = 0; i < list.size; i += 1) {
      if (pace.isDue()) yield longWork;
      const item = list.at(i) ?? null;
      if (typeof item !== 'string') throw new CelError(`join: invalid input: ${String(item)}`);
      parts.push(item);
    }
    return yield* joined(parts, by, pace);
  });
}

function formatted(format: string, args: List): Long {
  return new Long((pace) => formatString(format, args, pace));
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

const quoted = (part: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is escaped
  part.toWellFormed().replace(/[\x07\b\f\n\r\t\v\\"]/g, (c) => escapes.get(c) ?? c);

function quote(x: string): Value | Long {
  if (x.length <= PART_LENGTH) return `"${quoted(x)}"`;
  return new Long(function* () {
    return `"${yield* changeParts(x, quoted)}"`;
  });
}

function find(x: string, pattern: string): Value {
  for (const found of matchesOf(x, pattern)) return found;
  return '';
}

/** What of the text matches, one after the other, at most `limit`; negative: all. */
function findAll(x: string, pattern: string, limit: number): Value | Long {
  return new Long(function* (pace) {
    const made: string[] = [];
    const found = matchesOf(x, pattern);
    while (made.length !== limit) {
      if (pace.isDue(MATCH_EFFORT)) yield longWork;
      const next = found.next();
      if (next.done) break;
      made.push(next.value);
    }
    return new List(made);
  });
}

/** Finding what matches a pattern, in items of a list looked at. */
const MATCH_EFFORT = 8;

function* matchesOf(x: string, pattern: string): Generator<string> {
  try {
    const matcher = matcherOf(pattern).matcher(x);
    while (matcher.find()) yield matcher.group() ?? '';
  } catch (e) {
    if (e instanceof CelError) throw new CelError(`Illegal regex: ${e.message}`);
    throw e;
  }
}
