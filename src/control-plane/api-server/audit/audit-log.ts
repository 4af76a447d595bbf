/**
 * The audit's file: lines are appended in their order, and the file is rotated by size; old ones go by number and age.
 *
 * Guarantees: nobody waits for it. Lines wait in memory, bounded, while the disk is slow; what finds no room, and what a
 * failing disk (a full one) did not take, is lost and counted, said once in the log, and said again when it is over. This
 * is upstream's `batch` mode, not its default for files (`blocking`): an audit that stops the cluster when a disk is full
 * was not wanted. Only its owner can read the files.
 *
 * Files are named as upstream's: `audit-2026-01-02T03-04-05.000.log` beside `audit.log`.
 */
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Clock } from '../../../client/clock.ts';
import type { Log } from '../../../client/log.ts';
import type { AuditSink } from './audit.ts';

export interface AuditLogOptions {
  readonly path: string;
  /** then it is rotated; in MiB */
  readonly maxSizeMiB: number;
  /** rotated files that are kept; 0: all */
  readonly maxBackups: number;
  /** days that they are kept; 0: for ever */
  readonly maxAgeDays: number;
  readonly clock: Clock;
  readonly log: Log;
}

const mebibyte = 1024 * 1024;
const dayMs = 86_400_000;
/** Characters of lines that wait; beyond that, lines are lost. */
const waitingMax = 64 * mebibyte;
/** How long the end waits for what is not written yet. */
const closeGraceMs = 5000;
/** Lines written at once. */
const batchMax = 1000;

/** Makes the file's directory, where that is missing alone. Rejects when the file can't be opened. */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  await mkdir(dirname(options.path), 0o700).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const file = await open(options.path, 'a', 0o600);
  return new AuditLog(options, file, (await file.stat()).size);
}

export class AuditLog implements AuditSink, AsyncDisposable {
  readonly #options: AuditLogOptions;
  #file: FileHandle | undefined;
  #size: number;
  #waiting: string[] = [];
  #waitingSize = 0;
  #writing: Promise<void> | undefined;
  /** lines since the disk or the queue failed */
  #lostNow = 0;
  /** A write may have ended in the middle of a line. */
  #isTorn = false;
  /** when it was last rotated: no two files have one name */
  #rotatedMs = 0;
  /** lines that were kept, and lost, so far */
  written = 0;
  lost = 0;

  constructor(options: AuditLogOptions, file: FileHandle, size: number) {
    this.#options = options;
    this.#file = file;
    this.#size = size;
  }

  write(line: string): void {
    if (this.#waitingSize + line.length > waitingMax) {
      this.#lose(1, 'the disk is too slow');
      return;
    }
    this.#waiting.push(line);
    this.#waitingSize += line.length;
    this.#writing ??= this.#writeAll();
  }

  /** All that waits is written, if the disk takes it in time. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clock } = this.#options;
    await Promise.race([this.#writing, clock.sleep(closeGraceMs)]);
    await this.#file?.close();
    this.#file = undefined;
  }

  /** Never rejects. */
  async #writeAll(): Promise<void> {
    await Promise.resolve(); // what is told in one turn is written together
    while (this.#waiting.length > 0) {
      const lines = this.#waiting.splice(0, batchMax);
      const text = lines.join('');
      this.#waitingSize -= text.length;
      try {
        await this.#append(text);
        this.written += lines.length;
        this.#recovered();
      } catch (error) {
        this.#lose(lines.length, error);
      }
    }
    this.#writing = undefined;
  }

  async #append(text: string): Promise<void> {
    const bytes = Buffer.from(this.#isTorn ? `\n${text}` : text);
    if (this.#size > 0 && this.#size + bytes.length > this.#options.maxSizeMiB * mebibyte) await this.#rotate();
    this.#file ??= await open(this.#options.path, 'a', 0o600);
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, at);
      at += bytesWritten;
      this.#size += bytesWritten;
      this.#isTorn = at < bytes.length;
    }
  }

  async #rotate(): Promise<void> {
    const { path, clock, log } = this.#options;
    await this.#file?.close();
    this.#file = undefined;
    this.#rotatedMs = Math.max(clock.now(), this.#rotatedMs + 1);
    const time = new Date(this.#rotatedMs).toISOString().slice(0, -1).replaceAll(':', '-');
    const [stem, extension] = partsOf(path);
    await rename(path, join(dirname(path), `${stem}-${time}${extension}`));
    this.#size = 0;
    this.#isTorn = false;
    await this.#prune().catch((error: unknown) => log.warn({ error, path }, 'old audit files stay'));
  }

  async #prune(): Promise<void> {
    const { path, maxBackups, maxAgeDays, clock } = this.#options;
    const all = await readdir(dirname(path));
    for (const name of expiredBackups(path, all, { maxBackups, maxAgeDays, nowMs: clock.now() })) await unlink(join(dirname(path), name));
  }

  #lose(count: number, error: unknown): void {
    this.lost += count;
    if (this.#lostNow === 0) this.#options.log.error({ error, path: this.#options.path }, 'audit events are lost');
    this.#lostNow += count;
  }

  #recovered(): void {
    if (this.#lostNow > 0) this.#options.log.warn({ lost: this.#lostNow }, 'audit events are kept again');
    this.#lostNow = 0;
  }
}

function partsOf(path: string): [stem: string, extension: string] {
  const extension = extname(path);
  return [basename(path, extension), extension];
}

/** Which rotated files go. Pure. */
export function expiredBackups(
  path: string,
  names: readonly string[],
  { maxBackups, maxAgeDays, nowMs }: { readonly maxBackups: number; readonly maxAgeDays: number; readonly nowMs: number },
): readonly string[] {
  const [stem, extension] = partsOf(path);
  const backups = names
    .flatMap((name) => {
      if (!name.startsWith(`${stem}-`) || !name.endsWith(extension)) return [];
      const time = name.slice(stem.length + 1, name.length - extension.length);
      const [, day, clock] = /^(\d{4}-\d\d-\d\d)T(\d\d-\d\d-\d\d\.\d{3})$/.exec(time) ?? [];
      return day && clock ? [{ name, ms: Date.parse(`${day}T${clock.replaceAll('-', ':')}Z`) }] : [];
    })
    .sort((a, b) => b.ms - a.ms);
  const isExpired = (ms: number, i: number): boolean =>
    (maxBackups > 0 && i >= maxBackups) || (maxAgeDays > 0 && nowMs - ms > maxAgeDays * dayMs);
  return backups.filter(({ ms }, i) => isExpired(ms, i)).map(({ name }) => name);
}
