/**
 * Expressions, compiled once and evaluated often. `compile` gives a program, or what is wrong with the text in upstream's
 * words; `evaluate` runs it against values within a budget and says what it cost, `evaluateInSteps` so that others have their
 * turn in between.
 *
 * Pure: no clock, no I/O; a program can be shared, also by evaluations that rest.
 */

import { longWork, type Steps } from '../meta/steps.ts';
import { own } from '../meta/words.ts';
import { checkExpression } from './check.ts';
import type { Environment } from './environment.ts';
import { type Plan, planExpression } from './plan.ts';
import { COST_AT_ONCE, CostExceeded, Pending, Run } from './run.ts';
import type { Expr } from './syntax/expression.ts';
import { parseExpression } from './syntax/parser.ts';
import { describeIssues } from './syntax/source.ts';
import { DYN, type Type } from './types.ts';
import { CelError, type Value } from './values.ts';

/** What one expression may cost, about a tenth of a second (apiserver/pkg/apis/cel/config.go). */
export const PER_CALL_LIMIT = 1_000_000;

export interface Program {
  readonly text: string;
  /** what it gives */
  readonly type: Type;
  /** the checked tree, for estimates */
  readonly expr: Expr;
  readonly plan: Plan;
}

/** `detail` follows upstream's `compilation failed: …` and `program instantiation failed: …`. */
export class CompileError {
  readonly detail: string;
  constructor(detail: string) {
    this.detail = detail;
  }
}

export function compile(text: string, env: Environment): Program | CompileError {
  const parsed = parseExpression(text);
  if (!parsed.expr) return new CompileError(`compilation failed: ${describeIssues(text, parsed.issues)}`);
  const checked = checkExpression(parsed.expr, env);
  if (checked.issues.length > 0) return new CompileError(`compilation failed: ${describeIssues(text, checked.issues)}`);
  try {
    return { text, type: checked.expr.type ?? DYN, expr: checked.expr, plan: planExpression(checked.expr, env) };
  } catch (e) {
    if (e instanceof CelError) return new CompileError(`program instantiation failed: ${e.message}`);
    throw e;
  }
}

export interface Evaluated {
  /** the value, or the error that it ended with */
  readonly value: Value;
  readonly cost: number;
  /** it cost more than it may; `value` says so too */
  readonly isExceeded: boolean;
}

export type Variables = Readonly<Record<string, Value>>;

/** Variables that the program does not use need not be there; one that it uses and that is missing is an error of it. */
export function evaluate({ plan }: Program, variables: Variables, limit: number = PER_CALL_LIMIT): Evaluated {
  const run = new Run(slotsOf(plan, variables), limit);
  try {
    return { value: plan.step(run), cost: run.cost, isExceeded: false };
  } catch (e) {
    return exceeded(run, e);
  }
}

/** The same, resting where it is long: what costs more than `atOnce` is begun again in steps. */
export function* evaluateInSteps(
  { plan }: Program,
  variables: Variables,
  limit: number = PER_CALL_LIMIT,
  atOnce: number = COST_AT_ONCE,
): Steps<Evaluated> {
  const short = new Run(slotsOf(plan, variables), Math.min(limit, atOnce), 'if short');
  try {
    return { value: plan.step(short), cost: short.cost, isExceeded: false };
  } catch (e) {
    if (!(e instanceof Pending || (e instanceof CostExceeded && limit > short.limit))) return exceeded(short, e);
  }
  yield longWork;
  const run = new Run(slotsOf(plan, variables), limit, 'in steps');
  try {
    return { value: yield* run.take(plan.step), cost: run.cost, isExceeded: false };
  } catch (e) {
    return exceeded(run, e);
  }
}

function slotsOf(plan: Plan, variables: Variables): Value[] {
  const slots: Value[] = new Array<Value>(plan.slotCount).fill(null);
  for (let i = 0; i < plan.variables.length; i += 1) {
    const name = plan.variables[i];
    if (name === undefined) continue;
    const value = own(variables, name);
    slots[i] = value === undefined ? new CelError(`no such attribute(s): ${name}`) : value;
  }
  return slots;
}

function exceeded(run: Run, e: unknown): Evaluated {
  if (!(e instanceof CostExceeded)) throw e;
  return { value: new CelError(e.message), cost: run.cost, isExceeded: true };
}
