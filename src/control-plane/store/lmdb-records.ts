/**
 * How log entries, heads and leases lie in LMDB: fixed fields, then key, managed part and value. Little endian. An entry
 * carries a check sum (CRC-32) over all of it, which is looked at when its value is read.
 * Entries of all formats are read, each by its own flags: none is ever rewritten.
 */
import { crc32 } from 'node:zlib';
import { ManagedPart } from './managed-part.ts';
import { StoreDamagedError } from './storage.ts';
import type { Head, LeaseRecord, LogEntry, Position } from './tables.ts';

/*
 * entry: 0 previous f64, 8 createRevision f64, 16 lease f64, 24 key length u16, 26 flags u8, 27 check sum u32, 31 key,
 *        (if there is a managed part: its length u32, itself), value
 * head:  0 position f64, 8 createRevision f64, 16 lease f64, 24 deleted u8
 * lease: 0 ttlMs f64, 8 expiresAtMs f64
 */
const checkSumAt = 27;
const entryHeaderBytes = 31;
/** Entries of format 1 have neither the second flag nor the check sum: their keys begin at its place. The third came with format 3. */
const entryFlags = { deleted: 1, checked: 2, managed: 4 } as const;
const managedLengthBytes = 4;
const headBytes = 25;
const leaseBytes = 16;

/** Covers the batches of a few hundred writers; larger ones get memory of their own. */
const spaceBytesKept = 2 ** 20;

/** Memory for the records of one batch after another; each is done with before the next comes. */
export class RecordSpace {
  readonly #space = Buffer.allocUnsafeSlow(spaceBytesKept);

  take(bytes: number): Buffer {
    if (bytes > spaceBytesKept) return Buffer.allocUnsafeSlow(bytes);
    return this.#space;
  }
}

/** One buffer for a whole batch, cut into its records. */
export function encodeEntries(entries: readonly LogEntry[], space: RecordSpace): Buffer[] {
  let bytesMax = 0;
  for (const { key, value, managed } of entries) {
    bytesMax += entryHeaderBytes + key.length * 3 + (value?.byteLength ?? 0);
    if (managed) bytesMax += managedLengthBytes + managed.byteLength;
  }
  const whole = space.take(bytesMax);
  let at = 0;
  return entries.map((entry) => {
    const start = at;
    whole.writeDoubleLE(entry.previous, at);
    whole.writeDoubleLE(entry.createRevision, at + 8);
    whole.writeDoubleLE(entry.lease, at + 16);
    const keyBytes = whole.write(entry.key, at + entryHeaderBytes);
    whole.writeUInt16LE(keyBytes, at + 24);
    const flags = (entry.deleted ? entryFlags.deleted : 0) | (entry.managed ? entryFlags.managed : 0);
    whole.writeUInt8(flags | entryFlags.checked, at + 26);
    at += entryHeaderBytes + keyBytes;
    if (entry.managed) {
      at = entry.managed.writeTo(whole, whole.writeUInt32LE(entry.managed.byteLength, at));
    }
    if (entry.value) {
      whole.set(entry.value, at);
      at += entry.value.byteLength;
    }
    const record = whole.subarray(start, at);
    record.writeUInt32LE(checkSumOf(record), checkSumAt);
    return record;
  });
}

/** LMDB's binding gives buffers that are longer than their `length` says. */
const checkSumOf = (record: Buffer): number =>
  crc32(record.subarray(entryHeaderBytes, record.length), crc32(record.subarray(0, checkSumAt)));

/** Copies out of the record, which LMDB's binding may reuse. Leaves out the value if its key is not wanted. */
export function decodeEntry(position: Position, record: Buffer, wanted?: (key: string) => boolean): LogEntry {
  const damaged = (): StoreDamagedError =>
    new StoreDamagedError(`the store is damaged: the record at ${position} is not as it was written`);
  if (record.length < checkSumAt) throw damaged();
  const flags = record.readUInt8(26);
  const isChecked = (flags & entryFlags.checked) !== 0;
  const keyAt = isChecked ? entryHeaderBytes : checkSumAt;
  const keyEnd = keyAt + record.readUInt16LE(24);
  if (keyEnd > record.length) throw damaged();
  const key = record.toString('utf8', keyAt, keyEnd);
  const deleted = (flags & entryFlags.deleted) !== 0;
  const isWanted = !deleted && (!wanted || wanted(key));
  if (isWanted && isChecked && checkSumOf(record) !== record.readUInt32LE(checkSumAt)) throw damaged();
  const hasManaged = isWanted && (flags & entryFlags.managed) !== 0;
  const managedAt = hasManaged ? keyEnd + managedLengthBytes : keyEnd;
  if (managedAt > record.length) throw damaged();
  const valueAt = hasManaged ? managedAt + record.readUInt32LE(keyEnd) : keyEnd;
  if (valueAt > record.length) throw damaged();
  return {
    key,
    position,
    previous: record.readDoubleLE(0),
    createRevision: record.readDoubleLE(8),
    lease: record.readDoubleLE(16),
    deleted,
    value: isWanted ? bytesOf(record, valueAt, record.length).slice() : undefined,
    managed: hasManaged ? ManagedPart.of(bytesOf(record, managedAt, valueAt)) : undefined,
  };
}

const bytesOf = (record: Buffer, start: number, end: number): Uint8Array =>
  new Uint8Array(record.buffer, record.byteOffset + start, end - start);

export function encodeHeads(entries: readonly LogEntry[]): Buffer[] {
  const whole = Buffer.allocUnsafeSlow(entries.length * headBytes);
  return entries.map((entry, index) => {
    const at = index * headBytes;
    whole.writeDoubleLE(entry.position, at);
    whole.writeDoubleLE(entry.createRevision, at + 8);
    whole.writeDoubleLE(entry.lease, at + 16);
    whole.writeUInt8(entry.deleted ? 1 : 0, at + 24);
    return whole.subarray(at, at + headBytes);
  });
}

export function decodeHead(record: Buffer): Head {
  if (record.length !== headBytes) throw new StoreDamagedError('the store is damaged: a head is not as it was written');
  return {
    position: record.readDoubleLE(0),
    createRevision: record.readDoubleLE(8),
    lease: record.readDoubleLE(16),
    deleted: record.readUInt8(24) === 1,
  };
}

export function encodeLease(lease: LeaseRecord): Buffer {
  const record = Buffer.allocUnsafeSlow(leaseBytes);
  record.writeDoubleLE(lease.ttlMs, 0);
  record.writeDoubleLE(lease.expiresAtMs, 8);
  return record;
}

export function decodeLease(id: number, record: Buffer): LeaseRecord {
  return { id, ttlMs: record.readDoubleLE(0), expiresAtMs: record.readDoubleLE(8) };
}
