import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolders } from './make-folders.ts';

test('makes what is not there, and says where it began', () => {
  const place = mkdtempSync(join(tmpdir(), 'timonier-folders-'));
  try {
    assert.equal(makeFolders(join(place, 'a', 'b'), 0o700), join(place, 'a'));
    assert.equal(statSync(join(place, 'a', 'b')).mode & 0o777, 0o700);
    assert.equal(makeFolders(join(place, 'a', 'b')), undefined);
  } finally {
    rmSync(place, { recursive: true });
  }
});

test('says where none can be made, and ends', { skip: !existsSync('/proc/self') }, () => {
  assert.throws(() => makeFolders('/proc/self/a/b'), /\/proc\/self\/a'/);
});
