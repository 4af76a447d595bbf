import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { OperationError } from '../operation-error.ts';
import { explainFullDisk } from './disk-full.ts';

const failed = (code: unknown): Error => Object.assign(new Error('write'), { code });
const rows = [
  { name: 'another failure, with room', error: failed('EACCES'), want: undefined },
  { name: 'no room', error: failed('ENOSPC'), want: /, or give another directory: --data-dir DIR$/ },
  { name: 'no room for this user', error: new Error('store failed', { cause: failed('EDQUOT') }), want: /--data-dir/ },
  {
    name: 'as LMDB says it, once there is a cluster',
    error: failed(28),
    isCluster: true,
    want: /, or give the cluster up: timonier delete full$/,
  },
];
for (const { name, error, isCluster, want } of rows) {
  test(name, () => {
    const dir = mkdtempSync(join(tmpdir(), 'timonier-full-'));
    try {
      if (isCluster) mkdirSync(join(dir, 'store'));
      const told = explainFullDisk(error, { name: 'full', dir });
      if (!want) return assert.equal(told, error);
      assert.ok(told instanceof OperationError);
      assert.equal(told.message, `the disk of ${dir} is full`);
      assert.match(told.fix ?? '', want);
      assert.equal(explainFullDisk(told, { name: 'full', dir }), told);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
}
