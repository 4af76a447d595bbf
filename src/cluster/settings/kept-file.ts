/** The small JSON files of a cluster's directory: whole or absent, its owner's alone; a damaged one, or another user's, is refused by name. */

import { readFileSync } from 'node:fs';
import { parseJSON } from '../../api/schema/json-scan.ts';
import { replaceFile } from '../../client/files/replace-file.ts';
import { OperationError } from '../operation-error.ts';

/** Undefined: there is none. `isWhole` is asked of whatever object is in it. */
export function readKept<T extends object>(file: string, isWhole: (value: Partial<T>) => boolean, fix: string): T | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw code === 'EACCES' ? notReadable(file, error) : error;
  }
  const value = parse(text);
  if (typeof value === 'object' && value !== null && isWhole(value as Partial<T>)) return value as T;
  throw new OperationError({ code: 'file-damaged', message: `${file} is damaged`, fix });
}

export const notReadable = (path: string, cause: unknown): OperationError =>
  new OperationError({
    code: 'not-yours',
    message: `${path} is not yours to read`,
    fix: 'ask as the user whose it is (root: sudo timonier …); or keep clusters elsewhere: TIMONIER_ROOT=DIR',
    cause,
    isWhole: true,
  });

function parse(text: string): unknown {
  try {
    return parseJSON(text);
  } catch {
    return undefined; // half written, by another program
  }
}

export function writeKept(file: string, value: object): void {
  replaceFile(file, `${JSON.stringify(value, null, 2)}\n`);
}
