/** Validation in one place, in slices: the rules of the type table, or those of a definition's schema, and the kind's own. */
import type { Kind } from '../meta/kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { collectFieldErrors, type FieldError, isStatusError, messageOf } from '../meta/status-error.ts';
import type { Steps } from '../meta/steps.ts';
import { judge } from '../schema/rules/walk.ts';
import { mergeFieldErrors, tableRule } from '../schema/validate.ts';

/** A rule that broke instead of judging: a fault of ours. */
export class ValidationFault extends Error {
  override readonly name = 'ValidationFault';
}

/** All that is wrong with an object, metadata apart; `old` is there for updates. */
export function* validateObject(kind: Kind, object: KubeObject, old: KubeObject | undefined): Steps<readonly FieldError[]> {
  const { custom } = kind.schema;
  const { rules, validate } = kind.hooks;
  try {
    const bySchema = custom ? yield* custom.validate(object, { old }) : yield* judge(tableRule(kind.schema), object, old);
    yield;
    const byRules = rules ? yield* judge(rules, object, old) : noErrors;
    const judged = validate ? collectFieldErrors(() => validate(object, old)) : noErrors;
    const byHook = 'next' in judged ? yield* judged : judged;
    const byKind = byHook.length > 0 ? [...byRules, ...byHook] : byRules;
    // A custom resource's definition says nothing in the place of its schema.
    return custom ? [...bySchema, ...byKind] : mergeFieldErrors(bySchema, byKind);
  } catch (cause) {
    if (isStatusError(cause)) throw cause;
    throw new ValidationFault(messageOf(cause), { cause });
  }
}

const noErrors: readonly FieldError[] = [];
