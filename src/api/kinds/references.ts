/** Checks of references by group, kind and name. Upstream: pkg/apis/networking/validation/validation.go. */
import { checkPathSegment } from '../meta/names.ts';
import { addInvalid, checkDnsSubdomain, checkPresent, type Errors } from './checks.ts';

/** Present, and fit to be a part of a path. */
export function checkPathName(errors: Errors, path: string, value: string | undefined, detail = ''): void {
  if (checkPresent(errors, path, value, detail)) addInvalid(errors, path, value, checkPathSegment(value ?? ''));
}

interface TypedReference {
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
}

export function checkTypedReference(errors: Errors, path: string, reference: TypedReference): void {
  if (reference.apiGroup !== undefined) checkDnsSubdomain(errors, `${path}.apiGroup`, reference.apiGroup);
  checkPathName(errors, `${path}.kind`, reference.kind);
  checkPathName(errors, `${path}.name`, reference.name);
}
