/**
 * The part of an object that lies beside its value: the JSON of its managedFields, which many objects have alike. In
 * memory it is held entry by entry, each shared by all objects that have an equal one, and so are whole parts: a thousand
 * pods of one ReplicaSet differ in what their kubelet owns (addresses are keys there), not in what their controller does.
 *
 * Guarantees: its bytes are those that were given, whatever they are; the given bytes stay the caller's.
 */
import { crc32 } from 'node:zlib';
import { interned } from './interned.ts';

/** Where an entry ends and the next begins. In a client's own words it may stand by chance: then that is cut, too. */
const between = Buffer.from('},{"');
const comma = 0x2c;

/** As the table of `interned`: it holds nothing alive. */
const slotsMax = 1024;
const slots: (WeakRef<ManagedPart> | undefined)[] = Array.from({ length: slotsMax });

/** Of its own: a slice of a pool is kept as long as its neighbours are, and keeps them. */
const encoder = new TextEncoder();

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class ManagedPart {
  readonly byteLength: number;
  readonly #entries: readonly Uint8Array[];

  private constructor(entries: readonly Uint8Array[], byteLength: number) {
    this.#entries = entries;
    this.byteLength = byteLength;
  }

  static of(given: string | Uint8Array): ManagedPart {
    const bytes = bufferOf(typeof given === 'string' ? encoder.encode(given) : given);
    const slot = crc32(bytes) % slotsMax;
    const known = slots[slot]?.deref();
    if (known?.hasBytes(bytes)) return known;
    const part = new ManagedPart(entriesOf(bytes), bytes.length);
    slots[slot] = new WeakRef(part);
    return part;
  }

  hasBytes(bytes: Uint8Array): boolean {
    return bytes.byteLength === this.byteLength && Buffer.compare(this.#toBuffer(), bytes) === 0;
  }

  /** Writes the bytes; gives where they end. */
  writeTo(target: Uint8Array, from: number): number {
    let at = from;
    for (const [i, entry] of this.#entries.entries()) {
      if (i > 0) target[at++] = comma;
      target.set(entry, at);
      at += entry.byteLength;
    }
    return at;
  }

  toString(): string {
    return this.#toBuffer().toString();
  }

  #toBuffer(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.byteLength);
    this.writeTo(bytes, 0);
    return bytes;
  }
}

/** In their order, with the opening bracket before the first and the closing one behind the last. */
function entriesOf(bytes: Buffer): readonly Uint8Array[] {
  const entries: Uint8Array[] = [];
  let start = 0;
  for (let at = bytes.indexOf(between); at >= 0; at = bytes.indexOf(between, start)) {
    entries.push(interned(bytes.subarray(start, at + 1)));
    start = at + 2;
  }
  entries.push(interned(bytes.subarray(start)));
  return entries;
}
