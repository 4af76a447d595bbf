/**
 * Writes a small file as a whole: a new one takes its place, so whoever reads sees the old text or the new one. One that
 * has the text already stays as it is. On a full disk it is written over in its own blocks, which need no room, and filled
 * up with spaces; so what stood there once can be told anew.
 *
 * What is no regular file (/dev/null, a terminal) is never replaced: it is written into.
 *
 * An error names the file. Its cause says why: `isDiskFull`.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { constants as system } from 'node:os';

export interface ReplaceOptions {
  /** default: its owner's alone */
  readonly mode?: number;
  /** survives a crash of the machine */
  readonly flush?: boolean;
  /** default: `FILE.new`; what it holds goes, its blocks are used */
  readonly temporary?: string;
}

export function replaceFile(
  file: string,
  text: string,
  { mode = 0o600, flush = false, temporary = `${file}.new` }: ReplaceOptions = {},
): void {
  if (isSpecial(file)) {
    writeInto(file, text);
    return;
  }
  const before = textOf(file);
  if (before === text) {
    chmodSync(file, mode);
    return;
  }
  try {
    writeOver(temporary, text, { mode, flush });
    renameSync(temporary, file);
  } catch (cause) {
    rmSync(temporary, { force: true });
    if (before === undefined || !isDiskFull(cause)) throw new Error(`can't write ${file}`, { cause });
    const filled = text.length < before.length ? `${text.padEnd(before.length - 1)}\n` : text;
    writeOver(file, filled, { mode, flush });
  }
}

function writeOver(path: string, text: string, { mode, flush }: { readonly mode: number; readonly flush: boolean }): void {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, mode);
  try {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written, undefined, written);
    if (fstatSync(fd).size > bytes.length) ftruncateSync(fd, bytes.length);
    if (flush) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  chmodSync(path, mode);
}

/** It is there, and is no regular file: a device, a pipe, a socket, a directory. */
export const isSpecial = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isFile() === false;

/** Does not wait for somebody to open a pipe's other end. */
function writeInto(file: string, text: string): void {
  try {
    const fd = openSync(file, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      writeSync(fd, text);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new Error(`can't write ${file}`, { cause });
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** By an error or one of its causes: no room on the disk, or none left for this user. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  return code === 'ENOSPC' || code === 'EDQUOT' || code === system.errno.ENOSPC /* LMDB's */ || isDiskFull(error.cause);
}
