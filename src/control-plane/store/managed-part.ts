/**
 * The part of an object that lies beside its value: the JSON of its managedFields, which many objects have alike. In
 * memory it is held entry by entry, each without its time and shared by all objects that have an equal one, and so are
 * whole parts: a thousand pods of one ReplicaSet differ in what their kubelet owns (addresses are keys there) and when,
 * not in what their controller does.
 *
 * Guarantees: its bytes are those that were given, whatever they are; the given bytes stay the caller's. Of a list in JSON
 * without spaces the entries are its items.
 */
import { crc32 } from 'node:zlib';
import { interned } from './interned.ts';

/** One item of the list. */
export interface ManagedEntry {
  /** its JSON without the time; the same in memory for all that have it equal */
  readonly bytes: Uint8Array;
  /** A plain one, put in before `fieldsType`; undefined: there is none, or one of another form among the bytes. */
  readonly time: string | undefined;
}

/** `2026-01-02T03:04:05Z` */
export const isPlainTime = (time: string): boolean => timeText.test(time);

/** Where an item ends and the next begins. Behind a text that ends so by chance comes no letter. */
const between = Buffer.from('},{"');
const timeName = Buffer.from(',"time":"');
const timeText = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const timeLength = '2026-01-02T03:04:05Z'.length;
const timeBytes = timeName.length + timeLength + 1;
const behindTime = Buffer.from(',"fieldsType":');
const [comma, quote, bracket, closingBracket] = Buffer.from(',"[]') as unknown as [number, number, number, number];

/** As the table of `interned`: it holds nothing alive. */
const slotsMax = 1024;
const slots: (WeakRef<ManagedPart> | undefined)[] = Array.from({ length: slotsMax });

/** Of its own: a slice of a pool is kept as long as its neighbours are, and keeps them. */
const encoder = new TextEncoder();

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class ManagedPart {
  readonly byteLength: number;
  /** Of what is no list, one that is all of it. */
  readonly entries: readonly ManagedEntry[];
  readonly isList: boolean;

  private constructor(entries: readonly ManagedEntry[], isList: boolean) {
    this.entries = entries;
    this.isList = isList;
    let byteLength = isList ? entries.length + 1 : 0;
    for (const { bytes, time } of entries) byteLength += bytes.byteLength + (time === undefined ? 0 : timeBytes);
    this.byteLength = byteLength;
  }

  static of(given: string | Uint8Array): ManagedPart {
    const bytes = bufferOf(typeof given === 'string' ? encoder.encode(given) : given);
    const isList = bytes.length > 2 && bytes[0] === bracket && bytes.at(-1) === closingBracket;
    return ManagedPart.#shared(isList ? entriesOf(bytes.subarray(1, -1)) : [{ bytes: interned(bytes), time: undefined }], isList);
  }

  static ofEntries(entries: readonly [ManagedEntry, ...ManagedEntry[]]): ManagedPart {
    return ManagedPart.#shared(entries, true);
  }

  static #shared(entries: readonly ManagedEntry[], isList: boolean): ManagedPart {
    let sum = 0;
    for (const { bytes, time = '' } of entries) sum = crc32(time, crc32(bytes, sum));
    const slot = sum % slotsMax;
    const known = slots[slot]?.deref();
    if (known?.isList === isList && areEqual(known.entries, entries)) return known;
    const part = new ManagedPart(entries, isList);
    slots[slot] = new WeakRef(part);
    return part;
  }

  /** Writes the bytes; gives where they end. */
  writeTo(target: Uint8Array, from: number): number {
    let at = from;
    for (const [i, entry] of this.entries.entries()) {
      if (this.isList) target[at++] = i === 0 ? bracket : comma;
      at = writeEntry(entry, target, at);
    }
    if (this.isList) target[at++] = closingBracket;
    return at;
  }

  toString(): string {
    const bytes = Buffer.allocUnsafeSlow(this.byteLength);
    this.writeTo(bytes, 0);
    return bytes.toString();
  }
}

/** The items of a list. */
function entriesOf(bytes: Buffer): readonly ManagedEntry[] {
  const entries: ManagedEntry[] = [];
  let start = 0;
  for (let at = bytes.indexOf(between); at >= 0; at = bytes.indexOf(between, at + 1)) {
    if (!isLetter(bytes[at + between.length])) continue;
    entries.push(entryOf(bytes.subarray(start, at + 1)));
    start = at + 2;
  }
  entries.push(entryOf(bytes.subarray(start)));
  return entries;
}

const isLetter = (byte = 0): boolean => byte >= 0x61 && byte <= 0x7a;

/** The time is taken out where it will be put in again. */
function entryOf(item: Buffer): ManagedEntry {
  const end = item.indexOf(behindTime);
  const start = end - timeBytes;
  const isTimed = start >= 0 && item[end - 1] === quote && timeName.equals(item.subarray(start, start + timeName.length));
  const time = isTimed ? item.toString('latin1', end - 1 - timeLength, end - 1) : '';
  if (!isPlainTime(time)) return { bytes: interned(item), time: undefined };
  return { bytes: interned(Buffer.concat([item.subarray(0, start), item.subarray(end)])), time };
}

function writeEntry({ bytes, time }: ManagedEntry, target: Uint8Array, from: number): number {
  if (time === undefined) {
    target.set(bytes, from);
    return from + bytes.byteLength;
  }
  const at = bufferOf(bytes).indexOf(behindTime);
  target.set(bytes.subarray(0, at), from);
  target.set(timeName, from + at);
  bufferOf(target).write(time, from + at + timeName.length, 'latin1');
  target[from + at + timeBytes - 1] = quote;
  target.set(bytes.subarray(at), from + at + timeBytes);
  return from + timeBytes + bytes.byteLength;
}

const areEqual = (some: readonly ManagedEntry[], others: readonly ManagedEntry[]): boolean =>
  some.length === others.length &&
  some.every(({ bytes, time }, i) => {
    const other = others[i];
    return other !== undefined && time === other.time && (bytes === other.bytes || Buffer.compare(bytes, other.bytes) === 0);
  });
