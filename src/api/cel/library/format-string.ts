/**
 * `'%s has %d'.format([…])`: CEL's clauses, numbers as an English locale writes them (`1,234.50`, `1.5×10⁰⁴`), which is what
 * upstream's version of the library does. Errors in its words (ext/formatting.go of cel-go).
 */

import { longWork, type Pace, type Steps } from '../../meta/steps.ts';
import { fixed, showDouble } from '../numbers.ts';
import { showTimestamp } from '../time.ts';
import { CelError, Duration, List, MapValue, Timestamp, TypeValue, typeName, Uint, type Value } from '../values.ts';

const DEFAULT_PRECISION = 6;
const MAX_PRECISION = 1000;

/** What is asked of each argument, in the order of the clauses; of what has parts, in steps. */
export type Clause = (arg: Value, pace: Pace) => string | Steps<string>;

export function* formatString(format: string, args: List, pace: Pace): Steps<string> {
  let out = '';
  let next = 0;
  for (const part of parseFormat(format)) {
    if (pace.isDue()) yield longWork;
    if (typeof part === 'string') {
      out += part;
      continue;
    }
    const arg = args.at(next);
    if (arg === undefined) throw new CelError(`index ${next} out of range`);
    next += 1;
    try {
      const shown = part.clause(arg, pace);
      out += typeof shown === 'string' ? shown : yield* shown;
    } catch (e) {
      if (e instanceof CelError) throw new CelError(`error during formatting: ${e.message}`);
      throw e;
    }
    if (out.length > MAX_LENGTH) throw new CelError(`string of ${out.length} characters is too long`);
  }
  return out;
}

/** What is made can be far longer than what its price counts. */
const MAX_LENGTH = 2 ** 24;

export interface ClausePart {
  readonly letter: string;
  readonly clause: Clause;
}

/** Text and clauses, one after the other; throws at the first clause that is none, after those before it were given. */
export function* parseFormat(format: string): Generator<string | ClausePart> {
  let at = 0;
  while (at < format.length) {
    const percent = format.indexOf('%', at);
    if (percent < 0) return void (yield format.slice(at));
    if (percent > at) yield format.slice(at, percent);
    const next = format[percent + 1];
    if (next === undefined) throw new CelError('unexpected end of string');
    if (next === '%') {
      yield '%';
      at = percent + 2;
      continue;
    }
    const [precision, length] = parsePrecision(format.slice(percent + 1));
    const letter = format.slice(percent + 1 + length).charAt(0);
    const make = clauses.get(letter);
    if (!make) throw badClause(`unrecognized formatting clause "${letter}"`);
    yield { letter, clause: make(precision) };
    at = percent + 2 + length;
  }
}

function parsePrecision(rest: string): readonly [precision: number, length: number] {
  if (!rest.startsWith('.')) return [DEFAULT_PRECISION, 0];
  const digits = /^\.(\d*)/.exec(rest)?.[1] ?? '';
  if (digits.length + 1 === rest.length) throw badClause('error while parsing precision: could not find end of precision specifier');
  const precision = Number(digits);
  if (digits === '')
    throw badClause(`error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax`);
  return [Math.min(precision, MAX_PRECISION), digits.length + 1];
}

function badClause(message: string): CelError {
  return new CelError(`could not parse formatting clause: ${message}`);
}

/** What each clause takes, for the check of literals. */
export const takes: ReadonlyMap<string, readonly string[]> = new Map([
  ['s', ['string', 'bool', 'bytes', 'double', 'duration', 'int', 'list', 'map', 'null', 'timestamp', 'type', 'uint']],
  ['d', ['int', 'uint']],
  ['f', ['double']],
  ['e', ['double']],
  ['b', ['int', 'uint', 'bool']],
  ['x', ['string', 'bytes', 'int', 'uint']],
  ['X', ['string', 'bytes', 'int', 'uint']],
  ['o', ['int', 'uint']],
]);

