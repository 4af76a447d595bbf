/** That an entry which is not as it was written is found, and that entries of format 1 are still read. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { decodeEntry, encodeEntries, RecordSpace } from './lmdb-records.ts';
import { ManagedPart } from './managed-part.ts';
import { StoreDamagedError } from './storage.ts';
import type { LogEntry } from './tables.ts';

const entry: LogEntry = {
  key: 'pods/añade',
  position: 7,
  previous: 3,
  createRevision: 2,
  lease: 9,
  deleted: false,
  value: new TextEncoder().encode('{"bread":"rye"}'),
  managed: undefined,
};
const managedEntry: LogEntry = { ...entry, managed: ManagedPart.of('[{"manager":"baker"}]') };
const encode = (of: LogEntry): Buffer => Buffer.from(encodeEntries([of], new RecordSpace())[0] ?? []);

it('an entry is read as it was written', () => {
  assert.deepEqual(decodeEntry(7, encode(entry)), entry);
  assert.deepEqual(decodeEntry(7, encode(managedEntry)), managedEntry);
  assert.deepEqual(
    decodeEntry(7, encode(managedEntry), () => false),
    { ...entry, value: undefined },
  );
  const deleted = { ...entry, deleted: true, value: undefined };
  assert.deepEqual(decodeEntry(7, encode(deleted)), deleted);
});

for (const [name, given] of Object.entries({ entry, managedEntry })) {
  it(`of an ${name}, any byte that was changed, and any that is missing, is found`, () => checkDamage(encode(given)));
}

function checkDamage(record: Buffer): void {
  for (let at = 0; at < record.length; at++) {
    for (const bit of [1, 0x80]) {
      const changed = Buffer.from(record);
      changed[at] = (changed[at] ?? 0) ^ bit;
      if (at === 26) continue; // the flags: without the check's own, it is an entry of format 1; without deletion, see below
      assert.throws(() => decodeEntry(7, changed), StoreDamagedError, `byte ${at}`);
    }
    assert.throws(() => decodeEntry(7, record.subarray(0, at)), StoreDamagedError, `${at} bytes`);
  }
}

it('an entry of format 1 is read', () => {
  const record = encode(entry);
  const old = Buffer.concat([record.subarray(0, 27), record.subarray(31)]);
  old.writeUInt8(0, 26);
  assert.deepEqual(decodeEntry(7, old), entry);
});
