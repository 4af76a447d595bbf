/**
 * The bytes of a container's log: from its file, through rotations, or from the simulated runtime. Following ends when
 * the container has ended and all it wrote has been read.
 * Upstream: k8s.io/cri-client/pkg/logs/{logs,tail}.go.
 */
import { watch } from 'node:fs';
import { type FileHandle, lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../../../client/clock.ts';
import type { FileGate } from '../../files/file-gate.ts';
import { openFile } from '../../files/held-directory.ts';

export interface LogSourceOptions {
  readonly follow: boolean;
  /** how many lines of the end; absent: all */
  readonly tailLines?: number | undefined;
  readonly clock: Clock;
  readonly gate: FileGate;
  readonly signal: AbortSignal;
  /** The container may still write. */
  isRunning(): Promise<boolean>;
}

const chunkBytes = 64 * 1024;
/** How long to wait for a sign of the file system before looking anyway. */
const lookAgainMs = 1000;

export async function* readLogFile(path: string, options: LogSourceOptions): AsyncGenerator<Buffer> {
  let file = await openAt(path, options);
  using changes = options.follow ? new Changes(dirname(path), options.clock) : undefined;
  let ended = false;
  try {
    for (;;) {
      for (let chunk = await file.read(); chunk; chunk = await file.read()) yield chunk;
      if (!changes || ended || options.signal.aborted) return;
      const next = await reopened(path, file, options.gate);
      if (next) {
        await file.handle.close();
        file = next;
        continue;
      }
      ended = !(await options.isRunning());
      if (!ended) await changes.next(options.signal);
    }
  } finally {
    await file.handle.close();
  }
}

class LogFile {
  readonly handle: FileHandle;
  #position: number;
  constructor(handle: FileHandle, position: number) {
    this.handle = handle;
    this.#position = position;
  }
  async read(): Promise<Buffer | undefined> {
    const { bytesRead, buffer } = await this.handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, this.#position);
    this.#position += bytesRead;
    return bytesRead > 0 ? buffer.subarray(0, bytesRead) : undefined;
  }
}

async function openAt(path: string, { gate, tailLines }: LogSourceOptions): Promise<LogFile> {
  const handle = await openFile(path, gate);
  return new LogFile(handle, tailLines === undefined ? 0 : await tailStart(handle, tailLines));
}

/** The file was rotated away and made anew. */
async function reopened(path: string, file: LogFile, gate: FileGate): Promise<LogFile | undefined> {
  const now = await lstat(path).catch(() => undefined);
  if (!now || now.ino === (await file.handle.stat()).ino) return undefined;
  return new LogFile(await openFile(path, gate), 0);
}

/** Where the last `lines` lines begin. A last line without end counts as one. */
export async function tailStart(handle: FileHandle, lines: number): Promise<number> {
  const { size } = await handle.stat();
  if (lines === 0) return size;
  let found = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunkBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (buffer[at] !== 0x0a || start + at === size - 1) continue;
      found++;
      if (found === lines) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

/** Signs of change in a directory; one that comes while nobody waits is kept. */
class Changes implements Disposable {
  readonly #clock: Clock;
  readonly #watcher: ReturnType<typeof watch>;
  #pending = false;
  #wake: (() => void) | undefined;

  constructor(dir: string, clock: Clock) {
    this.#clock = clock;
    this.#watcher = watch(dir, () => this.#changed());
    this.#watcher.on('error', () => this.#changed());
  }

  async next(signal: AbortSignal): Promise<void> {
    if (!this.#pending && !signal.aborted) {
      const changed = Promise.withResolvers<void>();
      this.#wake = changed.resolve;
      using _timer = this.#clock.setTimeout(changed.resolve, lookAgainMs);
      signal.addEventListener('abort', changed.resolve as () => void, { once: true });
      await changed.promise;
      signal.removeEventListener('abort', changed.resolve as () => void);
      this.#wake = undefined;
    }
    this.#pending = false;
  }

  #changed(): void {
    this.#pending = true;
    this.#wake?.();
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }
}
