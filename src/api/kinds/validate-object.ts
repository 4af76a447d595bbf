/** Validation in one place: the type table's rules, or those of a definition's schema, and the kind's own. */
import type { Kind } from '../meta/kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { collectFieldErrors, type FieldError, isStatusError, messageOf } from '../meta/status-error.ts';
import type { Steps } from '../meta/steps.ts';
import { mergeFieldErrors, validateByTable } from '../schema/validate.ts';

/** A rule that broke instead of judging: a fault of ours. */
export class ValidationFault extends Error {
  override readonly name = 'ValidationFault';
}

/** All that is wrong with an object, metadata apart; `old` is there for updates. */
export function* validateObject(kind: Kind, object: KubeObject, old: KubeObject | undefined): Steps<readonly FieldError[]> {
  const { custom } = kind.schema;
  const byTable = custom ? yield* custom.validate(object, { old }) : judge(() => validateByTable(kind.schema, object));
  yield;
  const judged = judge(() => kind.hooks.validate?.(object, old) ?? noErrors);
  const byHook = 'next' in judged ? yield* judged : judged;
  // A custom resource's definition says nothing in the place of its schema.
  if (custom) return [...byTable, ...byHook];
  return mergeFieldErrors(byTable, byHook);
}

function judge<T extends readonly FieldError[] | Steps<readonly FieldError[]>>(find: () => T): T | readonly FieldError[] {
  try {
    return collectFieldErrors(find);
  } catch (cause) {
    if (isStatusError(cause)) throw cause;
    throw new ValidationFault(messageOf(cause), { cause });
  }
}

const noErrors: readonly FieldError[] = [];
