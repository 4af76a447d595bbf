/**
 * JSONPath as Kubernetes has it, for columns and selectable fields of custom resources: `.spec.size`,
 * `.status.conditions[?(@.type=="Ready")].status`, `.items[0:2]`, `['a','b']`, `..name`, `.metadata.labels.a\.b`.
 *
 * Guarantees: parsed once; what is missing gives no value. Evaluation throws a PathError where upstream's does: a filter
 * on what is no list, an index out of bounds. Left out: `range` and text between expressions, which only templates have.
 * Upstream: client-go/util/jsonpath.
 */
import { own } from './words.ts';

export class PathError extends Error {
  override readonly name = 'PathError';
}

/** All values at the path, in order. Throws PathError. */
export type JsonPath = (value: unknown) => readonly unknown[];

type Step = (values: readonly unknown[]) => readonly unknown[];

/** Values that one path may give. */
const valuesMax = 10_000;

/** The longest known are filters of a few hundred. */
const pathCharactersMax = 4096;

/** The path inside the braces of a template. Throws PathError. */
export function parseJsonPath(text: string): JsonPath {
  if (text.length > pathCharactersMax) throw new PathError(`longer than ${pathCharactersMax} characters`);
  const steps = new PathParser(text).steps();
  const walk = sequence(steps);
  return (value) => walk([value]);
}

const sequence =
  (steps: readonly Step[]): Step =>
  (values) => {
    let found = values;
    for (const step of steps) {
      found = step(found);
      if (found.length > valuesMax) throw new PathError(`more than ${valuesMax} values`);
    }
    return found;
  };

const endsName = /[\s.,[\]$@{}]/;

class PathParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  steps(): readonly Step[] {
    const steps: Step[] = [];
    while (this.#at < this.#text.length) {
      const step = this.#next();
      if (step) steps.push(step);
    }
    return steps;
  }

  #next(): Step | undefined {
    const rest = this.#text.slice(this.#at);
    if (rest.startsWith('[?(')) return this.#filter();
    if (rest.startsWith('..')) {
      this.#at += 2;
      if (this.#text.startsWith('..', this.#at)) throw new PathError('invalid multiple recursive descent');
      const below = /^[\p{L}\p{N}_]/u.test(this.#text.slice(this.#at)) ? this.#field() : undefined;
      return below ? sequence([descend, below]) : descend;
    }
    const character = rest.charAt(0);
    if (character === '[') return this.#subscript();
    if (character === '"' || character === "'") return constant(this.#quoted(character));
    if (/^[-+\d]/.test(character)) return constant(this.#number());
    this.#at++;
    if (character === ' ' || character === '@' || character === '$') return undefined;
    if (character === '.') return this.#field();
    if (/^[\p{L}_]/u.test(character)) return this.#word();
    throw new PathError(character === '\n' || character === '\r' ? 'unclosed action' : `unrecognized character in action: ${character}`);
  }

  #field(): Step {
    const name = this.#until(endsName);
    return name === '*' ? children : field(name.replaceAll('\\', ''));
  }

  /** Up to a character that is not escaped. */
  #until(end: RegExp): string {
    const from = this.#at;
    while (this.#at < this.#text.length && !end.test(this.#text.charAt(this.#at))) this.#at += this.#text.charAt(this.#at) === '\\' ? 2 : 1;
    return this.#text.slice(from, this.#at);
  }

  #word(): Step {
    this.#at--;
    const word = this.#until(endsName);
    if (word === 'true' || word === 'false') return constant(word === 'true');
    throw new PathError(`unrecognized identifier ${word}`);
  }

  #number(): number {
    const text = /^[-+]?[\d.]*/.exec(this.#text.slice(this.#at))?.[0] ?? '';
    this.#at += text.length;
    const value = Number(text);
    if (text === '' || Number.isNaN(value)) throw new PathError(`cannot parse number ${text}`);
    return value;
  }

  #quoted(quote: string): string {
    const text = new RegExp(`^${quote}((?:[^${quote}\\\\\\n]|\\\\.)*)${quote}`).exec(this.#text.slice(this.#at))?.[1];
    if (text === undefined) throw new PathError('unterminated quoted string');
    this.#at += text.length + 2;
    return text.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped === 't' ? '\t' : escaped));
  }

  #subscript(): Step {
    const end = this.#text.indexOf(']', this.#at);
    if (end < 0) throw new PathError('unterminated array');
    const inside = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    const parts = inside.split(',').map((part) => part.trim());
    return parts.length === 1 ? subscript(inside) : union(parts.map(subscript));
  }

  #filter(): Step {
    const from = this.#at + 3;
    const end = this.#endOfFilter(from);
    this.#at = end + 2;
    const condition = this.#text.slice(from, end);
    const [, left, operator = 'exists', right = ''] = /^([^!<>=]+)([!<>=]+)(.+)$/.exec(condition) ?? [undefined, condition];
    const sides = [left, right].map((side) => sequence(new PathParser(side).steps())) as [Step, Step];
    return filter(sides, operator);
  }

  /** Where the closing parenthesis is: not in quotes. */
  #endOfFilter(from: number): number {
    let quote = '';
    for (let i = from; i < this.#text.length; i++) {
      const character = this.#text.charAt(i);
      if (character === '\n') break;
      if (quote) {
        if (character === quote && this.#text.charAt(i - 1) !== '\\') quote = '';
      } else if (character === '"' || character === "'") quote = character;
      else if (character === ')') {
        if (this.#text.charAt(i + 1) !== ']') throw new PathError('unclosed array expect ]');
        return i;
      }
    }
    throw new PathError('unterminated filter');
  }
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const constant =
  (value: unknown): Step =>
  (values) =>
    values.map(() => value);

const field =
  (name: string): Step =>
  (values) =>
    values.filter((value) => isObject(value) && Object.hasOwn(value, name)).map((value) => own(value as Json, name));

const childrenOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []);
const children: Step = (values) => values.flatMap(childrenOf);