/** The words of a clause that gets something else. */
export function refusal(letter: string, type: string): string {
  return `${refusals.get(letter) ?? ''}, was given ${type}`;
}
const refusals = new Map([
  ['s', 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps'],
  ['d', 'decimal clause can only be used on integers'],
  ['f', 'fixed-point clause can only be used on doubles'],
  ['e', 'scientific clause can only be used on doubles'],
  ['b', 'only integers and bools can be formatted as binary'],
  ['x', 'only integers, byte buffers, and strings can be formatted as hex'],
  ['X', 'only integers, byte buffers, and strings can be formatted as hex'],
  ['o', 'octal clause can only be used on integers'],
]);

function refuse(letter: string, arg: Value): never {
  throw new CelError(refusal(letter, typeName(arg)));
}

function integer(arg: Value): bigint | undefined {
  return arg instanceof Uint ? arg.value : typeof arg === 'bigint' ? arg : undefined;
}

/** A double, or one of the three words for one. */
function double(arg: Value, letter: string): number {
  if (typeof arg === 'number') return arg;
  return typeof arg === 'string' && ['NaN', 'Infinity', '-Infinity'].includes(arg) ? Number(arg) : refuse(letter, arg);
}

function special(value: number): string | undefined {
  if (Number.isFinite(value)) return undefined;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞';
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Rounds what lies exactly between to the even digit, as Go does. */
function roundFixed(value: number, digits: number): string {
  const exact = value.toFixed(Math.min(digits + EXACT_DIGITS, 100));
  const point = exact.indexOf('.') + 1;
  const cut = digits === 0 ? exact.slice(0, point - 1) : exact.slice(0, point + digits);
  return /^50*$/.test(exact.slice(point + digits)) && /[02468]$/.test(cut) ? cut : value.toFixed(digits);
}
/** enough to see whether a number lies exactly between two */
const EXACT_DIGITS = 30;

function grouped(digits: string): string {
  return digits.replace(/^(-?\d+)/, (whole) => whole.replace(/\B(?=(?:\d{3})+$)/g, ','));
}

const clauses: ReadonlyMap<string, (precision: number) => Clause> = new Map<string, (precision: number) => Clause>([
  ['s', () => showString],
  ['d', () => (arg) => (integer(arg) ?? refuse('d', arg)).toString()],
  [
    'f',
    (precision) => (arg) => {
      const value = double(arg, 'f');
      return special(value) ?? grouped(roundFixed(value, Math.min(precision, 70)));
    },
  ],
  [
    'e',
    // the precision is the width upstream: six digits always
    (width) => (arg) => {
      const value = double(arg, 'e');
      const [digits = '', exponent = ''] = value.toExponential(DEFAULT_PRECISION).split('e');
      const power = exponent.replace(/^[+-]/, '').padStart(2, '0');
      const raised = [...power].map((c) => superscripts[Number(c)]).join('');
      return (special(value) ?? `${digits}×10${exponent.startsWith('-') ? '⁻' : ''}${raised}`).padStart(width);
    },
  ],
  ['b', () => (arg) => (typeof arg === 'boolean' ? String(Number(arg)) : (integer(arg) ?? refuse('b', arg)).toString(2))],
  ['x', () => (arg) => hex(arg, 'x')],
  ['X', () => (arg) => hex(arg, 'X').toUpperCase()],
  ['o', () => (arg) => (integer(arg) ?? refuse('o', arg)).toString(8)],
]);

function hex(arg: Value, letter: string): string {
  if (typeof arg === 'string' || arg instanceof Uint8Array) return Buffer.from(arg as Uint8Array).toString('hex');
  return (integer(arg) ?? refuse(letter, arg)).toString(16);
}

function showString(arg: Value, pace: Pace): string | Steps<string> {
  if (typeof arg === 'string') return arg;
  if (typeof arg === 'number') return showDouble(arg);
  if (arg instanceof Timestamp) return showTimestamp(arg);
  if (arg instanceof Duration) return showDuration(arg);
  return showPart(arg, pace);
}

const showDuration = (arg: Duration): string => `${fixed(Number(arg.ns) / 1e9)}s`;

/** A value within a list or map: strings quoted, times as calls. */
function showPart(arg: Value, pace: Pace): string | Steps<string> {
  if (arg === null || typeof arg === 'boolean') return String(arg);
  if (typeof arg === 'string') return JSON.stringify(arg);
  if (typeof arg === 'number') return Number.isFinite(arg) ? arg.toFixed(DEFAULT_PRECISION) : JSON.stringify(showDouble(arg));
  if (arg instanceof Timestamp) return `timestamp("${showTimestamp(arg)}")`;
  if (arg instanceof Duration) return `duration("${showDuration(arg)}")`;
  if (arg instanceof Uint8Array) return new TextDecoder().decode(arg);
  if (arg instanceof TypeValue) return arg.name;
  if (arg instanceof List) return showList(arg, pace);
  if (arg instanceof MapValue) return showMap(arg, pace);
  return (integer(arg) ?? refuse('s', arg)).toString();
}

function* showList(list: List, pace: Pace): Steps<string> {
  let shown = '';
  for (let i = 0; i < list.size; i += 1) {
    if (pace.isDue()) yield longWork;
    shown += `${i > 0 ? ', ' : ''}${yield* partOf(list.at(i) ?? null, pace)}`;
  }
  return `[${shown}]`;
}

function* showMap(map: MapValue, pace: Pace): Steps<string> {
  const entries: (readonly [string, string])[] = [];
  for (const key of map.keys()) {
    if (pace.isDue(SORT_EFFORT)) yield longWork;
    entries.push([yield* partOf(key, pace), yield* partOf(map.get(key) ?? null, pace)]);
  }
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  if (pace.isDue(entries.length)) yield longWork;
  return `{${sorted.map(([key, value]) => `${key}:${value}`).join(', ')}}`;
}

/** An entry that is sorted among others, in items looked at. */
const SORT_EFFORT = 10;

function* partOf(arg: Value, pace: Pace): Steps<string> {
  const shown = showPart(arg, pace);
  const text = typeof shown === 'string' ? shown : yield* shown;
  return arg instanceof Uint8Array ? `b${JSON.stringify(text)}` : text;
}
