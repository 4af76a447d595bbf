/** Checks of paths inside volumes and file modes. Upstream: pkg/apis/core/validation/validation.go. */
import { fieldErrors } from '../../../meta/status-error.ts';
import type { Errors } from '../../checks.ts';

const fileModeMax = 0o777;

export function checkFileMode(errors: Errors, path: string, mode: number | undefined): void {
  if (mode !== undefined && (mode > fileModeMax || mode < 0)) {
    errors.push(fieldErrors.invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive'));
  }
}

export const hasBacksteps = (target: string): boolean => target.includes('..') && target.split('/').includes('..');

export function checkNoBacksteps(errors: Errors, path: string, target: string): void {
  if (hasBacksteps(target)) errors.push(fieldErrors.invalid(path, target, "must not contain '..'"));
}

/** Relative, and never upwards. */
export function checkDescendingPath(errors: Errors, path: string, target: string): void {
  if (target.startsWith('/')) errors.push(fieldErrors.invalid(path, target, 'must be a relative path'));
  checkNoBacksteps(errors, path, target);
}

/** As above, and not one of the names that the node uses itself. */
export function checkProjectedPath(errors: Errors, path: string, target: string): void {
  checkDescendingPath(errors, path, target);
  if (target.startsWith('..') && !target.startsWith('../')) {
    errors.push(fieldErrors.invalid(path, target, "must not start with '..'"));
  }
}
