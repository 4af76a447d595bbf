/** Whose claim on a store counts. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { open } from 'lmdb';
import { claimStore, releaseStore, type StoreOwner } from './store-owner.ts';

const startOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? '';

interface Row {
  readonly name: string;
  readonly claim: (own: StoreOwner) => Partial<StoreOwner>;
  readonly counts: boolean;
}

const parent = process.ppid;
const rows: readonly Row[] = [
  { name: 'a process that runs', claim: () => ({ pid: parent, process: startOf(parent) }), counts: true },
  { name: 'this process, for another store object', claim: () => ({}), counts: true },
  { name: 'a process that is gone', claim: () => ({ pid: 2 ** 30 }), counts: false },
  { name: 'an earlier process with an id that was given again', claim: () => ({ pid: parent, process: '1' }), counts: false },
  { name: 'a process before the last boot', claim: () => ({ machine: 'another boot' }), counts: false },
];

for (const { name, claim, counts } of rows) {
  it(`the claim of ${name} ${counts ? 'counts' : 'does not count'}`, { skip: process.platform !== 'linux' && 'needs /proc' }, async () => {
    const path = mkdtempSync(join(tmpdir(), 'timonier-owner-'));
    const meta = open<Buffer, string>({ path, encoding: 'binary' });
    const own = claimStore(meta, path);
    const other = { ...own, id: 'other', ...claim(own) };
    meta.putSync('owner', Buffer.from(JSON.stringify(other)));
    if (counts)
      assert.throws(() => claimStore(meta, path), { code: 'store-unavailable', message: new RegExp(`${path}.*process ${other.pid}$`) });
    else {
      const claimed = claimStore(meta, path);
      assert.throws(() => claimStore(meta, path), { code: 'store-unavailable' });
      releaseStore(meta, other);
      assert.throws(() => claimStore(meta, path), { code: 'store-unavailable' });
      releaseStore(meta, claimed);
      releaseStore(meta, claimStore(meta, path));
    }
    await meta.close();
    rmSync(path, { recursive: true });
  });
}
