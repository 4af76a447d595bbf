/**
 * Expressions of webhooks and policies: that they compile, and give what they have to. What a policy composes
 * (`variables.x`) is declared in the order in which it is checked.
 * Upstream: pkg/apis/admissionregistration/validation/validation.go (validateCELCondition).
 */
import { type Compiled, Compiler } from '../../cel/admission/expressions.ts';
import { CompileError } from '../../cel/compile.ts';
import * as t from '../../cel/types.ts';
import type { Variable } from '../../generated/admissionregistration-v1.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import { countedAs, required } from '../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';

function tell(walk: Walk, { expression, program }: Compiled): void {
  if (!(program instanceof CompileError)) return;
  const { detail } = program;
  if (detail.startsWith('program instantiation failed')) walk.errors.push(fieldErrors.internal(walk.at(), detail));
  else walk.invalid('', expression, detail);
}

/** A condition stands alone: it sees no variables. */
export const condition = (params: boolean): Rule<string> =>
  required((text, walk) => tell(walk, new Compiler({ params, authorizer: true }, false).compile(text, t.BOOL)));

/** More than blanks; and then obeys the other rule. */
export const notBlank = (rule?: Rule<string>, detail = ''): Rule<string> =>
  countedAs('', (text, walk) => {
    if (!text.trim()) walk.required('', detail);
    else rule?.(text, walk, undefined);
  });

type Wanted = readonly t.Type[];

interface Seen {
  readonly params: boolean;
  /** whether they see `variables` */
  readonly variables: boolean;
  /** for mutating policies: some expressions make patches */
  readonly patchTypes?: boolean;
}

/** The expressions of one policy. Messages have no authorizer; what patches are made of is seen where they are made. */
export class PolicyExpressions {
  readonly #compiler: Compiler;
  readonly #others: Compiler;
  readonly #isPatched: boolean;

  constructor({ params, variables, patchTypes = false }: Seen) {
    this.#isPatched = patchTypes;
    this.#compiler = new Compiler({ params, authorizer: true }, variables);
    this.#others = new Compiler(patchTypes ? { params, authorizer: true, patchTypes } : { params }, variables);
  }

  variable(walk: Walk, { name, expression }: Variable): void {
    this.#others.addVariable(name, expression);
    tell(walk, this.#compiler.addVariable(name, expression));
  }

  expression(walk: Walk, text: string, ...wanted: Wanted): void {
    const compiler = this.#isPatched ? this.#others : this.#compiler;
    tell(walk, compiler.compile(text, ...wanted));
  }

  message(walk: Walk, text: string): void {
    tell(walk, this.#others.compile(text, t.STRING));
  }
}
