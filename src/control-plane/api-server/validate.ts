/** Validation in one place: metadata, the type table, the kind's own rules. */
import type { Kind } from '../../api/meta/kind.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { collectFieldErrors, errors, type FieldError, isStatusError } from '../../api/meta/status-error.ts';
import { mergeFieldErrors, validateByTable } from '../../api/schema/validate.ts';

export function validateObject(kind: Kind, object: KubeObject, old: KubeObject | undefined, metadataErrors: readonly FieldError[]): void {
  const found = validateWhole(kind, object, old);
  refuseObject(kind, object.metadata.name ?? '', found.length > 0 ? [...metadataErrors, ...found] : metadataErrors);
}

/** A rule that broke instead of judging: a fault of ours. */
export class ValidationFault extends Error {
  override readonly name = 'ValidationFault';
}

/** The type table's rules and the kind's own. */
export function validateWhole(kind: Kind, object: KubeObject, old: KubeObject | undefined): readonly FieldError[] {
  try {
    const byTable = collectFieldErrors(() => validateByTable(kind.schema, object));
    return mergeFieldErrors(
      byTable,
      collectFieldErrors(() => kind.hooks.validate?.(object, old) ?? noErrors),
    );
  } catch (cause) {
    if (isStatusError(cause)) throw cause;
    throw new ValidationFault(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

const noErrors: readonly FieldError[] = [];

/** As `refuse`, for an object. A kind that is served in two groups (Event) is named by the one in which it is stored. */
export const refuseObject = ({ kind, storageVersion: { group } }: Kind, name: string, found: readonly FieldError[]): void =>
  refuse({ group, kind }, name, found);

/** Throws Invalid when there is anything to report. */
export function refuse(kind: { readonly group: string; readonly kind: string }, name: string, found: readonly FieldError[]): void {
  if (found.length > 0) throw errors.invalid(kind, name, found);
}
