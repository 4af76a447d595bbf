/**
 * The words that run an entry of the program in a process of its own: by Node, with what the launcher gives it too, or by
 * the single executable, which is Node and has them built in (scripts/build-executable.ts).
 */
import { isSea } from 'node:sea';
import { ownEntry } from '../../api/own-file.ts';

const nodeFlags = ['--max-semi-space-size=4', '--disable-sigusr1'];

/** `entry` is below src/, without extension. */
export function ownProcess(entry: string): readonly [program: string, ...args: string[]] {
  const given = nodeFlags.filter((flag) => !process.execArgv.includes(flag));
  return [process.execPath, ...(isSea() ? [] : [...given, ...process.execArgv]), ownEntry(entry)];
}
