/** How log entries, heads and leases lie in LMDB: fixed fields, then key and value. Little endian. */
import type { Head, LeaseRecord, LogEntry, Position } from './tables.ts';

/*
 * entry: 0 previous f64, 8 createRevision f64, 16 lease f64, 24 key length u16, 26 deleted u8, 27 key, value
 * head:  0 position f64, 8 createRevision f64, 16 lease f64, 24 deleted u8
 * lease: 0 ttlMs f64, 8 expiresAtMs f64
 */
const entryHeaderBytes = 27;
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
  for (const { key, value } of entries) bytesMax += entryHeaderBytes + key.length * 3 + (value?.byteLength ?? 0);
  const whole = space.take(bytesMax);
  let at = 0;
  return entries.map((entry) => {
    const start = at;
    whole.writeDoubleLE(entry.previous, at);
    whole.writeDoubleLE(entry.createRevision, at + 8);
    whole.writeDoubleLE(entry.lease, at + 16);
    const keyBytes = whole.write(entry.key, at + entryHeaderBytes);
    whole.writeUInt16LE(keyBytes, at + 24);
    whole.writeUInt8(entry.deleted ? 1 : 0, at + 26);
    at += entryHeaderBytes + keyBytes;
    if (entry.value) {
      whole.set(entry.value, at);
      at += entry.value.byteLength;
    }
    return whole.subarray(start, at);
  });
}

/** Copies out of the record, which LMDB's binding may reuse. Leaves out the value if its key is not wanted. */
export function decodeEntry(position: Position, record: Buffer, wanted?: (key: string) => boolean): LogEntry {
  const keyEnd = entryHeaderBytes + record.readUInt16LE(24);
  const key = record.toString('utf8', entryHeaderBytes, keyEnd);
  const deleted = record.readUInt8(26) === 1;
  const isWanted = !deleted && (!wanted || wanted(key));
  return {
    key,
    position,
    previous: record.readDoubleLE(0),
    createRevision: record.readDoubleLE(8),
    lease: record.readDoubleLE(16),
    deleted,
    value: isWanted ? new Uint8Array(record.buffer, record.byteOffset + keyEnd, record.length - keyEnd).slice() : undefined,
  };
}

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
