/** ConfigMap: keys that can be file names, a mebibyte at most, and no change once it is marked immutable. Upstream: pkg/registry/core/configmap. */

import { ConfigMap } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { checkConfigMapKey } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { own } from '../../meta/words.ts';
import { nameAndAge } from '../cells.ts';
import { addInvalid, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';

export const dataBytesMax = 1024 * 1024;

export const configMap = defineKind(ConfigMap, {
  hooks: {
    validate,
    cells: nameAndAge((object) => [Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length]),
  },
});

function validate(object: ConfigMap, old?: ConfigMap): readonly FieldError[] {
  const errors: Errors = [];
  if (old?.immutable) checkUnchanged(errors, object, old, ['data', 'binaryData']);
  let bytes = 0;
  for (const key in object.data) {
    addInvalid(errors, `data[${key}]`, key, checkConfigMapKey(key));
    if (own(object.binaryData, key) !== undefined) {
      errors.push(fieldErrors.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    }
    bytes += Buffer.byteLength(object.data[key] ?? '');
  }
  for (const key in object.binaryData) {
    addInvalid(errors, `binaryData[${key}]`, key, checkConfigMapKey(key));
    bytes += decodedLength(object.binaryData[key] ?? '');
  }
  // the whole object is too large, not one field
  if (bytes > dataBytesMax) errors.push(fieldErrors.tooLong('[]', dataBytesMax));
  return errors;
}

/** How many bytes base64 text stands for. */
export const decodedLength = (base64: string): number =>
  Math.floor(((base64.length - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0)) * 3) / 4);

type Immutable = { readonly immutable?: boolean };

/** An object that is marked immutable keeps the mark, and these fields. */
export function checkUnchanged<T extends Immutable, K extends keyof T & string>(
  errors: Errors,
  now: T,
  old: T,
  fields: readonly K[],
): void {
  const message = 'field is immutable when `immutable` is set';
  if (!now.immutable) errors.push(fieldErrors.forbidden('immutable', message));
  for (const field of fields) if (!equalSemantically(now[field], old[field])) errors.push(fieldErrors.forbidden(field, message));
}
