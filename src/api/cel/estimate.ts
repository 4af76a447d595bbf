/**
 * What an expression can cost at least and at most, from its tree, the sizes of its literals and what a schema says of
 * sizes: upstream's estimate to the unit (checker/cost.go of cel-go, apiserver/pkg/cel/library/cost.go), since it decides
 * which rules a CustomResourceDefinition may have. Its quirks are kept, and named where they stand.
 *
 * Numbers are doubles that stop at 2^64; beyond 2^53 they are rounded, which no limit can tell.
 */

import { comparable, LIST_CALL, PATTERN_FACTOR, STRING_FACTOR, selectorCost } from './prices.ts';
import { ACCUMULATOR, type Call, type Comprehension, type Expr } from './syntax/expression.ts';
import { isOptional, itemOf, sameType, type Type } from './types.ts';
import { stringSize } from './values.ts';

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** The most items, entries or characters of what a schema has at a path (`self`, `spec`, `list`, `@items`); undefined: unknown. */
export type SizeOf = (path: readonly string[]) => number | undefined;

export function estimateCost(expr: Expr, sizeOf: SizeOf = () => undefined): Range {
  return new Estimator(sizeOf).cost(expr);
}

const MOST = 2 ** 64;
const UNKNOWN: Range = { min: 0, max: MOST };
const NOTHING: Range = { min: 0, max: 0 };
const ONE: Range = { min: 1, max: 1 };

