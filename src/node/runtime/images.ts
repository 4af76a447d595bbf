/**
 * Puts images into containerd without a registry: those of archives (image-archive.ts), and the pause image that the
 * project builds itself; and takes them out again. Layers that containerd has are not given to it again. Goes through
 * containerd's own `ctr`, which is the same from 1.6 to 2.x.
 * An image comes in under a provisional name and gets its own when all of it is unpacked: one that can't be unpacked
 * leaves nothing, and an older one of its name stays.
 */
import { execFile, spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Clock } from '../../client/clock.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import { type ArchivedImage, archiveOf, BadArchive, type OpenArchive, readImageArchive, writeLayout } from './image-archive.ts';
import { buildImageArchive } from './oci-archive.ts';
import { hostArchitecture, pauseProgram } from './pause-program.ts';
import { endOf } from './program-end.ts';

const run = promisify(execFile);

/** The version is part of the name: a new program gets a new one. */
export const pauseImage = 'timonier.dev/pause:1';
const provisionalRepository = 'timonier.dev/loading';
const criNamespace = 'k8s.io';
/** of what `ctr` lists: a hundred bytes for each part of each image */
const listBytesMax = 64 * 2 ** 20;
/** how long the CRI plugin may take to notice an image that was imported */
const noticeMsMax = 5000;

export interface ImageLoaderOptions {
  readonly socket: string;
  readonly ctr: string;
  readonly snapshotter: string;
  readonly runtime: Pick<ContainerRuntime, 'imageStatus' | 'listImages' | 'removeImage'>;
  readonly clock: Clock;
}

/** An image that is all there, but that no pod finds yet: it is kept or dropped. */
export interface StagedImage {
  /** how many of its layers were there before */
  readonly layersThere: number;
  /** Under all these names (in full). */
  keep(names: readonly string[]): Promise<void>;
  drop(): Promise<void>;
}

export class ImageLoader {
  readonly #options: ImageLoaderOptions;
  #staged = 0;

  constructor(options: ImageLoaderOptions) {
    this.#options = options;
  }

  /** All of it unpacked, under no name of its own yet. Throws BadArchive where containerd can't unpack it. */
  async stage(image: ArchivedImage, open: OpenArchive): Promise<StagedImage> {
    const known = new Set((await this.#ctr('content', 'ls', '--quiet')).split('\n'));
    const has = new Set(image.layers.map(({ digest }) => digest).filter((digest) => known.has(digest)));
    const name = `${provisionalRepository}:${process.pid}-${++this.#staged}`;
    const id = image.configDigest;
    const hadID = (await this.#names()).includes(id);
    const drop = async (): Promise<void> => {
      if (!(await this.#names()).includes(name)) return;
      await this.#noticed(name); // only then has the CRI plugin given it an ID, which is a name too
      await this.#ctr('images', 'rm', '--sync', name, ...(hadID ? [] : [id]));
    };
    try {
      try {
        await this.#import(writeLayout(image, { open, names: [name], has }));
      } catch (error) {
        if (has.size === 0) throw error;
        await this.#import(writeLayout(image, { open, names: [name], has: new Set() })); // it may just have dropped some
      }
    } catch (error) {
      await drop();
      throw explainImport(image.name, error);
    }
    const keep = async (names: readonly string[]): Promise<void> => {
      await this.#ctr('images', 'tag', '--force', name, ...names);
      for (const each of names) await this.#noticed(each);
      await this.#ctr('images', 'rm', name);
    };
    return { layersThere: image.layers.filter(({ digest }) => has.has(digest)).length, keep, drop };
  }

  /** This name alone, and the image when it was its last. Says whether it was there. */
  async remove(name: string): Promise<boolean> {
    const { runtime } = this.#options;
    const image = await runtime.imageStatus(name);
    if (!image) return false;
    if (image.repoTags.some((tag) => tag !== name) && image.repoTags.includes(name)) await this.#ctr('images', 'rm', '--sync', name);
    else await runtime.removeImage(name);
    return true;
  }

  /** Those that were loaded (full names): no registry gives them to another node. */
  async loaded(): Promise<string[]> {
    const images = await this.#options.runtime.listImages();
    return images
      .filter(({ repoDigests }) => repoDigests.length === 0)
      .flatMap(({ repoTags }) => repoTags)
      .filter((name) => name !== pauseImage);
  }

  /** Into another containerd of this machine, under the same names. */
  async give(names: readonly string[], to: ImageLoader): Promise<void> {
    const child = spawn(this.#options.ctr, this.#words(['images', 'export', '-', ...names]), { stdio: ['ignore', 'pipe', 'pipe'] });
    const [{ code, said }] = await Promise.all([endOf(child), to.#import(child.stdout)]);
    if (code !== 0) throw new Error(`images can't be exported: ${said.at(-1)}`);
    for (const name of names) await to.#noticed(name);
  }

  /** All that an archive in memory holds; gives their full names. */
  async loadAll(archive: Buffer): Promise<string[]> {
    const open = archiveOf(archive);
    const images = await readImageArchive(open, hostArchitecture());
    for (const image of images) await (await this.stage(image, open)).keep([image.name]);
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
    const ended = endOf(child);
    const [given, { code, said }] = await Promise.all([
      pipeline(Readable.from(archive), child.stdin).catch((error: unknown) => error),
      ended,
    ]);
    if (code !== 0) throw new ImportFailed(said);
    if (given) throw given;
  }

  async #names(): Promise<string[]> {
    return (await this.#ctr('images', 'ls', '--quiet')).split('\n');
  }

  async #ctr(...args: readonly string[]): Promise<string> {
    const { stdout } = await run(this.#options.ctr, this.#words(args), { maxBuffer: listBytesMax });
    return stdout;
  }

  #words(args: readonly string[]): string[] {
    return ['--address', this.#options.socket, '--namespace', criNamespace, ...args];
  }
}

/** The message is the end of what `ctr` said. */
class ImportFailed extends Error {
  constructor(lines: readonly string[]) {
    super((lines.findLast((line) => line.startsWith('ctr: ')) ?? lines.at(-1) ?? '').replace(/^ctr: /, ''));
  }
}

const buildAgain = 'build or pull the image again, then save it';
const importFailures: readonly { readonly said: RegExp; readonly message: string; readonly fix: string }[] = [
  { said: /no space left/i, message: 'the node’s disk is full', fix: 'free some space: `timonier image rm NAME` takes an image away' },
  { said: /wrong diff ?id|mismatched? diff/i, message: 'a layer is not the one that its configuration names', fix: buildAgain },
  { said: /gzip: invalid|zstd|magic number/i, message: 'a layer is not compressed as its manifest says', fix: buildAgain },
  { said: /tar header|unexpected EOF|archive\/tar/i, message: 'a layer is no tar archive, as its manifest says it is', fix: buildAgain },
];

/** In words for people; whatever else went wrong stays as it is. */
function explainImport(name: string, error: unknown): unknown {
  if (!(error instanceof ImportFailed)) return error;
  const { message, fix } = importFailures.find(({ said }) => said.test(error.message)) ?? {
    message: `containerd can't unpack it: ${error.message}`,
    fix: buildAgain,
  };
  return new BadArchive(`${name}: ${message}`, fix, { cause: error });
}
