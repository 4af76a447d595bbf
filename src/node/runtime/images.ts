/**
 * Puts images into containerd without a registry: those of archives (image-archive.ts), and the pause image that the
 * project builds itself. Layers that containerd has are not given to it again. Goes through containerd's own `ctr`, which
 * is the same from 1.6 to 2.x.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Clock } from '../../client/clock.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import { type ArchivedImage, type OpenArchive, readImageArchive, writeLayout } from './image-archive.ts';
import { buildImageArchive } from './oci-archive.ts';
import { hostArchitecture, pauseProgram } from './pause-program.ts';

const run = promisify(execFile);

/** The version is part of the name: a new program gets a new one. */
export const pauseImage = 'timonier.dev/pause:1';
const criNamespace = 'k8s.io';
/** of what `ctr` lists: a hundred bytes for each part of each image */
const listBytesMax = 64 * 2 ** 20;
const errorBytesMax = 4096;
/** how long the CRI plugin may take to notice an image that was imported */
const noticeMsMax = 5000;

export interface ImageLoaderOptions {
  readonly socket: string;
  readonly ctr: string;
  readonly snapshotter: string;
  readonly runtime: Pick<ContainerRuntime, 'imageStatus'>;
  readonly clock: Clock;
}

export class ImageLoader {
  readonly #options: ImageLoaderOptions;

  constructor(options: ImageLoaderOptions) {
    this.#options = options;
  }

  /** Under all these names (in full). Gives how many of its layers were there. */
  async load(image: ArchivedImage, { open, names }: { readonly open: OpenArchive; readonly names: readonly string[] }): Promise<number> {
    const known = new Set((await this.#ctr('content', 'ls', '--quiet')).split('\n'));
    const has = new Set(image.layers.map(({ digest }) => digest).filter((digest) => known.has(digest)));
    try {
      await this.#import(writeLayout(image, { open, names, has }));
    } catch (error) {
      if (has.size === 0) throw error;
      await this.#import(writeLayout(image, { open, names, has: new Set() })); // it may just have dropped some
    }
    for (const name of names) await this.#noticed(name);
    return image.layers.filter(({ digest }) => has.has(digest)).length;
  }

  /** All that an archive in memory holds; gives their full names. */
  async loadAll(archive: Buffer): Promise<string[]> {
    const open: OpenArchive = async function* () {
      yield archive;
    };
    const images = await readImageArchive(open, hostArchitecture());
    for (const image of images) await this.load(image, { open, names: [image.name] });
    return images.map(({ name }) => name);
  }

  /** Cheap when it is there. */
  async ensurePauseImage(): Promise<void> {
    if (await this.#options.runtime.imageStatus(pauseImage)) return;
    const program = pauseProgram(hostArchitecture());
    const source = { name: pauseImage, files: [{ path: 'pause', content: program, mode: 0o755 }], entrypoint: ['/pause'] };
    await this.loadAll(buildImageArchive(source));
  }

  async #noticed(name: string): Promise<void> {
    const { runtime, clock } = this.#options;
    const endMs = clock.monotonic() + noticeMsMax;
    for (let delayMs = 5; !(await runtime.imageStatus(name)); delayMs *= 2) {
      if (clock.monotonic() > endMs) throw new Error(`the image ${name} was imported, but the runtime does not see it`);
      await clock.sleep(delayMs);
    }
  }

  async #import(archive: AsyncIterable<Buffer>): Promise<void> {
    const { ctr, snapshotter } = this.#options;
    const words = this.#words(['images', 'import', '--snapshotter', snapshotter, '-']);
    const child = spawn(ctr, words, { stdio: ['pipe', 'ignore', 'pipe'] });
    const ended = once(child, 'close') as Promise<[number | null]>;
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-errorBytesMax);
    });
    const [given, [code]] = await Promise.all([pipeline(Readable.from(archive), child.stdin).catch((error: unknown) => error), ended]);
    if (code !== 0) throw new Error(`containerd did not take the image: ${said.trim()}`);
    if (given) throw given;
  }

  async #ctr(...args: readonly string[]): Promise<string> {
    const { stdout } = await run(this.#options.ctr, this.#words(args), { maxBuffer: listBytesMax });
    return stdout;
  }

  #words(args: readonly string[]): string[] {
    return ['--address', this.#options.socket, '--namespace', criNamespace, ...args];
  }
}
