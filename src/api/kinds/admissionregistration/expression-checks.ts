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
import type { Errors } from '../checks.ts';

function tell(errors: Errors, path: string, { expression, program }: Compiled): void {
  if (!(program instanceof CompileError)) return;
  const { detail } = program;
  errors.push(
    detail.startsWith('program instantiation failed') ? fieldErrors.internal(path, detail) : fieldErrors.invalid(path, expression, detail),
  );
}

/** A condition stands alone: it sees no variables. */
export function checkCondition(errors: Errors, path: string, expression: string, params: boolean): void {
  tell(errors, path, new Compiler({ params, authorizer: true }, false).compile(expression, t.BOOL));
}

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
  readonly #errors: Errors;
  readonly #compiler: Compiler;
  readonly #others: Compiler;
  readonly #isPatched: boolean;

  constructor(errors: Errors, { params, variables, patchTypes = false }: Seen) {
    this.#errors = errors;
    this.#isPatched = patchTypes;
    this.#compiler = new Compiler({ params, authorizer: true }, variables);
    this.#others = new Compiler(patchTypes ? { params, authorizer: true, patchTypes } : { params }, variables);
  }

  variable(path: string, { name, expression }: Variable): void {
    this.#others.addVariable(name, expression);
    tell(this.#errors, path, this.#compiler.addVariable(name, expression));
  }

  expression(path: string, text: string, ...wanted: Wanted): void {
    const compiler = this.#isPatched ? this.#others : this.#compiler;
    tell(this.#errors, path, compiler.compile(text, ...wanted));
  }

  message(path: string, text: string): void {
    tell(this.#errors, path, this.#others.compile(text, t.STRING));
  }
}
