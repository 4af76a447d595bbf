/**
 * The syntax tree of an expression. Macros are expanded in it: what is left are values, names, selections, calls,
 * constructions and comprehensions, as in CEL's own syntax.proto.
 *
 * The parser makes a tree, the checker writes types and overloads into it and resolves qualified names, then nothing
 * changes it any more. A tree belongs to one compilation.
 */

import type { Overload, Type } from '../types.ts';
import type { Value } from '../values.ts';

interface Node {
  /** where errors of it are shown, in UTF-16 units: of an operator the operator, of a call its parenthesis */
  readonly at: number;
  /** levels below, as the parser's limit counts them */
  readonly depth: number;
  /** from the checker */
  type?: Type;
}

export interface Literal extends Node {
  readonly kind: 'literal';
  readonly value: Value;
}
export interface Ident extends Node {
  readonly kind: 'ident';
  name: string;
}
export interface Select extends Node {
  readonly kind: 'select';
  operand: Expr;
  readonly field: string;
  /** `has(…)` */
  readonly isTest: boolean;
}
export interface Call extends Node {
  readonly kind: 'call';
  name: string;
  target: Expr | undefined;
  args: Expr[];
  /** from the checker: what the call can be */
  overloads?: readonly Overload[];
}
export interface ListExpr extends Node {
  readonly kind: 'list';
  items: Expr[];
  /** `[?a]`: items that are optionals */
  readonly optional: ReadonlySet<number>;
}
export interface Entry {
  readonly at: number;
  key: Expr;
  value: Expr;
  readonly isOptional: boolean;
}
export interface MapExpr extends Node {
  readonly kind: 'map';
  readonly entries: Entry[];
}
export interface FieldInit {
  readonly at: number;
  readonly name: string;
  value: Expr;
  readonly isOptional: boolean;
}
export interface StructExpr extends Node {
  readonly kind: 'struct';
  name: string;
  readonly fields: FieldInit[];
}
export interface Comprehension extends Node {
  readonly kind: 'comprehension';
  range: Expr;
  readonly variable: string;
  /** of macros that give key and value */
  readonly variable2: string | undefined;
  readonly accumulator: string;
  init: Expr;
  condition: Expr;
  step: Expr;
  result: Expr;
}

export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | StructExpr | Comprehension;

/** The accumulator of macros; no expression can name it. */
export const ACCUMULATOR = '@result';
