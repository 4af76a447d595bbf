/** What every store asks of a commit before it looks at what is there. */
import type { Op } from './storage.ts';

/** An op’s place in its commit is part of its position (tables.ts). */
export const opsPerCommitMax = 1024;
const keyBytesMax = 1024;

/** Throws RangeError. */
export function checkOps(ops: readonly Op[]): void {
  if (ops.length > opsPerCommitMax) throw new RangeError(`a commit has at most ${opsPerCommitMax} ops, not ${ops.length}`);
  if (ops.length > 1 && new Set(ops.map((op) => op.key)).size < ops.length) throw new RangeError('two ops of a commit have the same key');
  for (const { key } of ops) {
    if (key.length === 0 || (key.length * 3 > keyBytesMax && Buffer.byteLength(key) > keyBytesMax))
      throw new RangeError(`a key has 1 to ${keyBytesMax} bytes, not ${Buffer.byteLength(key)}`);
    if (!key.isWellFormed()) throw new RangeError('a key is well-formed Unicode');
  }
}
