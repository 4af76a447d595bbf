/**
 * The types of expressions, and when a value of one may stand where another is wanted: CEL's type unification, type
 * parameters included (checker/types.go of cel-go). Printed as CEL prints them, since compile errors name types.
 */

import type { Long } from './run.ts';
import type { Value } from './values.ts';

export type TypeKind =
  | 'bool'
  | 'bytes'
  | 'double'
  | 'duration'
  | 'dyn'
  | 'error'
  | 'int'
  | 'list'
  | 'map'
  | 'null'
  /** a named type with parameters: optional_type(int) */
  | 'opaque'
  /** a type parameter of an overload */
  | 'param'
  | 'string'
  /** a named type with fields */
  | 'struct'
  | 'timestamp'
  | 'type'
  | 'uint';

export interface Type {
  readonly kind: TypeKind;
  readonly name: string;
  readonly params: readonly Type[];
  /** of a struct: the type of a field by its name in expressions; a struct without this can't be looked into */
  readonly field?: ((name: string) => Type | undefined) | undefined;
}

/** One way to call a function. `args` begins with the receiver when `isMember`. */
export interface Overload {
  readonly id: string;
  readonly isMember: boolean;
  readonly args: readonly Type[];
  readonly result: Type;
  readonly params: readonly string[];
  /** throws CelError; undefined for what the planner does itself */
  readonly run: ((...args: Value[]) => Value | Long) | undefined;
}

function simple(kind: TypeKind, name: string = kind): Type {
  return { kind, name, params: [] };
}

export const BOOL = simple('bool');
export const BYTES = simple('bytes');
export const DOUBLE = simple('double');
export const DURATION = simple('duration', 'google.protobuf.Duration');
export const DYN = simple('dyn');
export const ERROR = simple('error', '*error*');
export const INT = simple('int');
export const NULL = simple('null', 'null_type');
export const STRING = simple('string');
export const TIMESTAMP = simple('timestamp', 'google.protobuf.Timestamp');
export const TYPE = simple('type');
export const UINT = simple('uint');

export function listOf(items: Type): Type {
  return { kind: 'list', name: 'list', params: [items] };
}
export function mapOf(key: Type, value: Type): Type {
  return { kind: 'map', name: 'map', params: [key, value] };
}
export function typeOf(type: Type): Type {
  return { kind: 'type', name: 'type', params: [type] };
}
export function paramType(name: string): Type {
  return { kind: 'param', name, params: [] };
}
export function opaque(name: string, ...params: Type[]): Type {
  return { kind: 'opaque', name, params };
}
export function optionalOf(type: Type): Type {
  return opaque('optional_type', type);
}
export function struct(name: string, field?: (name: string) => Type | undefined): Type {
  return { kind: 'struct', name, params: [], field };
}

export function isOptional(type: Type): boolean {
  return type.kind === 'opaque' && type.name === 'optional_type';
}
/** The type in an optional; else the type itself. */
export function unwrapOptional(type: Type): Type {
  return isOptional(type) ? itemOf(type) : type;
}
export function itemOf(type: Type): Type {
  return type.params[0] ?? DYN;
}
export function mappedOf(type: Type): Type {
  return type.params[1] ?? DYN;
}

const printed: Partial<Record<TypeKind, string>> = { duration: 'duration', error: '!error!', null: 'null', timestamp: 'timestamp' };

/** As compile errors name it: `map(string, int)`. */
export function showType(type: Type): string {
  const word = printed[type.kind] ?? type.name;
  return type.params.length === 0 ? word : `${word}(${type.params.map(showType).join(', ')})`;
}

