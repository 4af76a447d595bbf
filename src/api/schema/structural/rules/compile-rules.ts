/**
 * The rules of a schema (`x-kubernetes-validations`), compiled. `self` is the value, `oldSelf` what it was, which may be
 * there or not where a rule says so.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go.
 */
import { baseEnvironment } from '../../../cel/base.ts';
import { CompileError, compile, type Program } from '../../../cel/compile.ts';
import type { Environment } from '../../../cel/environment.ts';
import { estimateCost } from '../../../cel/estimate.ts';
import { optionalOf } from '../../../cel/types.ts';
import type { ValidationRule } from '../../../generated/apiextensions-v1.ts';
import { readFieldPath } from '../field-path.ts';
import type { Structural } from '../structural.ts';
import { type Declared, declaredAt, requestBytesMax } from './declared-type.ts';

export interface CompiledRule {
  readonly said: ValidationRule;
  /** undefined for a rule that says nothing, or is none */
  readonly program: Program | undefined;
  /** why it is none */
  readonly problem: string | undefined;
  readonly usesOldSelf: boolean;
  readonly message: Program | undefined;
  readonly messageProblem: string | undefined;
  /** of the field that is told of, below the value */
  readonly fieldPath: string;
}

export function compileRules(node: Structural, declared: Declared): readonly CompiledRule[] {
  const variables = { self: declared.type, oldSelf: declared.type };
  const usual = baseEnvironment.extend({ variables });
  const optional = baseEnvironment.extend({ variables: { ...variables, oldSelf: optionalOf(declared.type) } });
  return (node.said['x-kubernetes-validations'] ?? []).map((rule) => compileRule(node, rule, rule.optionalOldSelf ? optional : usual));
}

const nothing = {
  program: undefined,
  problem: undefined,
  usesOldSelf: false,
  message: undefined,
  messageProblem: undefined,
  fieldPath: '',
};

function compileRule(node: Structural, said: ValidationRule, environment: Environment): CompiledRule {
  const { rule = '', messageExpression = '', fieldPath = '' } = said;
  if (!rule.trim()) return { said, ...nothing };
  const program = compile(rule, environment);
  if (program instanceof CompileError) return { said, ...nothing, problem: program.detail };
  if (program.type.kind !== 'bool') return { said, ...nothing, problem: 'cel expression must evaluate to a bool' };
  const compiled = { said, ...nothing, program, usesOldSelf: program.plan.variables.includes('oldSelf') };
  const message = messageExpression ? compile(messageExpression, environment) : undefined;
  if (message instanceof CompileError)
    return { ...compiled, messageProblem: `messageExpression ${message.detail.replace(/^program /, '')}` };
  if (message && message.type.kind !== 'string') return { ...compiled, messageProblem: 'messageExpression must evaluate to a string' };
  const path = fieldPath ? readFieldPath(fieldPath, node) : undefined;
  return { ...compiled, message, fieldPath: path && path.problem === undefined ? path.path.text : '' };
}

/** The most that an evaluation can cost. */
export function costMaxOf(program: Program, declared: Declared): number {
  return estimateCost(program.expr, (path) => declaredAt(declared, path.slice(1))?.elementsMax).max;
}

/** How often such a value can be in one request, at most. */
export const countMaxOf = (declared: Declared): number => Math.floor(requestBytesMax / (declared.sizeMin + 1));
