/**
 * Tar archives as images are made of: writing (POSIX ustar, all owned by root, no times, so that equal contents give
 * equal bytes), reading entry by entry, and copying entries without holding them.
 * Deliberately without sparse files and devices; long names are read (GNU and pax), not written.
 */
import { createHash } from 'node:crypto';

export interface TarFile {
  /** relative, without leading slash; at most 100 bytes */
  readonly path: string;
  readonly content?: Buffer | string;
  /** a symbolic link to this */
  readonly link?: string;
  readonly directory?: boolean;
  /** default 0644, directories 0755, links 0777 */
  readonly mode?: number;
}

const blockBytes = 512;
const nameBytesMax = 100;
const chunkBytes = 2 ** 18;
/** of what a reader takes: a path and whatever else a pax header tells of the file */
const longNameBytesMax = 64 * 1024;

/** `open`: more is to follow, so the end is not marked. */
export function writeTar(files: readonly TarFile[], { open = false }: { readonly open?: boolean } = {}): Buffer {
  const parts = files.flatMap((file) => {
    const content = Buffer.from(file.content ?? '');
    return [tarHeader(file, content.length), content, Buffer.alloc(padding(content.length))];
  });
  return Buffer.concat(open ? parts : [...parts, Buffer.alloc(2 * blockBytes)]);
}

function tarHeader({ path, link, directory, mode }: TarFile, size: number): Buffer {
  const name = directory && !path.endsWith('/') ? `${path}/` : path;
  for (const text of [name, link ?? ''])
    if (Buffer.byteLength(text) > nameBytesMax) throw new RangeError(`a name of more than ${nameBytesMax} bytes in an archive: ${text}`);
  const header = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, length: number): void => {
    header.write(value.toString(8).padStart(length - 1, '0'), at);
  };
  header.write(name, 0);
  octal(mode ?? (directory ? 0o755 : link === undefined ? 0o644 : 0o777), 100, 8);
  octal(0, 108, 8); // owner
  octal(0, 116, 8); // group
  octal(size, 124, 12);
  octal(0, 136, 12); // time
  header.fill(' ', 148, 156); // the check sum counts itself as spaces
  header.write(directory ? '5' : link === undefined ? '0' : '2', 156);
  header.write(link ?? '', 157);
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

const padding = (size: number): number => (blockBytes - (size % blockBytes)) % blockBytes;

export interface TarEntry {
  readonly path: string;
  readonly size: number;
  /** `sha256:…` of the content */
  readonly digest: string;
  /** the first bytes, by which compression is known */
  readonly start: Buffer;
  /** The whole content, when it is no larger than what the reader was asked for. */
  readonly content?: Buffer;
  /** it is a link to this, and has no content */
  readonly link?: string;
}

const startBytes = 4;

/** There is nothing at all. */
export class TarEmpty extends RangeError {}
/** It ends where something has to follow. */
export class TarCutOff extends RangeError {}
/** Something follows where it ends. */
export class TarFollowed extends RangeError {}

/** Regular files and links in order, with the contents of small ones. Throws a RangeError where it is no tar archive. */
export async function* readTar(source: AsyncIterable<Buffer>, contentBytesMax: number): AsyncGenerator<TarEntry> {
  const bytes = new ByteReader(source);
  for await (const { path, size, link } of readHeaders(bytes)) {
    const hash = createHash('sha256');
    const kept: Buffer[] = [];
    let start = Buffer.alloc(0);
    for await (const piece of bytes.pieces(size)) {
      hash.update(piece);
      if (size <= contentBytesMax) kept.push(piece);
      if (start.length < startBytes) start = Buffer.concat([start, piece.subarray(0, startBytes)]);
    }
    await bytes.skip(padding(size));
    const content = size <= contentBytesMax ? { content: Buffer.concat(kept) } : {};
    yield { path, size, digest: `sha256:${hash.digest('hex')}`, start, ...(link === undefined ? content : { link }) };
  }
}

/** The regular files that get a name, under it; piece by piece, without the end of an archive. */
export async function* copyTar(source: AsyncIterable<Buffer>, nameOf: (path: string) => string | undefined): AsyncGenerator<Buffer> {
  const bytes = new ByteReader(source);
  for await (const { path, size, link } of readHeaders(bytes)) {
    const name = link === undefined ? nameOf(path) : undefined;
    if (name !== undefined) {
      yield tarHeader({ path: name }, size);
      yield* bytes.pieces(size);
      yield Buffer.alloc(padding(size));
    } else await bytes.skip(size);
    await bytes.skip(padding(size));
  }
}

