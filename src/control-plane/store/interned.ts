/**
 * Equal bytes as the same bytes: of parts that many objects have alike, memory holds one copy. The table is of a fixed
 * size and holds nothing alive: two parts of one slot take turns, and are then held twice, which nobody can tell.
 *
 * What it keeps is the process's, since what is equal is equal in all of its stores.
 */
import { crc32 } from 'node:zlib';

const slotsMax = 4096;
const slots: (WeakRef<Uint8Array> | undefined)[] = Array.from({ length: slotsMax });

/** A copy that all share; the given bytes stay the caller's. */
export function interned(bytes: Uint8Array): Uint8Array {
  const slot = crc32(bytes) % slotsMax;
  const known = slots[slot]?.deref();
  if (known && Buffer.compare(known, bytes) === 0) return known;
  const copy = new Uint8Array(bytes);
  slots[slot] = new WeakRef(copy);
  return copy;
}
