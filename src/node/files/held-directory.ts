/**
 * A directory that is held open, whatever happens to its name; its entries are reached through it, as with openat(2).
 * Node has no openat: `/proc/self/fd/N/name` is the same, and is short however deep the directory lies. For what
 * containers can make, change or replace.
 *
 * Guarantees: no method follows a link that is an entry, blocks on what was put in a file's place (FIFO, device, lease
 * of another process), or leaves the directory: a name is one component. Names may be any bytes. Errors have the
 * kernel's `code` and say the place in at most `whereCharsMax` characters.
 * See walk.ts for what goes deeper, remove-tree.ts for removing, open-inside.ts for paths.
 */
import { type BigIntStats, constants, type Dir, type Dirent } from 'node:fs';
import { chmod, chown, type FileHandle, lstat, mkdir, open, opendir, readlink, rename, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { detach } from '../../client/detached.ts';
import type { FileGate } from './file-gate.ts';

export type EntryName = string | Buffer;

/** Linux's O_PATH, which Node does not name: opens without reading, and without waking what it opens. */
const pathOnly = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_RDONLY, O_WRONLY, O_CREAT, O_EXCL } = constants;
const whereCharsMax = 200;
/** how many entries are read at once */
const entriesBatch = 256;
const fdPath = (fd: number): string => `/proc/self/fd/${fd}`;

/** Something else lies where a file or a directory of ours should. */
export class WrongTypeError extends Error {
  override readonly name = 'WrongTypeError';
}

/** An entry opened without following or waking it. The descriptor is good for `/proc/PID/fd/N`. */
export interface HeldEntry extends AsyncDisposable {
  readonly fd: number;
  readonly info: BigIntStats;
}

export class HeldDirectory implements AsyncDisposable {
  readonly gate: FileGate;
  readonly where: string;
  readonly #handle: FileHandle;

  private constructor(gate: FileGate, where: string, handle: FileHandle) {
    this.gate = gate;
    this.where = where;
    this.#handle = handle;
  }

  /** Follows links: the path is the caller's own. */
  static async open(path: string, gate: FileGate): Promise<HeldDirectory> {
    const handle = await gate.call(`open ${shorten(path)}`, () => open(path, pathOnly | O_DIRECTORY), closeLate);
    return new HeldDirectory(gate, shorten(path), handle);
  }

  get fd(): number {
    return this.#handle.fd;
  }

  info(): Promise<BigIntStats> {
    return this.#call('stat', '.', () => this.#handle.stat({ bigint: true }));
  }

  /** This directory once more. */
  async self(): Promise<HeldEntry> {
    const handle = await this.#call('open', '.', () => open(`${fdPath(this.fd)}/.`, pathOnly | O_DIRECTORY), closeLate);
    return await this.#held(handle, '.');
  }

  /** Whatever it is; a link is itself. */
  async hold(name: EntryName): Promise<HeldEntry> {
    const handle = await this.#open(name, pathOnly | O_NOFOLLOW);
    return await this.#held(handle, name);
  }

  async directory(name: EntryName): Promise<HeldDirectory> {
    const handle = await this.#open(name, pathOnly | O_NOFOLLOW | O_DIRECTORY);
    return new HeldDirectory(this.gate, shorten(`${this.where}/${name.toString()}`), handle);
  }

  /** The directory that it is in now. */
  async parent(): Promise<HeldDirectory> {
    const path = `${fdPath(this.fd)}/..`;
    const handle = await this.#call('open', '..', () => open(path, pathOnly | O_DIRECTORY), closeLate);
    return new HeldDirectory(this.gate, this.where, handle);
  }

  /** A regular file, for reading. It is the caller's to close. */
  async openFile(name: EntryName): Promise<FileHandle> {
    await using held = await this.hold(name);
    return await this.reopen(held, name);
  }

  /** For reading, when it is a regular file. */
  async reopen({ fd, info }: HeldEntry, name: EntryName): Promise<FileHandle> {
    if (!info.isFile()) throw new WrongTypeError(`${this.#describe(name)} is ${describeType(info)}, no regular file`);
    return await this.#call('open', name, () => open(fdPath(fd), O_RDONLY | O_NONBLOCK | O_NOCTTY), closeLate);
  }

  /** A new regular file; EEXIST when there is an entry. */
  async createFile(name: EntryName, mode: number): Promise<FileHandle> {
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK;
    const path = this.#path(name);
    const handle = await this.#call('create', name, () => open(path, flags, mode), closeLate);
    await this.#call('chmod', name, () => handle.chmod(mode)); // whatever the umask
    return handle;
  }

  /** Writes the file anew and puts it in the place of the old one, which whoever has it open keeps. */
  async replaceFile(name: string, content: string | Buffer, mode: number): Promise<void> {
    const fresh = `.${name}.new`;
    await this.unlink(fresh);
    await using file = await this.createFile(fresh, mode);
    await this.#call('write', name, () => file.writeFile(content));
    await this.rename(fresh, this, name);
  }

  /** Not sorted, `.` and `..` left out; what comes or goes meanwhile is told or not. Bounded memory. */
  async *entries(): AsyncGenerator<Dirent<Buffer>> {
    const path = Buffer.from(`${fdPath(this.fd)}/.`);
    const options = { encoding: 'buffer' as unknown as BufferEncoding, bufferSize: entriesBatch };
    const stream = await this.#call('read', '.', () => opendir(path, options), closeLate);
    const next = (): Promise<Dirent<Buffer>[]> => this.#call('read', '.', () => readBatch(stream));
    try {
      for (let batch = await next(); batch.length > 0; batch = await next()) yield* batch;
    } finally {
      await stream.close();
    }
  }