/** Everything that has something in it, from the top down. */
const descend: Step = (values) => {
  const found: unknown[] = [];
  const visit = (value: unknown): void => {
    const below = childrenOf(value);
    if (below.length === 0) return;
    if (found.push(value) > valuesMax) throw new PathError(`more than ${valuesMax} values`);
    below.forEach(visit);
  };
  values.forEach(visit);
  return found;
};

const union =
  (steps: readonly Step[]): Step =>
  (values) =>
    steps.flatMap((step) => step(values));

function subscript(text: string): Step {
  const name = /^'([^']*)'$/.exec(text)?.[1];
  if (name !== undefined) return sequence(new PathParser(`.${name}`).steps());
  const slice = /^(-?\d*)(:-?\d*)?(:\d*)?$/.exec(text === '*' ? ':' : text);
  if (!slice || text === '') throw new PathError(`invalid array index ${text}`);
  const [first, last, step] = slice.slice(1).map((part) => part?.replace(':', '')) as [string, string | undefined, string | undefined];
  const isOne = last === undefined;
  return (values) => values.filter((value) => value !== null).flatMap((value) => sliced(value, { first, last, step, isOne }));
}

interface Slice {
  readonly first: string;
  readonly last: string | undefined;
  readonly step: string | undefined;
  /** an index, not a range */
  readonly isOne: boolean;
}

function sliced(value: unknown, { first, last, step, isOne }: Slice): readonly unknown[] {
  if (!Array.isArray(value)) throw new PathError('not an array or slice');
  const { length } = value;
  const fromEnd = (index: number): number => (index < 0 ? index + length : index);
  const from = first ? fromEnd(Number(first)) : 0;
  const to = isOne ? from + 1 : last ? fromEnd(Number(last)) : length;
  if (from === to) return [];
  if (from < 0 || from >= length || to < 0 || to > length || from > to) {
    throw new PathError(`array index out of bounds: index ${from}, length ${length}`);
  }
  const by = step ? Number(step) : 1;
  if (by < 1) throw new PathError('step must be > 0');
  return value.slice(from, to).filter((_, i) => i % by === 0);
}

function filter([left, right]: readonly [Step, Step], operator: string): Step {
  const holds = (item: unknown): boolean => {
    if (operator === 'exists') return someOf(left, item);
    const [a, b] = [left([item]), right([item])];
    if (a.length === 0 || b.length === 0) return false;
    if (a.length > 1 || b.length > 1) throw new PathError('can only compare one element at a time');
    return compare(a[0], operator, b[0]);
  };
  return (values) =>
    values.flatMap((value) => {
      if (!Array.isArray(value)) throw new PathError('not an array or slice, and cannot be filtered');
      return value.filter(holds);
    });
}

function someOf(path: Step, item: unknown): boolean {
  try {
    return path([item]).length > 0;
  } catch (error) {
    if (error instanceof PathError) return false;
    throw error;
  }
}

function compare(a: unknown, operator: string, b: unknown): boolean {
  if (a === null || typeof a === 'object' || typeof a !== typeof b) throw new PathError('incompatible types for comparison');
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
  }
  if (typeof a === 'boolean') throw new PathError('invalid type for comparison');
  const [x, y] = [a, b] as [string, string];
  switch (operator) {
    case '<':
      return x < y;
    case '<=':
      return x <= y;
    case '>':
      return x > y;
    case '>=':
      return x >= y;
    default:
      throw new PathError(`unrecognized filter operator ${operator}`);
  }
}
