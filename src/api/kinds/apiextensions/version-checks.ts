/** What a version of a custom resource says beside its schema. Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation. */
import type { CustomResourceDefinitionVersion, CustomResourceSubresources } from '../../generated/apiextensions-v1.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import { checkPresent, type Errors } from '../checks.ts';
import { listOf } from '../lists.ts';

type Version = CustomResourceDefinitionVersion;

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const warningMax = 256;

export function checkWarning(errors: Errors, path: string, { deprecated, deprecationWarning: warning }: Version): void {
  if (warning === undefined) return;
  const add = (message: string): void => void errors.push(fieldErrors.invalid(`${path}.deprecationWarning`, warning, message));
  if (!deprecated) {
    add('can only be set for deprecated versions');
    return;
  }
  if (warning.length > warningMax) add(`must be <= ${warningMax} characters long`);
  if (!warning) add('must not be an empty string');
  const at = warning.search(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u);
  if (at >= 0) add(`must only contain printable UTF-8 characters; non-printable character found at index ${at}`);
}

export function checkColumns(errors: Errors, path: string, { additionalPrinterColumns: columns }: Version): void {
  listOf(columns).forEach(({ name, type, format, jsonPath }, i) => {
    const at = `${path}[${i}]`;
    const types = `must be one of ${columnTypes.join(',')}`;
    checkPresent(errors, `${at}.name`, name);
    if (checkPresent(errors, `${at}.type`, type, types) && !columnTypes.includes(type)) {
      errors.push(fieldErrors.invalid(`${at}.type`, type, types));
    }
    if (format && !columnFormats.includes(format)) {
      errors.push(fieldErrors.invalid(`${at}.format`, format, `must be one of ${columnFormats.join(',')}`));
    }
    if (checkPresent(errors, `${at}.JSONPath`, jsonPath)) checkPath(errors, `${at}.JSONPath`, jsonPath);
  });
}

function checkPath(errors: Errors, at: string, path: string): boolean {
  if (path.startsWith('.')) return true;
  errors.push(fieldErrors.invalid(at, path, 'must be a simple json path starting with .'));
  return false;
}

export function checkSubresources(errors: Errors, path: string, subresources: CustomResourceSubresources | undefined): void {
  const { scale } = subresources ?? {};
  if (!scale) return;
  const check = (field: keyof typeof scale, roots: readonly string[], message: string): void => {
    const at = `${path}.scale.${field}`;
    const value = scale[field] ?? '';
    if (!value && field === 'labelSelectorPath') return;
    if (!checkPresent(errors, at, value) || !checkPath(errors, at, value)) return;
    if (!roots.some((root) => value.startsWith(root))) errors.push(fieldErrors.invalid(at, value, message));
  };
  check('specReplicasPath', ['.spec.'], 'should be a json path under .spec');
  check('statusReplicasPath', ['.status.'], 'should be a json path under .status');
  check('labelSelectorPath', ['.spec.', '.status.'], 'should be a json path under either .spec or .status');
}
