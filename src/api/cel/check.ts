/**
 * Types of an expression: writes into its tree the type of each node and, of calls, the overloads that fit; makes names of
 * dotted selections that are names (`optional.none`). What does not fit is told in CEL's words (checker/errors.go of
 * cel-go), all of it, since clients see it.
 *
 * List and map literals have items of one type; literals of durations, times and patterns are tried (`tryLiteral`).
 */

import type { Environment } from './environment.ts';
import { parseFormat, refusal, takes } from './library/format-string.ts';
import { matcherOf } from './pattern.ts';
import type { Call, Comprehension, Entry, Expr, ListExpr, MapExpr, Select, StructExpr } from './syntax/expression.ts';
import type { SyntaxIssue } from './syntax/source.ts';
import { parseDuration, parseTimestamp } from './time.ts';
import type { Type } from './types.ts';
import * as t from './types.ts';
import { CelError } from './values.ts';

/** The checked tree, which may be another node than the given one. */
export function checkExpression(expr: Expr, env: Environment): { readonly expr: Expr; readonly issues: readonly SyntaxIssue[] } {
  const checker = new Checker(env);
  const checked = checker.check(expr);
  checker.finish();
  return { expr: checked, issues: checker.issues };
}

/** Parts of a literal that must be of one type. */
interface Alike {
  readonly items: readonly Expr[];
  readonly optional: (index: number) => boolean;
  /** one error is enough */
  readonly onlyFirst: boolean;
}

class Checker {
  readonly issues: SyntaxIssue[] = [];
  readonly #env: Environment;
  readonly #nodes = new Set<Expr>();
  readonly #bindings = new t.Bindings();
  readonly #locals: [name: string, type: Type][] = [];
  #free = 0;
  /** how many calls of `format` are open: their lists may mix types */
  #inFormat = 0;
  readonly #literals: Alike[] = [];

  constructor(env: Environment) {
    this.#env = env;
  }

  check(expr: Expr): Expr {
    const checked = this.#resolve(expr);
    this.#nodes.add(checked);
    return checked;
  }

  /** Puts what is known by now into all nodes, then looks at literals. */
  finish(): void {
    for (const node of this.#nodes) node.type = t.substitute(this.#bindings, node.type ?? t.DYN, 'dyn');
    if (this.issues.length > 0) return;
    for (const literal of this.#literals) this.#homogeneous(literal);
    for (const node of this.#nodes) {
      if (node.kind !== 'call') continue;
      this.#tryLiteral(node);
      this.#tryFormat(node);
    }
  }

  #resolve(expr: Expr): Expr {
    switch (expr.kind) {
      case 'literal':
        expr.type = literalType(expr.value);
        return expr;
      case 'ident': {
        const found = this.#lookUp(expr.name);
        if (found) expr.name = found.name;
        else this.#undeclared(expr.at, expr.name);
        expr.type = found?.type ?? t.ERROR;
        return expr;
      }
      case 'select':
        return this.#select(expr);
      case 'call':
        return expr.name === '_?._' && !expr.target ? this.#optionalSelect(expr) : this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        return this.#struct(expr);
      case 'comprehension':
        return this.#comprehension(expr);
      default:
        return expr satisfies never;
    }
  }

  #lookUp(written: string): { name: string; type: Type } | undefined {
    const name = written.startsWith('.') ? written.slice(1) : written;
    const local = written === name ? this.#locals.findLast(([n]) => n === name)?.[1] : undefined;
    const variable = local ?? this.#env.variable(name);
    if (variable) return { name, type: variable };
    const type = this.#env.typeNamed(name);
    return type && { name, type: t.typeOf(type) };
  }

