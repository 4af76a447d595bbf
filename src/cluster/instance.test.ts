import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Instance } from './instance.ts';

test('the place of all clusters goes with the last one, if it came with the first', () => {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-instance-'));
  const before = process.env['TIMONIER_ROOT'];
  try {
    for (const { name, isThere } of [
      { name: 'made', isThere: false },
      { name: 'found', isThere: true },
    ]) {
      const root = join(dir, name);
      process.env['TIMONIER_ROOT'] = root;
      if (isThere) mkdirSync(root);
      const [first, second] = [new Instance('first'), new Instance('second', join(dir, 'elsewhere'))];
      first.create();
      second.create();
      first.remove();
      assert.equal(existsSync(root), true, name);
      second.remove();
      assert.equal(existsSync(root), isThere, name);
    }
  } finally {
    if (before === undefined) delete process.env['TIMONIER_ROOT'];
    else process.env['TIMONIER_ROOT'] = before;
    rmSync(dir, { recursive: true, force: true });
  }
});