function fixed(n: number): Range {
  return { min: n, max: n };
}
function clip(n: number): number {
  return Math.min(n, MOST);
}
function add(...ranges: readonly Range[]): Range {
  return ranges.reduce((a, b) => ({ min: clip(a.min + b.min), max: clip(a.max + b.max) }), NOTHING);
}
function times(a: Range, b: Range): Range {
  return { min: clip(a.min * b.min), max: clip(a.max * b.max) };
}
function scale(a: Range, factor: number): Range {
  return { min: clip(Math.ceil(a.min * factor)), max: clip(Math.ceil(a.max * factor)) };
}
function union(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

/** Sizes of keys and values in what a literal or loop made. */
interface EntrySize {
  readonly isList: boolean;
  readonly key: Range;
  readonly value: Range;
}

interface Local {
  readonly name: string;
  readonly path: readonly string[];
  readonly size: Range | undefined;
  readonly entry: EntrySize | undefined;
}

/** An operand as prices see it. */
interface Operand {
  readonly expr: Expr | undefined;
  readonly type: Type;
  readonly path: readonly string[];
  /** what is known of its size without asking the schema */
  readonly computed: Range | undefined;
}

interface CallCost {
  readonly cost: Range;
  readonly size?: Range | undefined;
}

class Estimator {
  readonly #sizeOf: SizeOf;
  readonly #paths = new Map<Expr, readonly string[]>();
  readonly #sizes = new Map<Expr, Range>();
  readonly #entries = new Map<Expr, EntrySize>();
  readonly #locals: Local[] = [];

  constructor(sizeOf: SizeOf) {
    this.#sizeOf = sizeOf;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case 'literal':
        return NOTHING;
      case 'ident':
        this.#paths.set(expr, this.#local(expr.name)?.path ?? [expr.name]);
        return ONE;
      case 'select': {
        const operand = this.cost(expr.operand);
        if (expr.isTest) return operand;
        this.#paths.set(expr, [...this.#path(expr.operand), expr.field]);
        const { kind } = typeOf(expr.operand);
        return kind === 'map' || kind === 'struct' ? add(operand, ONE) : operand;
      }
      case 'call':
        return this.#call(expr);
      case 'list': {
        const sum = add(...expr.items.map((item) => this.cost(item)));
        this.#entries.set(expr, { isList: true, key: ONE, value: this.#sizeRange(expr.items) });
        return add(sum, fixed(10));
      }
      case 'map': {
        const sum = add(...expr.entries.flatMap((entry) => [this.cost(entry.key), this.cost(entry.value)]));
        const key = this.#sizeRange(expr.entries.map((entry) => entry.key));
        this.#entries.set(expr, { isList: false, key, value: this.#sizeRange(expr.entries.map((entry) => entry.value)) });
        return add(sum, fixed(30));
      }
      case 'struct':
        return add(...expr.fields.map((field) => this.cost(field.value)), fixed(40));
      case 'comprehension':
        return isBinding(expr) ? this.#binding(expr) : this.#loop(expr);
      default:
        return expr satisfies never;
    }
  }

  /** From the smallest to the largest; of nothing from 0. */
  #sizeRange(parts: readonly Expr[]): Range {
    return parts.reduce((range, part) => union(range, this.#sizeOrUnknown(part)), { min: parts.length === 0 ? 0 : MOST, max: 0 });
  }

  #binding(expr: Comprehension): Range {
    const before = add(this.cost(expr.range), this.cost(expr.init));
    this.#push(expr.accumulator, this.#path(expr.init), this.#size(expr.init), this.#entry(expr.init));
    const result = this.cost(expr.result);
    this.#locals.pop();
    this.#copySizes(expr, expr.result);
    return add(before, result);
  }

  #loop(expr: Comprehension): Range {
    const before = add(this.cost(expr.range), this.cost(expr.init));
    this.#push(expr.accumulator, this.#path(expr.init), this.#size(expr.init), this.#entry(expr.init));
    const scope = this.#locals.length;
    const entry = this.#entry(expr.range);
    const isList = entry ? entry.isList : typeOf(expr.range).kind === 'list';
    const path = this.#path(expr.range);
    if (expr.variable2 === undefined) {
      this.#push(expr.variable, [...path, isList ? '@items' : '@keys'], isList ? entry?.value : entry?.key);
    } else {
      this.#push(expr.variable, [...path, isList ? '@indices' : '@keys'], entry?.key);
      this.#push(expr.variable2, [...path, isList ? '@items' : '@values'], entry?.value);
    }
    const condition = this.cost(expr.condition);
    const step = this.cost(expr.step);
    this.#locals.length = scope;
    const result = this.cost(expr.result);
    this.#locals.pop();
    const count = this.#sizeOrUnknown(expr.range);
    if (expr.init.kind === 'literal') {
      this.#setSize(expr, this.#size(expr.init));
    } else if (expr.init.kind === 'list' || expr.init.kind === 'map') {
      this.#setSize(expr, count);
      this.#setEntry(expr, this.#entry(expr.step));
    }
    return add(before, result, times(count, add(step, condition)));
  }

  #call(expr: Call): Range {
    const [first] = expr.args;
    if (expr.name === 'dyn' && first) {
      const cost = add(ONE, this.cost(first));
      this.#copySizes(expr, first);
      return cost;
    }
    const argCosts = expr.args.map((arg) => this.cost(arg));
    const args = expr.args.map((arg) => this.#operand(arg));
    const { target } = expr;
    const targetCost = target ? this.cost(target) : NOTHING;
    const receiver = target && this.#operand(target);
    let cost: Range = { min: MOST, max: 0 };
    let size: Range | undefined;
    for (const { id } of expr.overloads ?? []) {
      const one = this.#overload(expr, id, receiver, args, argCosts);
      cost = union(cost, one.cost);
      if (one.size) size = size ? union(size, one.size) : one.size;
      if ((id === 'index_list' || id === 'index_map') && first) {
        size = this.#entry(first)?.value;
        this.#paths.set(expr, [...this.#path(first), id === 'index_list' ? '@items' : '@values']);
      }
      size ??= this.#size(expr);
    }
    this.#setSize(expr, size);
    return add(targetCost, cost);
  }

  #overload(expr: Call, id: string, target: Operand | undefined, args: readonly Operand[], argCosts: readonly Range[]): CallCost {
    const operands = add(...argCosts);
    const library = this.#listCost(id, target, args) ?? this.#libraryCost(expr.name, id, target, args);
    if (library) return { ...library, cost: add(library.cost, operands) };
    const [a, b, c] = args;
    switch (id) {
      case 'logical_or':
      case 'logical_and':
        return { cost: { min: argCosts[0]?.min ?? 0, max: operands.max } };
      case 'conditional': {
        if (!b?.expr || !c?.expr) break;
        this.#setEntry(expr, unionEntries(this.#entry(b.expr), this.#entry(c.expr)));
        const cost = add(argCosts[0] ?? NOTHING, union(argCosts[1] ?? NOTHING, argCosts[2] ?? NOTHING));
        return { cost, size: union(known(b), known(c)) };
      }
      case 'add_string':
      case 'add_bytes':
      case 'add_list': {
        if (!a?.expr || !b?.expr) break;
        const size = add(known(a), known(b));
        this.#setEntry(expr, unionEntries(this.#entry(a.expr), this.#entry(b.expr)));
        return { cost: add(id === 'add_list' ? ONE : scale(size, STRING_FACTOR), operands), size };
      }
      default:
    }
    const standard = standardCost(id, target, args);
    return { ...standard, cost: add(standard?.cost ?? ONE, operands) };
  }

  /** CEL's lists and sets, whose prices stand before all others. */
  #listCost(id: string, target: Operand | undefined, args: readonly Operand[]): CallCost | undefined {
    const [a, b] = args;
    const listCall = (factor: number, size: Range): CallCost => ({ cost: add(scale(size, factor), fixed(LIST_CALL)), size });
    const square = (factor: number, of: Operand | undefined): CallCost => {
      const size = this.#sizeEstimate(of);
      return listCall(factor, times(size, size));
    };
    switch (id) {
      case 'list_slice': {
        const length = intOf(b, this.#sizeEstimate(target).max) - intOf(a, 0);
        return listCall(1, fixed(length < 0 ? MOST : length));
      }
      case 'lists_range':
        return listCall(1, fixed(intOf(a, MOST)));
      case 'list_reverse':
        return listCall(1, this.#sizeEstimate(target));
      case 'list_flatten':
        return listCall(1, this.#sizeEstimate(target));
      case 'list_flatten_int':
        return listCall(intOf(a, MOST), this.#sizeEstimate(target));
      case 'list_distinct':
        return square(2, target);
      case 'list_sets_contains_list':
      case 'list_sets_intersects_list':
        return { cost: add(times(this.#sizeEstimate(a), this.#sizeEstimate(b)), ONE) };
      case 'list_sets_equivalent_list':
        return { cost: add(scale(times(this.#sizeEstimate(a), this.#sizeEstimate(b)), 2), ONE) };
      default: {
        const type = comparable.find((name) => id === `list_${name}_sort` || id === `list_${name}_sortByAssociatedKeys`);
        if (type === undefined) return undefined;
        return square(type === 'string' || type === 'bytes' ? 2 + STRING_FACTOR : 2, id.endsWith('_sort') ? target : a);
      }
    }
  }

  /** Kubernetes' libraries, by the name of the function. */
  #libraryCost(name: string, id: string, target: Operand | undefined, args: readonly Operand[]): CallCost | undefined {
    const [a, b] = args;
    const traverse = (of: Operand | undefined, factor = 1): Range => scale(this.#sizeEstimate(of), factor * STRING_FACTOR);
    switch (name) {
      case 'check':
        return { cost: fixed(350_000) };
      case 'fieldSelector':
      case 'labelSelector': {
        const size = this.#sizeEstimate(a);
        return { cost: { min: clip(selectorCost(size.min)), max: clip(selectorCost(size.max)) } };
      }
      case 'isSorted':
      case 'sum':
      case 'max':
      case 'min':
      case 'indexOf':
      case 'lastIndexOf':
        return target && { cost: this.#eachCost(target) };
      case 'url':
      case 'jsonpatch.escapeKey':
        return { cost: traverse(a), size: this.#sizeEstimate(a) };
      case 'lowerAscii':
      case 'upperAscii':
      case 'substring':
      case 'trim':
        return { cost: traverse(target), size: this.#sizeEstimate(target) };
      case 'replace':
        return { cost: traverse(target, 2), size: replacedSize(this.#sizeEstimate(target), this.#sizeEstimate(a), this.#sizeEstimate(b)) };
      case 'split':
        return { cost: traverse(target, 2), size: { min: 0, max: splitMost(b, this.#sizeEstimate(target).max) } };
      case 'join':
        return target && this.#joinCost(target, a);
      case 'find':
      case 'findAll':
        return {
          cost: patternCost(this.#sizeEstimate(target), this.#sizeEstimate(a)),
          size: { min: 0, max: this.#sizeEstimate(target).max },
        };
      case 'ip':
        return { cost: id === 'cidr_ip' ? ONE : traverse(a) };
      case 'cidr':
      case 'isIP':
      case 'isCIDR':
      case 'quantity':
      case 'isQuantity':
      case 'semver':
      case 'isSemver':
        return { cost: traverse(a) };
      case 'ip.isCanonical':
        return { cost: traverse(a, 2) };
      case 'containsIP':
        return { cost: add(scale(add(ADDRESS, ADDRESS), STRING_FACTOR), id.endsWith('_string') ? traverse(a) : NOTHING) };
      case 'containsCIDR': {
        const compared = add(scale(add(ADDRESS, ADDRESS), STRING_FACTOR), scale(ADDRESS, STRING_FACTOR), ONE);
        return { cost: add(compared, id.endsWith('_string') ? traverse(a) : NOTHING) };
      }
      case 'validate':
        return { cost: scale(traverse(a), MAX_NAME_PATTERN * PATTERN_FACTOR) };
      case '_==_':
        return a && b && equalityCost(a, b);
      default:
        return undefined;
    }
  }

  /** Of a list each item, of a string each character. */
  #eachCost(target: Operand): Range {
    const size = this.#sizeEstimate(target);
    if (target.type.params.length === 0) return scale(size, STRING_FACTOR);
    const item = itemOperand(target);
    if (item.type.kind !== 'string' && item.type.kind !== 'bytes') return size;
    return times(size, add(ONE, scale(this.#sizeEstimate(item), STRING_FACTOR)));
  }

  #joinCost(target: Operand, separator: Operand | undefined): CallCost {
    const count = this.#sizeEstimate(target);
    let size = target.type.params.length > 0 ? times(count, this.#sizeEstimate(itemOperand(target))) : NOTHING;
    if (separator) {
      const between = { min: Math.max(count.min - 1, 0), max: Math.max(count.max - 1, 0) };
      size = add(size, times(this.#sizeEstimate(separator), between));
    }
    return { cost: scale(size, STRING_FACTOR), size };
  }

  #operand(expr: Expr): Operand {
    const path = this.#path(expr);
    return { expr, type: typeOf(expr), path: path[0] === ACCUMULATOR ? [] : path, computed: this.#size(expr) };
  }

  #sizeEstimate(of: Operand | undefined): Range {
    return of?.computed ?? (of && this.#schemaSize(of.path)) ?? UNKNOWN;
  }

  #schemaSize(path: readonly string[]): Range | undefined {
    const max = path.length === 0 ? undefined : this.#sizeOf(path);
    return max === undefined ? undefined : { min: 0, max };
  }

  #sizeOrUnknown(expr: Expr): Range {
    return this.#size(expr) ?? UNKNOWN;
  }

  #size(expr: Expr): Range | undefined {
    const found = this.#sizes.get(expr) ?? literalSize(expr);
    if (found) return found;
    const bySchema = this.#schemaSize(this.#path(expr));
    if (bySchema) {
      this.#sizes.set(expr, bySchema);
      return bySchema;
    }
    if (isScalar(typeOf(expr))) return ONE;
    return expr.kind === 'ident' ? this.#local(expr.name)?.size : undefined;
  }

  #entry(expr: Expr): EntrySize | undefined {
    return this.#entries.get(expr) ?? (expr.kind === 'ident' ? this.#local(expr.name)?.entry : undefined);
  }

  #path(expr: Expr): readonly string[] {
    const local = expr.kind === 'ident' ? this.#local(expr.name) : undefined;
    return local?.path ?? this.#paths.get(expr) ?? [];
  }

  #push(name: string, path: readonly string[], size: Range | undefined, entry?: EntrySize): void {
    this.#locals.push({ name, path, size, entry });
  }

  #local(name: string): Local | undefined {
    return this.#locals.findLast((local) => local.name === name);
  }

  #setSize(expr: Expr, size: Range | undefined): void {
    if (size) this.#sizes.set(expr, size);
  }
  #setEntry(expr: Expr, entry: EntrySize | undefined): void {
    if (entry) this.#entries.set(expr, entry);
  }
  #copySizes(to: Expr, from: Expr): void {
    this.#setSize(to, this.#size(from));
    this.#setEntry(to, this.#entry(from));
  }
}

/** bytes of an address: 4 or 16 */
const ADDRESS: Range = { min: 4, max: 16 };
const MAX_NAME_PATTERN = 128;
const MAX_FORMAT_SIZE = 64;

function typeOf(expr: Expr): Type {
  return expr.type ?? { kind: 'dyn', name: 'dyn', params: [] };
}

function known(of: Operand): Range {
  return of.computed ?? UNKNOWN;
}

function itemOperand(list: Operand): Operand {
  return { expr: undefined, type: itemOf(list.type), path: list.path.length === 0 ? [] : [...list.path, '@items'], computed: undefined };
}

/** A literal int, not below 0; else what is assumed. */
function intOf(of: Operand | undefined, otherwise: number): number {
  if (of?.expr?.kind !== 'literal' || typeof of.expr.value !== 'bigint') return otherwise;
  return Math.max(Number(of.expr.value), 0);
}

/** How many parts at most: a negative literal is upstream's largest number. */
function splitMost(limit: Operand | undefined, otherwise: number): number {
  const isNegative = limit?.expr?.kind === 'literal' && typeof limit.expr.value === 'bigint' && limit.expr.value < 0n;
  return isNegative ? MOST : intOf(limit, otherwise);
}

function isBinding(expr: Comprehension): boolean {
  const { range, condition } = expr;
  return range.kind === 'list' && range.items.length === 0 && condition.kind === 'literal' && condition.value === false;
}

function unionEntries(a: EntrySize | undefined, b: EntrySize | undefined): EntrySize | undefined {
  return a && b && { isList: a.isList, key: union(a.key, b.key), value: union(a.value, b.value) };
}

function literalSize(expr: Expr): Range | undefined {
  if (expr.kind === 'list') return fixed(expr.items.length);
  if (expr.kind === 'map') return fixed(expr.entries.length);
  if (expr.kind !== 'literal') return undefined;
  if (typeof expr.value === 'string') return fixed(stringSize(expr.value));
  return expr.value instanceof Uint8Array ? fixed(expr.value.length) : ONE;
}

function isScalar(type: Type): boolean {
  return isOptional(type) ? isScalar(itemOf(type)) : ['bool', 'double', 'duration', 'int', 'timestamp', 'uint'].includes(type.kind);
}

function patternCost(text: Range, pattern: Range): Range {
  return times(scale(add(text, ONE), STRING_FACTOR), scale(pattern, PATTERN_FACTOR));
}

/** CEL's own functions whose cost goes by what they go through; undefined: 1. */
function standardCost(id: string, target: Operand | undefined, args: readonly Operand[]): CallCost | undefined {
  const [a, b] = args;
  switch (id) {
    case 'string_format':
      return target && { cost: scale(known(target), STRING_FACTOR) };
    case 'string_to_bytes':
      return a && { cost: scale(known(a), STRING_FACTOR), size: { min: known(a).min, max: clip(known(a).max * 4) } };
    case 'bytes_to_string':
      return a && { cost: scale(known(a), STRING_FACTOR), size: { min: Math.floor(known(a).min / 4), max: known(a).max } };
    case 'strings_quote':
      return a && { cost: scale(known(a), STRING_FACTOR), size: { min: known(a).min + 2, max: clip(known(a).max * 2 + 2) } };
    case 'starts_with_string':
    case 'ends_with_string':
      return a && { cost: scale(known(a), STRING_FACTOR) };
    case 'in_list':
      return b && { cost: known(b) };
    case 'matches_string':
      return target && a && { cost: patternCost(known(target), known(a)) };
    case 'contains_string':
      return target && a && { cost: times(scale(known(target), STRING_FACTOR), scale(known(a), STRING_FACTOR)) };
    case 'equals':
    case 'not_equals':
      return a && b && { cost: smallerCost(a, b) };
    default:
      return /^(?:less|greater)(?:_equals)?_(?:string|bytes)$/.test(id) && a && b ? { cost: smallerCost(a, b) } : undefined;
  }
}

function smallerCost(a: Operand, b: Operand): Range {
  const max = Math.min(known(a).max, known(b).max);
  return scale({ min: max > 0 ? 1 : 0, max }, STRING_FACTOR);
}

/** Of libraries' own types; undefined: as all others. */
function equalityCost(a: Operand, b: Operand): CallCost | undefined {
  if (!sameType(a.type, b.type)) return undefined;
  const { kind, name } = a.type;
  if (kind === 'opaque') return name === 'net.IP' || name === 'net.CIDR' ? { cost: ONE } : undefined;
  if (kind !== 'struct') return undefined;
  if (name === 'kubernetes.NamedFormat') return { cost: scale({ min: 1, max: MAX_FORMAT_SIZE }, STRING_FACTOR) };
  // upstream asks the right side twice
  if (name === 'kubernetes.URL') return { cost: scale({ min: 1, max: b.computed?.max ?? 1 }, STRING_FACTOR) };
  return name === 'kubernetes.Quantity' || name === 'kubernetes.Semver' || name.startsWith('kubernetes.authorization.')
    ? { cost: ONE }
    : undefined;
}

/** The longest and the shortest that `replace` can make. */
function replacedSize(text: Range, old: Range, by: Range): Range {
  const most = ((): readonly [count: number, kept: number] => {
    if (old.min === 0) return [clip(text.max + 1), text.max];
    return by.max <= old.min ? [0, text.max] : [Math.ceil(text.max / old.min), 0];
  })();
  const least = ((): readonly [count: number, kept: number] => {
    if (old.max === 0) return [text.min + 1, text.min];
    return old.max <= by.min ? [0, text.min] : [Math.ceil(text.min / old.max), 0];
  })();
  return add(times({ min: least[0], max: most[0] }, by), { min: least[1], max: most[1] });
}
