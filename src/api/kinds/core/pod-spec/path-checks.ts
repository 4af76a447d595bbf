/** Rules of paths inside volumes and of file modes. Upstream: pkg/apis/core/validation/validation.go. */
import { all, range, refuse } from '../../../schema/rules/rules.ts';

export const fileMode = range(0, 0o777, 'must be a number between 0 and 0777 (octal), both inclusive');

export const hasBacksteps = (target: string): boolean => target.includes('..') && target.split('/').includes('..');
export const noBacksteps = refuse(hasBacksteps, "must not contain '..'");

/** Relative, and never upwards. */
export const descendingPath = all(
  refuse<string>((target) => target.startsWith('/'), 'must be a relative path'),
  noBacksteps,
);

/** As above, and not one of the names that the node uses itself. */
export const projectedPath = all(
  descendingPath,
  refuse((target) => target.startsWith('..') && !target.startsWith('../'), "must not start with '..'"),
);
