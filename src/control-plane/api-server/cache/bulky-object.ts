/**
 * Objects that hold much which is seldom looked at: the schemas in CustomResourceDefinitions, of which there are thousands
 * of hundreds of kilobytes. Their bytes are kept compressed, and their bulky fields are parsed each time somebody asks for
 * them, and kept for as long as he holds them.
 */
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompressSync } from 'node:zlib';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import { deepFreeze } from './deep-freeze.ts';

const compress = promisify(zstdCompress);
/** What is smaller stays as it is. */
const packedBytesMin = 8 * 1024;

export class PackedBytes {
  readonly length: number;
  #bytes: Buffer | undefined;
  #packed: Buffer | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.length = bytes.length;
  }

  /** Unpacked each time. */
  get bytes(): Buffer {
    return this.#bytes ?? zstdDecompressSync(this.#packed ?? nothing);
  }

  /** In a thread of its own. */
  async pack(): Promise<void> {
    if (!this.#bytes || this.length < packedBytesMin) return;
    const packed = await compress(this.#bytes);
    // A copy: what zlib gives may be a piece of something larger.
    this.#packed = Buffer.allocUnsafeSlow(packed.length);
    packed.copy(this.#packed);
    this.#bytes = undefined;
  }
}
const nothing = Buffer.alloc(0);

interface Part {
  readonly start: number;
  readonly end: number;
}

/** Parses the JSON of an object, without the values of these fields, whatever holds them; `amend` is for what is not in the text. Frozen. */
export function parseBulky<T extends object>(packed: PackedBytes, fields: readonly string[], amend: (object: T) => void): T {
  const { text, parts } = cut(packed.bytes, fields);
  const object = parseJSON(text) as T;
  amend(object);
  freezeWithParts(object, {
    names: new Set(fields),
    parts,
    read: ({ start, end }) => parseJSON(packed.bytes.toString('utf8', start, end)),
  });
  return object;
}

/** The text with the number of a part in place of its value. */
function cut(bytes: Buffer, fields: readonly string[]): { readonly text: string; readonly parts: readonly Part[] } {
  const found = fields.flatMap((field) => partsOf(bytes, field)).sort((a, b) => a.start - b.start);
  const parts: Part[] = [];
  let text = '';
  let at = 0;
  for (const part of found) {
    if (part.start < at) continue; // within another
    text += `${bytes.toString('utf8', at, part.start)}${parts.length}`;
    parts.push(part);
    at = part.end;
  }
  return { text: text + bytes.toString('utf8', at), parts };
}

interface Parts {
  readonly names: ReadonlySet<string>;
  readonly parts: readonly Part[];
  read(part: Part): unknown;
}

function freezeWithParts(value: object, held: Parts): void {
  for (const [key, item] of Object.entries(value)) {
    if (held.names.has(key)) readWhenAsked(value, key, { part: held.parts[item as number], read: held.read });
    else if (typeof item === 'object' && item !== null) freezeWithParts(item as object, held);
  }
  Object.freeze(value);
}

function readWhenAsked(owner: object, key: string, { part, read }: { part: Part | undefined; read: Parts['read'] }): void {
  if (!part) return;
  let known: WeakRef<object> | undefined;
  Object.defineProperty(owner, key, {
    enumerable: true,
    get(): unknown {
      const kept = known?.deref();
      if (kept) return kept;
      const value = deepFreeze(read(part));
      if (typeof value === 'object' && value !== null) known = new WeakRef(value);
      return value;
    },
  });
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openingBrace = 0x7b;
const closingBrace = 0x7d;
const openingBracket = 0x5b;
const closingBracket = 0x5d;

/** Where the values of a field are. Within a text its name would have backslashes before its quotes. */
function partsOf(bytes: Buffer, field: string): readonly Part[] {
  const name = Buffer.from(`${JSON.stringify(field)}:`);
  const parts: Part[] = [];
  for (let at = bytes.indexOf(name); at >= 0; ) {
    const start = at + name.length;
    const end = endOfValue(bytes, start);
    parts.push({ start, end });
    at = bytes.indexOf(name, end);
  }
  return parts;
}

/** The JSON has no spaces between its signs. */
function endOfValue(bytes: Uint8Array, start: number): number {
  const { length } = bytes;
  let depth = 0;
  for (let i = start; i < length; i++) {
    const byte = bytes[i];
    if (byte === quote) i = endOfText(bytes, i);
    else if (byte === openingBrace || byte === openingBracket) depth++;
    else if (byte === closingBrace || byte === closingBracket) {
      if (depth === 0) return i;
      depth--;
    } else if (byte === comma && depth === 0) return i;
  }
  return length;
}

/** Where its closing quote is. */
function endOfText(bytes: Uint8Array, start: number): number {
  const { length } = bytes;
  let i = start + 1;
  for (let byte = bytes[i]; byte !== quote && i < length; byte = bytes[i]) i += byte === backslash ? 2 : 1;
  return i;
}
