/**
 * What lies under a key in etcd. Of a Kubernetes object it is its JSON with the managed part as `metadata.managedFields`,
 * as API servers store it (ADR 33 says why it is two parts here). Anything else lies there as it is; with a managed part,
 * both in an envelope of ours.
 *
 * Guarantees: what was joined splits into the same bytes. What another server wrote becomes what this one would have: its
 * JSON in the canonical order of fields, its protobuf (`k8s\0`) as JSON. What can't be read throws StoreTooNewError.
 * Not done: writing protobuf. Upstream's server reads JSON as well.
 * Upstream: apiserver/pkg/storage/etcd3, apimachinery/pkg/runtime/serializer/recognizer.
 */
import { inServedVersion, storedApiVersion } from '../../../api/kinds/apiextensions/definition-v1beta1.ts';
import type * as decoding from '../../../api/schema/decode-protobuf.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import { magic as protobufMagic } from '../../../api/schema/protobuf-layout.ts';
import { ManagedPart } from '../managed-part.ts';
import { StoreTooNewError } from '../storage.ts';

export interface ValueParts {
  readonly value: Uint8Array;
  readonly managed: ManagedPart | undefined;
}

/** Then comes the length of the value in four bytes, the value, the managed part. */
const envelopeMagic = Buffer.from('timonier\0');
const lengthBytes = 4;
const canonicalHead = /^\{"kind":"[^"\\]*","apiVersion":"[^"\\]*","metadata":\{/;
const headBytesMax = 1024;
const managedName = Buffer.from('"managedFields":');
const [comma, quote, backslash, bracket, closingBracket, brace, closingBrace] = Buffer.from(',"\\[]{}') as unknown as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const startsWith = (bytes: Buffer, with_: Buffer, at = 0): boolean => with_.equals(bytes.subarray(at, at + with_.length));

/** Where the metadata of an object in canonical form begins; 0: it is none. */
const metadataOf = (bytes: Buffer): number => canonicalHead.exec(bytes.toString('latin1', 0, headBytesMax))?.[0].length ?? 0;

export function joinValue(value: Uint8Array, managed: ManagedPart | undefined): Uint8Array {
  if (!managed) return value;
  const bytes = bufferOf(value);
  const part = Buffer.allocUnsafe(managed.byteLength);
  managed.writeTo(part, 0);
  const at = metadataOf(bytes);
  if (at > 0 && part[0] === bracket && part.at(-1) === closingBracket) {
    const between = bytes[at] === closingBrace ? '' : ',';
    return Buffer.concat([bytes.subarray(0, at), managedName, part, Buffer.from(between), bytes.subarray(at)]);
  }
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([envelopeMagic, length, bytes, part]);
}

/** Reads protobuf; loaded when some is met. */
let decoder: typeof decoding | undefined;

/** To be awaited before values are split that may be protobuf. */
export async function loadDecoder(): Promise<void> {
  decoder ??= await import('../../../api/schema/decode-protobuf.ts');
}
export const needsDecoder = (stored: Uint8Array): boolean => decoder === undefined && startsWith(bufferOf(stored), protobufMagic);

/** `key` goes into the error. */
export function splitValue(key: string, stored: Uint8Array): ValueParts {
  const bytes = bufferOf(stored);
  if (startsWith(bytes, envelopeMagic)) return opened(bytes.subarray(envelopeMagic.length));
  const at = metadataOf(bytes);
  if (at > 0 && startsWith(bytes, managedName, at)) return takenOut(bytes, at);
  const isCanonical = at > 0 && !bytes.subarray(0, at).includes(storedApiVersion) && !bytes.includes(managedName);
  const isForeign = !isCanonical && (at > 0 || startsWith(bytes, protobufMagic) || isObject(bytes));
  if (!isForeign) return { value: bytes, managed: undefined };
  try {
    return canonical(startsWith(bytes, protobufMagic) ? decoder?.decodeProtobuf(bytes, '') : parseJSON(bytes.toString()));
  } catch (cause) {
    throw new StoreTooNewError(`another server wrote ${key} in a form that this one can't read`, { cause });
  }
}

const isObject = (bytes: Buffer): boolean => bytes[0] === brace && bytes.includes('"apiVersion":') && bytes.includes('"metadata":');

function opened(bytes: Buffer): ValueParts {
  const end = lengthBytes + bytes.readUInt32BE(0);
  return { value: bytes.subarray(lengthBytes, end), managed: ManagedPart.of(bytes.subarray(end)) };
}

function takenOut(bytes: Buffer, at: number): ValueParts {
  const start = at + managedName.length;
  const end = endOfList(bytes, start);
  const value = Buffer.concat([bytes.subarray(0, at), bytes.subarray(bytes[end] === comma ? end + 1 : end)]);
  return { value, managed: ManagedPart.of(bytes.subarray(start, end)) };
}

/** Behind the bracket that closes the one at `start`. */
function endOfList(bytes: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) at = endOfString(bytes, at);
    else if (byte === bracket) depth++;
    else if (byte === closingBracket && --depth === 0) return at + 1;
  }
  return bytes.length;
}

function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at;
}

/** The order is that of `Draft` (cache/stored-object.ts). */
function canonical(given: unknown): ValueParts {
  const {
    kind,
    apiVersion,
    metadata = {},
    ...rest
  } = inServedVersion(given as Readonly<Record<string, unknown>>) as {
    kind: string;
    apiVersion: string;
    metadata?: Record<string, unknown>;
  };
  const { resourceVersion: _, managedFields, ...kept } = metadata;
  return {
    value: Buffer.from(JSON.stringify({ kind, apiVersion, metadata: kept, ...rest })),
    managed: managedFields === undefined ? undefined : ManagedPart.of(JSON.stringify(managedFields)),
  };
}
