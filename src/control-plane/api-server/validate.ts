/** Validation in one place: metadata, the type table, the kind's own rules. */
import type { Kind } from '../../api/meta/kind.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { errors, type FieldError } from '../../api/meta/status-error.ts';

export function validateObject(kind: Kind, object: KubeObject, old: KubeObject | undefined, metadataErrors: readonly FieldError[]): void {
  const own = kind.hooks.validate?.(object, old);
  refuse(kind, object.metadata.name ?? '', own && own.length > 0 ? [...metadataErrors, ...own] : metadataErrors);
}

/** Throws Invalid when there is anything to report. */
export function refuse(kind: { readonly group: string; readonly kind: string }, name: string, found: readonly FieldError[]): void {
  if (found.length > 0) throw errors.invalid(kind, name, found);
}
