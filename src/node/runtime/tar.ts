/**
 * Tar archives as images are made of: writing (POSIX ustar, all owned by root, no times, so that equal contents give
 * equal bytes) and reading entry by entry, as far as finding the description of an image archive needs it.
 * Deliberately without sparse files and devices; long names are read (GNU and pax), not written.
 */

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
/** of what a reader takes: a path and whatever else a pax header tells of the file */
const longNameBytesMax = 64 * 1024;

export function writeTar(files: readonly TarFile[]): Buffer {
  const parts = files.flatMap((file) => {
    const content = Buffer.from(file.content ?? '');
    return [tarHeader(file, content.length), content, Buffer.alloc(padding(content.length))];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * blockBytes)]);
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
  /** The whole content, when it is no larger than what the reader was asked for. */
  readonly content?: Buffer;
}

/** Regular files in order, with the contents of small ones. Throws a RangeError where it is no tar archive. */
export async function* readTar(source: AsyncIterable<Buffer>, contentBytesMax: number): AsyncGenerator<TarEntry> {
  const bytes = new ByteReader(source);
  let longName: string | undefined;
  for (;;) {
    const header = await bytes.take(blockBytes);
    if (!header || header.every((byte) => byte === 0)) return;
    if (header.toString('latin1', 257, 262) !== 'ustar') throw new RangeError('not a tar archive');
    const size = readSize(header);
    const type = String.fromCharCode(header[156] ?? 0);
    const isName = type === 'L' || type === 'x';
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('not a tar archive: an entry without a size');
    if (isName && size > longNameBytesMax) throw new RangeError(`a name of ${size} bytes in an archive`);
    const keeps = isName || ((type === '0' || type === '\0') && size <= contentBytesMax);
    const content = keeps ? await bytes.take(size) : await bytes.skip(size);
    await bytes.skip(padding(size));
    if (isName && content)
      longName = type === 'L' ? cString(content) : (/(?:^|\n)\d+ path=([^\n]*)\n/.exec(content.toString())?.[1] ?? longName);
    if (type !== '0' && type !== '\0') continue;
    const prefix = cString(header.subarray(345, 500));
    const path = longName ?? (prefix === '' ? '' : `${prefix}/`) + cString(header.subarray(0, nameBytesMax));
    longName = undefined;
    yield { path: path.replace(/^\.\//, ''), size, ...(keeps && content && { content }) };
  }
}

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
  async take(count: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    for (let missing = count; missing > 0; ) {
      const part = await this.#some(missing);
      if (!part) return undefined;
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  async skip(count: number): Promise<undefined> {
    for (let missing = count; missing > 0; ) {
      const part = await this.#some(missing);
      if (!part) return;
      missing -= part.length;
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
