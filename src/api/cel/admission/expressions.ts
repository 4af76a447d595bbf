/**
 * The expressions of one policy or webhook: compiled once with the variables that it composes (`variables.x`), evaluated for
 * a request within a budget. A variable is evaluated when it is first asked for, once per `Evaluation`, and its cost counts
 * for the expression that asked (apiserver/pkg/admission/plugin/cel).
 *
 * An evaluation comes in steps (`Asking`): one may be that an authorizer has to decide something first, which is a request
 * that may have to wait. The expression is evaluated again then; nothing else is.
 */

import type { longWork, Steps } from '../../meta/steps.ts';
import { CompileError, compile, type Evaluated, evaluateInSteps, type Program } from '../compile.ts';
import { Environment } from '../environment.ts';
import { type AccessCheck, authorizerValue, type Decisions, requestResourceValue, UndecidedCheck } from '../library/authorization.ts';
import { Pending } from '../run.ts';
import type { Type } from '../types.ts';
import * as t from '../types.ts';
import { CelError, MapValue, readJson, type Value } from '../values.ts';
import { admissionEnvironment, type Declared } from './environment.ts';

/** What all expressions of one policy or binding may cost together (apiserver/pkg/apis/cel/config.go). */
export const POLICY_BUDGET = 10_000_000;
export const MATCH_CONDITIONS_BUDGET = 2_500_000;

export interface Compiled {
  readonly expression: string;
  /** or what is wrong with it: upstream's detail of an invalid expression */
  readonly program: Program | CompileError;
}

/** Compiles the expressions of one policy; variables may use those before them. */
export class Compiler {
  readonly #fields = new Map<string, Type>();
  readonly #variables = new Map<string, Compiled>();
  readonly #environment: Environment;

