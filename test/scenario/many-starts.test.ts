/** A cluster that is stopped leaves nothing in its process: no memory, no handle, no timer. Two hundred of them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';

const starts = 200;
/** What a leak of one cluster's objects would exceed by far; a whole one has about 2 MB. */
const grownBytesMax = 30_000;

it('memory is flat, and no handle or timer is left', async () => {
  const program = join(import.meta.dirname, '..', 'kit', 'many-starts.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program, String(starts)]);
  const told = JSON.parse(stdout) as { before: string[]; left: string[]; timersLeft: number; grownBytesPerStart: number };
  assert.deepEqual(told.left, told.before);
  assert.equal(told.timersLeft, 0);
  assert.ok(told.grownBytesPerStart < grownBytesMax, `${told.grownBytesPerStart} bytes per start`);
});