/** As Go prints it, in errors about what an expression gives: the full names of time types. */
export function goTypeName(type: Type): string {
  return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(goTypeName).join(', ')})`;
}

export function sameType(a: Type, b: Type): boolean {
  return (
    a === b ||
    (a.kind === b.kind &&
      a.name === b.name &&
      a.params.length === b.params.length &&
      a.params.every((p, i) => sameType(p, b.params[i] ?? DYN)))
  );
}

/** What type parameters stand for, as far as is known. A trial that fails is taken back. */
export class Bindings {
  readonly #types: Map<string, Type>;
  readonly #trail: [name: string, before: Type | undefined][] = [];
  constructor(types: Iterable<readonly [string, Type]> = []) {
    this.#types = new Map(types);
  }
  get(name: string): Type | undefined {
    return this.#types.get(name);
  }
  set(name: string, type: Type): void {
    this.#trail.push([name, this.#types.get(name)]);
    this.#types.set(name, type);
  }
  attempt(trial: () => boolean): boolean {
    this.#trail.length = 0;
    if (trial()) return true;
    for (const [name, before] of this.#trail.reverse()) {
      if (before) this.#types.set(name, before);
      else this.#types.delete(name);
    }
    return false;
  }
}

/**
 * Whether a value of type b may be where a is wanted, pair by pair; binds type parameters on the way. Nothing is bound when
 * the answer is no.
 */
export function assign(bindings: Bindings, a: readonly Type[], b: readonly Type[]): boolean {
  return bindings.attempt(() => assignAll(bindings, a, b));
}

function assignAll(bindings: Bindings, a: readonly Type[], b: readonly Type[]): boolean {
  return a.length === b.length && a.every((type, i) => assignOne(bindings, type, b[i] ?? DYN));
}

function assignOne(bindings: Bindings, a: Type, b: Type): boolean {
  if (b.kind === 'param') {
    const fits = bind(bindings, a, b);
    if (fits !== 'unrelated') return fits === 'yes';
  }
  if (a.kind === 'param') return bind(bindings, b, a) === 'yes';
  if (isAnything(a) || isAnything(b)) return true;
  if (a.kind === 'null') return isNullable(b);
  if (b.kind === 'null') return isNullable(a);
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'opaque':
    case 'list':
    case 'map':
      return a.name === b.name && assignAll(bindings, a.params, b.params);
    case 'struct':
      return a.name === b.name;
    default:
      return true;
  }
}

/** `taken`: the parameter stands for something else already. `unrelated`: it can't stand for a type that it is in. */
function bind(bindings: Bindings, type: Type, param: Type): 'yes' | 'taken' | 'unrelated' {
  if (sameType(type, param)) return 'yes';
  const known = bindings.get(param.name);
  if (known) {
    if (sameType(type, known)) return 'yes';
    if (!assignOne(bindings, type, known)) return 'taken';
    const general = mostGeneral(type, known);
    if (!isWithin(bindings, param, general)) bindings.set(param.name, general);
    return 'yes';
  }
  if (isWithin(bindings, param, type)) return 'unrelated';
  bindings.set(param.name, type);
  return 'yes';
}

function isAnything(type: Type): boolean {
  return type.kind === 'dyn' || type.kind === 'error';
}
function isNullable(type: Type): boolean {
  return ['null', 'opaque', 'struct', 'duration', 'timestamp'].includes(type.kind);
}

/** Of two types that unify, the one that says less. */
export function mostGeneral(a: Type, b: Type): Type {
  return saysNoMore(a, b) ? a : b;
}

function saysNoMore(a: Type, b: Type): boolean {
  if (a.kind === 'dyn' || a.kind === 'param') return true;
  if (b.kind === 'dyn' || b.kind === 'param' || a.kind !== b.kind) return false;
  if (a.kind === 'type') return true;
  if (a.kind === 'opaque' && (a.name !== b.name || a.params.length !== b.params.length)) return false;
  return a.params.length > 0 ? a.params.every((p, i) => saysNoMore(p, b.params[i] ?? DYN)) : sameType(a, b);
}

function isWithin(bindings: Bindings, param: Type, type: Type): boolean {
  if (sameType(param, type)) return true;
  if (type.kind === 'param') {
    const known = bindings.get(type.name);
    return known !== undefined && isWithin(bindings, param, known);
  }
  return type.params.some((p) => isWithin(bindings, param, p));
}

/** The type with its parameters as they are bound; unbound ones become dyn when `free` says so. */
export function substitute(bindings: Bindings, type: Type, free: 'keep' | 'dyn'): Type {
  if (type.kind === 'param') {
    const known = bindings.get(type.name);
    if (known) return substitute(bindings, known, free);
    return free === 'dyn' ? DYN : type;
  }
  return type.params.length === 0 ? type : { ...type, params: type.params.map((p) => substitute(bindings, p, free)) };
}