  lstat(name: EntryName): Promise<BigIntStats> {
    const path = this.#path(name);
    return this.#call('lstat', name, () => lstat(path, { bigint: true }));
  }

  /** The bytes of a link's target. */
  readlink(name: EntryName): Promise<Buffer> {
    const path = this.#path(name);
    return this.#call('readlink', name, () => readlink(path, { encoding: 'buffer' }));
  }

  /** With exactly this mode. EEXIST when there is an entry. */
  async makeDirectory(name: EntryName, mode: number): Promise<void> {
    const path = this.#path(name);
    await this.#call('mkdir', name, () => mkdir(path, { mode }));
    await using held = await this.hold(name);
    if (held.info.isDirectory()) await this.chmod(held, mode);
  }

  /** Of the entry that is held, not of what has its name now. Links have no mode. */
  async chmod({ fd }: HeldEntry, mode: number): Promise<void> {
    await this.#call('chmod', '.', () => chmod(fdPath(fd), mode));
  }

  /** Links too: the descriptor is the link itself. */
  async chown({ fd }: HeldEntry, { uid, gid }: { readonly uid: number; readonly gid: number }): Promise<void> {
    await this.#call('chown', '.', () => chown(fdPath(fd), uid, gid));
  }

  /** No such entry: nothing happens. */
  async unlink(name: EntryName): Promise<void> {
    const path = this.#path(name);
    await ignoreMissing(this.#call('unlink', name, () => unlink(path)));
  }

  /** An empty one. EBUSY when something is mounted on it. */
  async removeDirectory(name: EntryName): Promise<void> {
    const path = this.#path(name);
    await ignoreMissing(this.#call('rmdir', name, () => rmdir(path)));
  }

  async rename(name: EntryName, to: HeldDirectory, newName: EntryName): Promise<void> {
    const [from, target] = [this.#path(name), to.#path(newName)];
    await this.#call('rename', name, () => rename(from, target));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  async #open(name: EntryName, flags: number): Promise<FileHandle> {
    const path = this.#path(name);
    return await this.#call('open', name, () => open(path, flags), closeLate);
  }

  async #held(handle: FileHandle, name: EntryName): Promise<HeldEntry> {
    try {
      const info = await this.#call('stat', name, () => handle.stat({ bigint: true }));
      return { fd: handle.fd, info, [Symbol.asyncDispose]: () => handle.close() };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  #path(name: EntryName): Buffer {
    return Buffer.concat([Buffer.from(`${fdPath(this.fd)}/`), Buffer.from(checkedName(name))]);
  }

  #describe(name: EntryName): string {
    return shorten(`${this.where}/${name.toString()}`);
  }

  async #call<T>(what: string, name: EntryName, work: () => Promise<T>, discard?: (late: T) => void): Promise<T> {
    const place = this.#describe(name);
    try {
      return await this.gate.call(`${what} ${place}`, work, discard);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined || code === 'ETIMEDOUT') throw error;
      // Node's own message says a descriptor's number, and nothing that helps.
      throw Object.assign(new Error(`${message.split(',')[0]}, ${what} ${place}`), { code });
    }
  }
}

async function readBatch(stream: Dir): Promise<Dirent<Buffer>[]> {
  const batch: Dirent<Buffer>[] = [];
  for (let entry = await stream.read(); entry; entry = await stream.read()) {
    batch.push(entry as unknown as Dirent<Buffer>);
    if (batch.length === entriesBatch) break;
  }
  return batch;
}

/** Throws for what is not one component of a path: it would lead elsewhere. */
export function checkedName<N extends EntryName>(name: N): N {
  if (!isOneName(Buffer.from(name))) throw new RangeError(`not the name of an entry: ${JSON.stringify(shorten(name.toString()))}`);
  return name;
}

/** As the kernel takes it. */
function isOneName(bytes: Buffer): boolean {
  if (bytes.length === 0 || bytes.includes(0x2f) || bytes.includes(0)) return false;
  const text = bytes.toString('latin1');
  return text !== '.' && text !== '..';
}

export function shorten(place: string): string {
  return place.length <= whereCharsMax ? place : `${place.slice(0, whereCharsMax / 2)}…${place.slice(-whereCharsMax / 2)}`;
}

/** Nobody waits for it any more; one that can't be closed is no use to anybody either. */
const closeLate = (late: FileHandle | Dir): void =>
  detach(
    () => late.close(),
    () => undefined,
  );

export const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

export async function ignoreMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!isMissing(error)) throw error;
    return undefined;
  }
}

function describeType(info: BigIntStats): string {
  if (info.isDirectory()) return 'a directory';
  if (info.isSymbolicLink()) return 'a symbolic link';
  if (info.isFIFO()) return 'a named pipe';
  if (info.isSocket()) return 'a socket';
  return info.isFile() ? 'a file' : 'a device';
}

/** A regular file by its path; links in the parent directories are followed: they are the caller's own. */
export async function openFile(path: string, gate: FileGate): Promise<FileHandle> {
  await using directory = await HeldDirectory.open(dirname(path), gate);
  return await directory.openFile(basename(path));
}

/** The last bytes of a file, whatever its size. */
export async function readEnd(file: FileHandle, bytesMax: number): Promise<Buffer> {
  const { size } = await file.stat();
  const length = Math.min(size, bytesMax);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.subarray(0, bytesRead);
}

/** All of a file, or undefined when it is larger. */
export async function readAtMost(file: FileHandle, bytesMax: number): Promise<Buffer | undefined> {
  const buffer = Buffer.alloc(bytesMax + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    length += bytesRead;
    if (length > bytesMax) return undefined;
    if (bytesRead === 0) return buffer.subarray(0, length);
  }
}