interface TarHeader {
  readonly path: string;
  /** of the content, which is to be taken, with its padding, before the next header */
  readonly size: number;
  readonly link?: string;
}

async function* readHeaders(bytes: ByteReader): AsyncGenerator<TarHeader> {
  let long: { path?: string | undefined; link?: string | undefined } = {};
  for (let isFirst = true; ; isFirst = false) {
    const header = isFirst ? await firstHeader(bytes) : await bytes.takeUnlessEnded(blockBytes);
    if (!header) return;
    if (header.every((byte) => byte === 0)) {
      if (!(await bytes.isRestZero())) throw new TarFollowed('something follows the end of the archive');
      return;
    }
    if (header.toString('latin1', 257, 262) !== 'ustar') throw new RangeError('not a tar archive');
    const size = readSize(header);
    const type = String.fromCharCode(header[156] ?? 0);
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('not a tar archive: an entry without a size');
    if (type === 'L' || type === 'K' || type === 'x') {
      if (size > longNameBytesMax) throw new RangeError(`a name of ${size} bytes in an archive`);
      const content = await bytes.take(size);
      await bytes.skip(padding(size));
      if (type === 'L') long = { ...long, path: cString(content) };
      else if (type === 'K') long = { ...long, link: cString(content) };
      else long = { path: paxField(content, 'path') ?? long.path, link: paxField(content, 'linkpath') ?? long.link };
      continue;
    }
    const isFile = type === '0' || type === '\0';
    const isLink = type === '1' || type === '2';
    if (isFile || isLink) {
      const prefix = cString(header.subarray(345, 500));
      const path = long.path ?? (prefix === '' ? '' : `${prefix}/`) + cString(header.subarray(0, nameBytesMax));
      const link = isLink ? { link: long.link ?? cString(header.subarray(157, 257)) } : {};
      yield { path: path.replace(/^\.\//, ''), size: isLink ? 0 : size, ...link };
    } else await bytes.skip(size + padding(size));
    if (type !== 'g') long = {};
  }
}

async function firstHeader(bytes: ByteReader): Promise<Buffer> {
  const header = await bytes.takeUnlessEnded(blockBytes).catch((error: unknown) => {
    throw error instanceof TarCutOff ? new RangeError('not a tar archive', { cause: error }) : error;
  });
  if (!header) throw new TarEmpty('nothing is there');
  return header;
}

const paxField = (content: Buffer, name: string): string | undefined =>
  content
    .toString()
    .split('\n')
    .map((line) => /^\d+ ([^=]*)=(.*)$/.exec(line))
    .findLast((match) => match?.[1] === name)?.[2];

function cString(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** Octal, or, where that is too short, a binary number marked by the first bit. */
function readSize(header: Buffer): number {
  if (((header[124] ?? 0) & 0x80) !== 0) return header.readUIntBE(130, 6);
  return Number.parseInt(cString(header.subarray(124, 136)).trim() || '0', 8);
}

/** Takes counted bytes off a stream of buffers. */
class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Undefined at the end of the stream. */
  async takeUnlessEnded(count: number): Promise<Buffer | undefined> {
    const first = await this.#some(count);
    if (!first) return undefined;
    return first.length === count ? first : Buffer.concat([first, await this.take(count - first.length)]);
  }

  async take(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const piece of this.pieces(count)) parts.push(piece);
    return Buffer.concat(parts);
  }

  async skip(count: number): Promise<void> {
    for await (const _ of this.pieces(count));
  }

  async isRestZero(): Promise<boolean> {
    for (let piece = await this.#some(chunkBytes); piece; piece = await this.#some(chunkBytes))
      if (piece.some((byte) => byte !== 0)) return false;
    return true;
  }

  async *pieces(count: number): AsyncGenerator<Buffer> {
    for (let missing = count; missing > 0; ) {
      const piece = await this.#some(missing);
      if (!piece) throw new TarCutOff('the archive ends too early');
      yield piece;
      missing -= piece.length;
    }
  }

  async #some(countMax: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done) return undefined;
      this.#rest = next.value;
    }
    const part = this.#rest.subarray(0, countMax);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }
}