  #select(expr: Select): Expr {
    const qualified = qualifiedName(expr);
    const found = qualified !== undefined ? this.#lookUp(qualified) : undefined;
    if (found) return { kind: 'ident', at: expr.at, depth: expr.depth, name: found.name, type: found.type };
    expr.operand = this.check(expr.operand);
    const type = this.#fieldType(expr.at, expr.operand, expr.field, false);
    expr.type = expr.isTest ? t.BOOL : type;
    return expr;
  }

  #optionalSelect(expr: Call): Expr {
    const [operand, field] = expr.args;
    if (!operand || field?.kind !== 'literal') throw new Error('a.?b has an operand and a name');
    expr.args[0] = this.check(operand);
    this.check(field);
    expr.type = this.#fieldType(expr.at, expr.args[0], String(field.value), true);
    expr.overloads = this.#env.overloads('_?._') ?? [];
    return expr;
  }

  #fieldType(at: number, operand: Expr, field: string, isOptional: boolean): Type {
    const operandType = this.#known(operand);
    const target = t.unwrapOptional(operandType);
    let type = t.ERROR;
    switch (target.kind) {
      case 'map':
        type = t.mappedOf(target);
        break;
      case 'struct': {
        const found = target.field?.(field);
        if (found) type = found;
        else this.#report(at, target.field ? `undefined field '${field}'` : `unexpected failed resolution of '${target.name}'`);
        break;
      }
      case 'param':
        t.assign(this.#bindings, [t.DYN], [target]);
        type = t.DYN;
        break;
      case 'dyn':
      case 'error':
        type = t.DYN;
        break;
      default:
        this.#report(at, `type '${t.showType(target)}' does not support field selection`);
        type = t.DYN;
    }
    const result = isOptional || t.isOptional(operandType) ? t.optionalOf(type) : type;
    return t.substitute(this.#bindings, result, 'keep');
  }

  #call(expr: Call): Expr {
    const isFormat = expr.name === 'format';
    if (isFormat) this.#inFormat += 1;
    expr.args = expr.args.map((arg) => this.check(arg));
    if (isFormat) this.#inFormat -= 1;
    if (!expr.target) {
      const name = expr.name.startsWith('.') ? expr.name.slice(1) : expr.name;
      return this.#apply(expr, name);
    }
    const prefix = qualifiedName(expr.target);
    if (prefix !== undefined && this.#env.overloads(unrooted(`${prefix}.${expr.name}`))) {
      expr.name = unrooted(`${prefix}.${expr.name}`);
      expr.target = undefined;
      return this.#apply(expr, expr.name);
    }
    expr.target = this.check(expr.target);
    return this.#apply(expr, expr.name);
  }

  #apply(expr: Call, name: string): Expr {
    const declared = this.#env.overloads(name);
    if (!declared) {
      this.#undeclared(expr.at, name);
      expr.type = t.ERROR;
      return expr;
    }
    expr.name = name;
    const operands = expr.target ? [expr.target, ...expr.args] : expr.args;
    if (name === '_&&_' || name === '_||_') {
      const wrong = operands.filter((o) => !t.assign(this.#bindings, [this.#typeOf(o)], [t.BOOL]));
      for (const operand of wrong) this.#mismatch(operand.at, t.BOOL, this.#typeOf(operand));
      expr.overloads = declared;
      expr.type = wrong.length > 0 ? t.ERROR : t.BOOL;
      return expr;
    }
    const argTypes = operands.map((o) => this.#typeOf(o));
    const fitting: t.Overload[] = [];
    let result: Type | undefined;
    for (const overload of declared) {
      if (overload.isMember !== (expr.target !== undefined)) continue;
      const fresh = new t.Bindings(overload.params.map((name) => [name, this.#newParam()] as const));
      const wanted = overload.params.length > 0 ? overload.args.map((a) => t.substitute(fresh, a, 'keep')) : overload.args;
      if (!t.assign(this.#bindings, argTypes, wanted)) continue;
      fitting.push(overload);
      const type = t.substitute(this.#bindings, t.substitute(fresh, overload.result, 'keep'), 'keep');
      if (!result) result = type;
      else if (result.kind !== 'dyn' && !t.sameType(type, result)) result = t.DYN;
    }
    if (!result) {
      const shown = argTypes.map((type) => t.showType(t.substitute(this.#bindings, type, 'dyn')));
      const receiver = expr.target ? `${shown.shift() ?? ''}.` : '';
      this.#report(expr.at, `found no matching overload for '${name}' applied to '${receiver}(${shown.join(', ')})'`);
    }
    expr.overloads = fitting;
    expr.type = result ?? t.ERROR;
    return expr;
  }

  #list(expr: ListExpr): Expr {
    let type: Type | undefined;
    expr.items = expr.items.map((item, i) => {
      const checked = this.check(item);
      type = this.#join(type, this.#initType(checked, expr.optional.has(i)));
      return checked;
    });
    expr.type = t.listOf(type ?? this.#newParam());
    if (this.#inFormat === 0) this.#literals.push({ items: expr.items, optional: (i) => expr.optional.has(i), onlyFirst: true });
    return expr;
  }

  #map(expr: MapExpr): Expr {
    let keyType: Type | undefined;
    let valueType: Type | undefined;
    for (const entry of expr.entries) {
      entry.key = this.check(entry.key);
      keyType = this.#join(keyType, this.#typeOf(entry.key));
      entry.value = this.check(entry.value);
      valueType = this.#join(valueType, this.#initType(entry.value, entry.isOptional));
    }
    expr.type = t.mapOf(keyType ?? this.#newParam(), valueType ?? this.#newParam());
    if (this.#inFormat === 0) {
      const items = (side: (e: Entry) => Expr): Expr[] => expr.entries.map(side);
      this.#literals.push({ items: items((e) => e.key), optional: () => false, onlyFirst: false });
      this.#literals.push({ items: items((e) => e.value), optional: (i) => expr.entries[i]?.isOptional ?? false, onlyFirst: false });
    }
    return expr;
  }

  #struct(expr: StructExpr): Expr {
    const found = this.#lookUp(expr.name);
    if (!found) {
      this.#undeclared(expr.at, expr.name);
      expr.type = t.ERROR;
      return expr;
    }
    expr.name = found.name;
    let type = t.ERROR;
    if (found.type.kind !== 'type') this.#report(expr.at, `'${t.goTypeName(found.type)}' is not a type`);
    else if (t.itemOf(found.type).kind !== 'struct') this.#report(expr.at, `'${t.itemOf(found.type).name}' is not a message type`);
    else type = t.itemOf(found.type);
    expr.type = type;
    for (const field of expr.fields) {
      field.value = this.check(field.value);
      const wanted = type.field?.(field.name);
      if (!wanted)
        this.#report(
          field.at,
          type.kind === 'struct' ? `undefined field '${field.name}'` : `unexpected failed resolution of '${expr.name}'`,
        );
      const given = this.#initType(field.value, field.isOptional);
      if (wanted && !t.assign(this.#bindings, [wanted], [given])) {
        const shown = [wanted, given].map((type) => t.showType(type));
        this.#report(field.at, `expected type of field '${field.name}' is '${shown[0]}' but provided type is '${shown[1]}'`);
      }
    }
    return expr;
  }

  #comprehension(expr: Comprehension): Expr {
    expr.range = this.check(expr.range);
    expr.init = this.check(expr.init);
    const range = this.#known(expr.range);
    const accumulated = this.#typeOf(expr.init);
    const [first, second] = this.#loopTypes(expr, range);
    const scope = this.#locals.length;
    this.#locals.push([expr.accumulator, accumulated]);
    this.#locals.push([expr.variable, first]);
    if (expr.variable2 !== undefined) this.#locals.push([expr.variable2, second]);
    expr.condition = this.check(expr.condition);
    this.#demand(expr.condition, t.BOOL);
    expr.step = this.check(expr.step);
    this.#demand(expr.step, accumulated);
    this.#locals.length = scope + 1;
    expr.result = this.check(expr.result);
    this.#locals.length = scope;
    expr.type = t.substitute(this.#bindings, this.#typeOf(expr.result), 'keep');
    return expr;
  }

  /** The types of a loop's variables: of items, or of key and value. */
  #loopTypes(expr: Comprehension, range: Type): readonly [Type, Type] {
    const isPair = expr.variable2 !== undefined;
    switch (range.kind) {
      case 'list':
        return isPair ? [t.INT, t.itemOf(range)] : [t.itemOf(range), t.DYN];
      case 'map':
        return [t.itemOf(range), t.mappedOf(range)];
      case 'param':
        t.assign(this.#bindings, [t.DYN], [range]);
        return [t.DYN, t.DYN];
      case 'dyn':
      case 'error':
        return [t.DYN, t.DYN];
      default:
        this.#report(
          expr.range.at,
          `expression of type '${t.showType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        );
        return [t.ERROR, t.ERROR];
    }
  }

  /** The type that an item or field gets: of an optional one what is in the optional. */
  #initType(value: Expr, isOptional: boolean): Type {
    const type = this.#typeOf(value);
    if (!isOptional) return type;
    if (!t.isOptional(type) && type.kind !== 'dyn') this.#mismatch(value.at, t.optionalOf(type), type);
    return t.unwrapOptional(type);
  }

  /** What items have in common; that literals are of one type is looked at when all else is right. */
  #join(previous: Type | undefined, current: Type): Type {
    if (!previous) return current;
    return t.assign(this.#bindings, [previous], [current]) ? t.mostGeneral(previous, current) : t.DYN;
  }

  #demand(expr: Expr, type: Type): void {
    if (!t.assign(this.#bindings, [type], [this.#typeOf(expr)])) this.#mismatch(expr.at, type, this.#typeOf(expr));
  }

  /** Literals may not hide a dyn among other types. */
  #homogeneous({ items, optional, onlyFirst }: Alike): void {
    let first: Type | undefined;
    for (const [i, item] of items.entries()) {
      const type = optional(i) ? t.unwrapOptional(this.#typeOf(item)) : this.#typeOf(item);
      first ??= type;
      if (t.sameType(first, type)) continue;
      this.#mismatch(item.at, first, type);
      if (onlyFirst) return;
    }
  }

  /** `duration('5x')` is an error before it is ever evaluated. */
  #tryLiteral(call: Call): void {
    const literal = call.name === 'matches' ? call.args.at(-1) : call.args[0];
    const attempt = literalTrials.get(call.name);
    if (!attempt || literal?.kind !== 'literal') return;
    if (call.name !== 'matches' && call.args.length !== 1) return;
    if (typeof literal.value !== 'string') {
      const isNever = call.name === 'duration' || (call.name === 'timestamp' && literal.value === null);
      if (isNever) this.#report(literal.at, `invalid ${call.name} argument`);
      return;
    }
    try {
      attempt(literal.value);
    } catch (e) {
      if (!(e instanceof CelError)) throw e;
      this.#report(literal.at, `invalid ${call.name} argument`);
    }
  }

  /** A format that is a literal, with a literal list: each clause must have an argument of its kind. */
  #tryFormat({ name, target, args, at }: Call): void {
    const [list] = args;
    if (name !== 'format' || target?.kind !== 'literal' || typeof target.value !== 'string' || list?.kind !== 'list') return;
    let count = 0;
    try {
      for (const part of parseFormat(target.value)) {
        if (typeof part === 'string') continue;
        const arg = list.items[count];
        if (!arg) throw new CelError(`index ${count} out of range`);
        count += 1;
        const { kind, name: given } = this.#typeOf(arg);
        if (kind === 'dyn' || takes.get(part.letter)?.includes(kind)) continue;
        this.#report(arg.at, `error during formatting: ${refusal(part.letter, given)}`);
        return;
      }
      const { length } = list.items;
      if (length > count) throw new CelError(`too many arguments supplied to string.format (expected ${count}, got ${length})`);
    } catch (e) {
      if (!(e instanceof CelError)) throw e;
      this.#report(at, e.message);
    }
  }

  #newParam(): Type {
    this.#free += 1;
    return t.paramType(`_var${this.#free - 1}`);
  }
  #typeOf(expr: Expr): Type {
    return expr.type ?? t.DYN;
  }
  #known(expr: Expr): Type {
    return t.substitute(this.#bindings, this.#typeOf(expr), 'keep');
  }
  #undeclared(at: number, name: string): void {
    this.#report(at, `undeclared reference to '${name}' (in container '')`);
  }
  #mismatch(at: number, wanted: Type, found: Type): void {
    this.#report(at, `expected type '${t.showType(wanted)}' but found '${t.showType(found)}'`);
  }
  #report(at: number, message: string): void {
    this.issues.push({ at, message });
  }
}

const literalTrials = new Map<string, (text: string) => unknown>([
  ['duration', parseDuration],
  ['timestamp', parseTimestamp],
  ['matches', matcherOf],
]);

/** `a.b.c` of names only. */
function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name;
  if (expr.kind !== 'select' || expr.isTest) return undefined;
  const prefix = qualifiedName(expr.operand);
  return prefix === undefined ? undefined : `${prefix}.${expr.field}`;
}

function unrooted(name: string): string {
  return name.startsWith('.') ? name.slice(1) : name;
}

function literalType(value: unknown): Type {
  switch (typeof value) {
    case 'boolean':
      return t.BOOL;
    case 'bigint':
      return t.INT;
    case 'number':
      return t.DOUBLE;
    case 'string':
      return t.STRING;
    default:
      if (value === null) return t.NULL;
      return value instanceof Uint8Array ? t.BYTES : t.UINT;
  }
}
