/** Checks of what is handed to a driver. Upstream: pkg/apis/storage/validation/validation.go. */
import { checkQualifiedName } from '../../meta/names.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import { addInvalid, checkPresent, type Errors } from '../checks.ts';

const countMax = 512;
const bytesMax = 256 * 1024;

type Parameters = Readonly<Record<string, string>>;

export function checkParameters(errors: Errors, path: string, parameters: Parameters = {}): void {
  const entries = Object.entries(parameters);
  if (entries.length > countMax) return void errors.push(fieldErrors.tooLong(path, countMax));
  if (Object.hasOwn(parameters, '')) errors.push(fieldErrors.invalid(path, '', 'field can not be empty.'));
  const size = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (size > bytesMax) errors.push(fieldErrors.tooLong(path, bytesMax));
}

export function checkProvisioner(errors: Errors, path: string, name: string): void {
  if (!checkPresent(errors, path, name)) return;
  const lower = name.toLowerCase();
  addInvalid(errors, path, lower, checkQualifiedName(lower));
}
