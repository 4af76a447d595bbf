/**
 * A managed part as the cache holds it: entry by entry, each shared by all objects that have an equal one. A thousand pods
 * of one ReplicaSet differ in what their kubelet owns (their addresses are keys), and have in common what their controller does.
 *
 * Guarantees: joined, it has the bytes that were given, whatever they are.
 */
import { interned } from '../../store/interned.ts';

/** In their order, with the opening bracket before the first and the closing one behind the last. */
export type ManagedPart = readonly Uint8Array[];

/** Where an entry ends and another begins. In a text of the client's own it may stand by chance: it is cut there, too. */
const between = Buffer.from('},{"');
const comma = 0x2c;

export function splitPart(bytes: Uint8Array): ManagedPart {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Uint8Array[] = [];
  let start = 0;
  for (let at = source.indexOf(between); at >= 0; at = source.indexOf(between, start)) {
    entries.push(interned(source.subarray(start, at + 1)));
    start = at + 2;
  }
  entries.push(interned(source.subarray(start)));
  return entries;
}

export const sizeOfPart = (part: ManagedPart): number => part.reduce((sum, { byteLength }) => sum + byteLength + 1, -1);

/** Writes the bytes; gives where they end. */
export function writePart(part: ManagedPart, target: Uint8Array, from: number): number {
  let at = from;
  for (const [i, entry] of part.entries()) {
    if (i > 0) target[at++] = comma;
    target.set(entry, at);
    at += entry.byteLength;
  }
  return at;
}

export function joinPart(part: ManagedPart): Uint8Array {
  const [first, second] = part;
  if (first && !second) return first;
  const bytes = new Uint8Array(sizeOfPart(part));
  writePart(part, bytes, 0);
  return bytes;
}
