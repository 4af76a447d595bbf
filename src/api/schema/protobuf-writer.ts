/**
 * Writes protobuf from its end to its start, as Go does: the length of a message is known when its head is written, so
 * nothing is measured beforehand or moved afterwards. Writers share one buffer: a message is finished before the next one
 * is begun, unless it is written with rests, which takes a buffer of its own.
 */
export const varint = 0;
export const fixed64 = 1;
export const lengthDelimited = 2;
/** A buffer that grew beyond this is not kept for the next message. */
const keptBytesMax = 1024 * 1024;
const shortCharactersMax = 64;
const startBytes = 64 * 1024;
let shared = Buffer.allocUnsafe(startBytes);

export class ProtobufWriter {
  readonly #isAlone: boolean;
  #buffer: typeof shared;
  #at: number;

  constructor({ isAlone = false }: { readonly isAlone?: boolean } = {}) {
    this.#isAlone = isAlone;
    this.#buffer = isAlone ? Buffer.allocUnsafe(startBytes) : shared;
    this.#at = this.#buffer.length;
  }

  /** With a buffer that no other shares. */
  static alone(): ProtobufWriter {
    return new ProtobufWriter({ isAlone: true });
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#buffer.length - this.#at;
  }

  finish(): Buffer {
    if (!this.#isAlone && this.#buffer.length <= keptBytesMax) shared = this.#buffer;
    return Buffer.from(this.#buffer.subarray(this.#at));
  }

  tag(field: number, wireType: number): void {
    this.varint((field << 3) | wireType);
  }

  /** The head of what was written since `size` was `before`: its length and its tag. */
  head(field: number, before: number): void {
    this.varint(this.size - before);
    this.tag(field, lengthDelimited);
  }

  /** Any whole number; a negative one takes ten bytes. */
  varint(value: number): void {
    if (value >= 0 && value < 0x80) {
      this.#reserve(1);
      this.#buffer[--this.#at] = value;
      return;
    }
    const bytes: number[] = [];
    if (value >= 0) {
      for (let rest = value; rest > 0; rest = Math.floor(rest / 0x80)) bytes.push(rest % 0x80);
    } else {
      for (let rest = BigInt.asUintN(64, BigInt(value)); rest > 0n; rest >>= 7n) bytes.push(Number(rest & 0x7fn));
    }
    this.#reserve(bytes.length);
    for (let i = bytes.length - 1; i >= 0; i--) {
      const more = i < bytes.length - 1 ? 0x80 : 0;
      this.#buffer[--this.#at] = (bytes[i] ?? 0) | more;
    }
  }

  text(value: string): void {
    if (value.length <= shortCharactersMax && this.#ascii(value)) return;
    const length = Buffer.byteLength(value);
    this.#reserve(length);
    this.#at -= length;
    this.#buffer.write(value, this.#at);
  }

  /** Most texts are short and plain: writing them here is faster than a call out of JavaScript. */
  #ascii(value: string): boolean {
    const { length } = value;
    this.#reserve(length);
    const start = this.#at - length;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return false;
      this.#buffer[start + i] = code;
    }
    this.#at = start;
    return true;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#at -= value.length;
    this.#buffer.set(value, this.#at);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#buffer.writeDoubleLE(value, this.#at);
  }

  #reserve(length: number): void {
    if (length <= this.#at) return;
    const grown = Buffer.allocUnsafe(this.#buffer.length * 2 + length);
    const start = grown.length - this.size;
    this.#buffer.copy(grown, start, this.#at);
    this.#buffer = grown;
    this.#at = start;
  }
}
