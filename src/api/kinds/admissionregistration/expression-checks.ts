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
  if (program instanceof CompileError) errors.push(fieldErrors.invalid(path, expression, program.detail));
}

/** A condition stands alone: it sees no variables. */
export function checkCondition(errors: Errors, path: string, expression: string, params: boolean): void {
  tell(errors, path, new Compiler({ params, authorizer: true }, false).compile(expression, t.BOOL));
}

type Wanted = readonly t.Type[];

/** The expressions of one policy. Messages have no authorizer. */
export class PolicyExpressions {
  readonly #errors: Errors;
  readonly #compiler: Compiler;
  readonly #words: Compiler;

  constructor(errors: Errors, { params, patchTypes }: { readonly params: boolean; readonly patchTypes?: boolean }) {
    this.#errors = errors;
    this.#compiler = new Compiler({ params, authorizer: true, ...(patchTypes && { patchTypes }) }, true);
    this.#words = new Compiler({ params: true }, true);
  }

  variable(path: string, { name, expression }: Variable): void {
    this.#words.addVariable(name, expression);
    tell(this.#errors, path, this.#compiler.addVariable(name, expression));
  }

  expression(path: string, text: string, ...wanted: Wanted): void {
    tell(this.#errors, path, this.#compiler.compile(text, ...wanted));
  }

  message(path: string, text: string): void {
    tell(this.#errors, path, this.#words.compile(text, t.STRING));
  }
}