  /** @param composes whether the expressions see `variables` */
  constructor(declared: Declared | Environment, composes: boolean) {
    const environment = declared instanceof Environment ? declared : admissionEnvironment(declared);
    const variables = t.struct('kubernetes.variables', (name) => this.#fields.get(name));
    this.#environment = composes ? environment.extend({ variables: { variables } }) : environment;
  }

  /** @param types what it may give; none: anything */
  compile(expression: string, ...types: readonly Type[]): Compiled {
    const program = compile(expression, this.#environment);
    if (program instanceof CompileError || types.length === 0 || types.some((type) => t.sameType(type, program.type))) {
      return { expression, program };
    }
    const wanted = types.map(t.goTypeName).join(' ');
    const words = types.length === 1 ? `must evaluate to ${wanted}` : `must evaluate to one of [${wanted}]`;
    return { expression, program: new CompileError(`${words} but got ${t.goTypeName(program.type)}`) };
  }

  addVariable(name: string, expression: string): Compiled {
    const compiled = this.compile(expression);
    this.#variables.set(name, compiled);
    this.#fields.set(name, compiled.program instanceof CompileError ? t.DYN : declarable(compiled.program.type));
    return compiled;
  }

  get variables(): ReadonlyMap<string, Compiled> {
    return this.#variables;
  }
}

/** Types that a variable keeps; all else is dyn to those who use it, as upstream's conversion has it. */
function declarable(type: Type): Type {
  switch (type.kind) {
    case 'list':
    case 'map':
      return { ...type, params: type.params.map(declarable) };
    case 'opaque':
    case 'struct':
    case 'type':
    case 'param':
    case 'error':
      return t.DYN;
    default:
      return type;
  }
}

/** JSON, read where it is; undefined or null for what is not there. */
export interface Inputs {
  readonly object: unknown;
  readonly oldObject: unknown;
  /** an AdmissionRequest without its objects */
  readonly request: unknown;
  readonly namespaceObject?: unknown;
  readonly params?: unknown;
  /** what was decided for `authorizer`, and what `authorizer.requestResource` is about */
  readonly decisions?: Decisions | undefined;
  readonly requestResource?: Omit<AccessCheck, 'verb'> | undefined;
}

export type Result = { readonly value: Value } | { readonly error: string };

/** There is no budget left: nothing more is evaluated. */
export class OutOfBudget {
  readonly message = 'validation failed due to running out of cost budget, no further validation rules will be run';
}

/** Steps, in which checks are asked for: they are to be decided before the next one. */
export type Asking<T> = Generator<undefined | typeof longWork | UndecidedCheck, T, undefined>;

/** One request's evaluation of a policy's expressions. Throws OutOfBudget. */
export class Evaluation {
  remaining: number;
  readonly #variables: Record<string, Value>;
  readonly #composed: ComposedVariables;

  constructor(inputs: Inputs, budget: number, variables: ReadonlyMap<string, Compiled> = new Map()) {
    this.remaining = budget;
    this.#composed = new ComposedVariables(variables, (program) => evaluateInSteps(program, this.#variables));
    this.#variables = {
      object: readJson(inputs.object),
      oldObject: readJson(inputs.oldObject),
      request: readJson(inputs.request),
      namespaceObject: readJson(inputs.namespaceObject),
      params: readJson(inputs.params),
      variables: this.#composed,
    };
    if (inputs.decisions) {
      this.#variables['authorizer'] = authorizerValue(inputs.decisions);
      this.#variables['authorizer.requestResource'] = requestResourceValue(inputs.decisions, inputs.requestResource ?? {});
    }
  }

  *run({ expression, program }: Compiled): Asking<Result> {
    if (program instanceof CompileError) return { error: `compilation error: ${program.detail}` };
    const { value, cost } = yield* this.#decided(program);
    for (const spent of [this.#composed.takeCost(), cost]) {
      if (spent > this.remaining) throw new OutOfBudget();
      this.remaining -= spent;
    }
    return value instanceof CelError ? { error: `expression '${expression}' resulted in error: ${value.message}` } : { value };
  }

  /** Bounded, since the price of a check allows only few in an evaluation. */
  *#decided(program: Program): Asking<Evaluated> {
    for (;;) {
      try {
        return yield* evaluateInSteps(program, this.#variables);
      } catch (e) {
        if (!(e instanceof UndecidedCheck)) throw e;
        yield e;
      }
    }
  }
}

class ComposedVariables extends MapValue {
  readonly #compiled: ReadonlyMap<string, Compiled>;
  readonly #evaluate: (program: Program) => Steps<Evaluated>;
  readonly #known = new Map<string, Value>();
  #cost = 0;
  constructor(compiled: ReadonlyMap<string, Compiled>, run: (program: Program) => Steps<Evaluated>) {
    super();
    this.#compiled = compiled;
    this.#evaluate = run;
  }
  override get size(): number {
    return this.#compiled.size;
  }
  override *keys(): Generator<Value> {
    yield* this.#compiled.keys();
  }
  override get(key: Value): Value | undefined {
    const name = String(key);
    const compiled = this.#compiled.get(name);
    if (!compiled) return undefined;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const steps = this.#find(name, compiled.program);
    const first = steps.next();
    if (first.done) return first.value;
    throw new Pending(compiled, steps);
  }
  *#find(name: string, program: Program | CompileError): Steps<Value> {
    const value = yield* this.#valueOf(name, program);
    this.#known.set(name, value);
    return value;
  }
  *#valueOf(name: string, program: Program | CompileError): Steps<Value> {
    const lead = `composited variable ${JSON.stringify(name)} fails to`;
    if (program instanceof CompileError) return new CelError(`${lead} compile: ${program.detail}`);
    const { value, cost } = yield* this.#evaluate(program);
    this.#cost += cost;
    return value instanceof CelError ? new CelError(`${lead} evaluate: ${value.message}`) : value;
  }
  takeCost(): number {
    const cost = this.#cost;
    this.#cost = 0;
    return cost;
  }
}

/** A named condition of a webhook or policy. */
export interface MatchCondition extends Compiled {
  readonly name: string;
}

export type Match =
  | { readonly matches: true }
  /** one is false: nothing is to be done */
  | { readonly matches: false; readonly failedCondition: string }
  /** none is false, but some fail: the failure policy says what then */
  | { readonly error: string; readonly failures: number };

/** Whether all conditions hold. */
export function* matchConditions(
  conditions: readonly MatchCondition[],
  inputs: Inputs,
  variables?: ReadonlyMap<string, Compiled>,
): Asking<Match> {
  const evaluation = new Evaluation(inputs, MATCH_CONDITIONS_BUDGET, variables);
  const results: Result[] = [];
  try {
    for (const condition of conditions) results.push(yield* evaluation.run(condition));
  } catch (e) {
    if (e instanceof OutOfBudget) return { error: e.message, failures: 0 };
    throw e;
  }
  const failed = results.findIndex((result) => 'value' in result && result.value === false);
  if (failed >= 0) return { matches: false, failedCondition: conditions[failed]?.name ?? '' };
  const errors = results.flatMap((result) => ('error' in result ? [result.error] : []));
  if (errors.length === 0) return { matches: true };
  const [first = ''] = errors;
  return { error: errors.length === 1 ? first : `[${[...new Set(errors)].join(', ')}]`, failures: errors.length };
}
