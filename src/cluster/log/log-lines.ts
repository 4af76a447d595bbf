/**
 * The lines of a log file: its last ones, then, followed, those that come. In this process, so that nothing is left when
 * it is killed.
 *
 * A file that is replaced (rotated) or emptied is read on from the new one's beginning; until there is a new one the old
 * one is followed, as long as its directory is there. Nothing polls: the directory is watched. A line longer than the bound comes in pieces.
 */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const chunkBytes = 64 * 1024;
const lineBytesMax = 1024 * 1024;
const newline = 0x0a;

export interface LineOptions {
  /** how many of those that are there */
  readonly last: number;
  /** go on until it is aborted */
  readonly follow?: AbortSignal | undefined;
}

export async function* logLines(path: string, { last, follow }: LineOptions): AsyncGenerator<string> {
  using changes = follow && new Changes(path, follow); // before the file is read: nothing is missed in between
  let file = await open(path, 'r');
  try {
    let reader = new LineReader(file, await startOfLast(file, last));
    for (;;) {
      const changed = changes?.next();
      const replaced = changed && (await isReplaced(path, reader)); // asked first: what is read then was written before
      yield* reader.lines();
      if ((!changed || replaced) && reader.rest) yield reader.rest;
      if (!changed) return;
      if (replaced) {
        await file.close();
        file = await open(path, 'r');
        reader = new LineReader(file, 0);
      } else if (!(await changed)) return;
    }
  } finally {
    await file.close();
  }
}

/** What is said of the file, one wake-up for any number of changes. */
class Changes implements Disposable {
  readonly #watcher: FSWatcher;
  readonly #signal: AbortSignal;
  readonly #end = (): void => this.#wake();
  #woken = Promise.withResolvers<void>();
  readonly #dir: string;

  constructor(path: string, signal: AbortSignal) {
    this.#dir = dirname(path);
    this.#signal = signal;
    this.#watcher = watch(this.#dir, () => this.#wake()).on('error', () => this.#wake());
    signal.addEventListener('abort', this.#end, { once: true });
  }

  /** Resolves at the next change; false: there will be no other. */
  async next(): Promise<boolean> {
    if (!this.#signal.aborted) await this.#woken.promise;
    return !this.#signal.aborted && existsSync(this.#dir);
  }

  #wake(): void {
    this.#woken.resolve();
    this.#woken = Promise.withResolvers();
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
    this.#signal.removeEventListener('abort', this.#end);
  }
}

class LineReader {
  readonly file: FileHandle;
  #position: number;
  #rest = Buffer.alloc(0);

  constructor(file: FileHandle, position: number) {
    this.file = file;
    this.#position = position;
  }

  get position(): number {
    return this.#position;
  }
  /** what came after the last newline */
  get rest(): string {
    return this.#rest.toString();
  }

  /** Whole lines, to the file's end. */
  async *lines(): AsyncGenerator<string> {
    for (;;) {
      const { bytesRead, buffer } = await this.file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const text = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]);
      let from = 0;
      for (let end = text.indexOf(newline, from); end >= 0; end = text.indexOf(newline, from)) {
        yield text.toString('utf8', from, end);
        from = end + 1;
      }
      this.#rest = Buffer.from(text.subarray(from));
      if (this.#rest.length < lineBytesMax) continue;
      yield this.rest;
      this.#rest = Buffer.alloc(0);
    }
  }
}

/** By another file of its name; or it was emptied. */
async function isReplaced(path: string, { file, position }: LineReader): Promise<boolean> {
  const [opened, named] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  return opened.size < position || (named !== undefined && (named.ino !== opened.ino || named.dev !== opened.dev));
}

/** Where the last `count` lines begin. */
async function startOfLast(file: FileHandle, count: number): Promise<number> {
  const { size } = await file.stat();
  if (count === 0) return size;
  let newlines = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunkBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    for (let i = bytesRead - 1; i >= 0; i--) {
      if (buffer[i] !== newline || start + i === size - 1) continue; // the newline that ends the last line separates nothing
      newlines++;
      if (newlines === count) return start + i + 1;
    }
    end = start;
  }
  return 0;
}
