/**
 * Puts images into containerd without a registry: archives from a file or a stream (OCI layout or `docker save`, plain
 * or gzipped), and the pause image that the project builds itself. Goes through containerd's own `ctr`, which is the
 * same from 1.6 to 2.x.
 */

import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { parseJSON } from '../../api/schema/json-scan.ts';
import type { Clock } from '../../client/clock.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import { normalizeImageName } from './image-name.ts';
import { buildImageArchive } from './oci-archive.ts';
import { hostArchitecture, pauseProgram } from './pause-program.ts';
import { readTar } from './tar.ts';

const run = promisify(execFile);

/** The version is part of the name: a new program gets a new one. */
export const pauseImage = 'timonier.dev/pause:1';
const criNamespace = 'k8s.io';
const gzipMagic = Buffer.from([0x1f, 0x8b]);
/** more than any description of an image archive needs */
const descriptionBytesMax = 4 * 2 ** 20;
/** how long the CRI plugin may take to notice an image that was imported */
const noticeMsMax = 5000;

export interface ImageLoaderOptions {
  readonly socket: string;
  readonly ctr: string;
  readonly snapshotter: string;
  /** for temporary files */
  readonly dir: string;
  readonly runtime: Pick<ContainerRuntime, 'imageStatus'>;
  readonly clock: Clock;
}

export interface NamedImage {
  /** as the archive has it */
  readonly name: string;
  /** of the manifest or index; docker archives have none */
  readonly digest?: string;
}

export class ImageLoader {
  readonly #options: ImageLoaderOptions;

  constructor(options: ImageLoaderOptions) {
    this.#options = options;
  }

  /** Gives the full names of the images that are there now. */
  async load(archive: string | Readable | Buffer): Promise<readonly string[]> {
    const dir = await mkdtemp(join(this.#options.dir, 'image-'));
    try {
      const file = await plainFile(archive, join(dir, 'archive.tar'));
      const images = await readArchiveNames(file);
      if (images.length === 0) throw new Error('the archive names no image: save it with a name, as in `docker save NAME:TAG`');
      await this.#ctr('images', 'import', '--snapshotter', this.#options.snapshotter, file);
      const known = new Set((await this.#ctr('images', 'ls', '--quiet')).split('\n'));
      const names = [...new Set(images.map(({ name }) => normalizeImageName(name)))];
      for (const { name } of images) {
        const full = normalizeImageName(name);
        if (!known.has(full) && known.has(name)) await this.#ctr('images', 'tag', name, full);
      }
      for (const name of names) await this.#noticed(name);
      return names;
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  /** Cheap when it is there. */
  async ensurePauseImage(): Promise<void> {
    if (await this.#options.runtime.imageStatus(pauseImage)) return;
    const program = pauseProgram(hostArchitecture());
    await this.load(
      buildImageArchive({ name: pauseImage, files: [{ path: 'pause', content: program, mode: 0o755 }], entrypoint: ['/pause'] }),
    );
  }

  async #noticed(name: string): Promise<void> {
    const { runtime, clock } = this.#options;
    const endMs = clock.monotonic() + noticeMsMax;
    for (let delayMs = 5; !(await runtime.imageStatus(name)); delayMs *= 2) {
      if (clock.monotonic() > endMs) throw new Error(`the image ${name} was imported, but the runtime does not see it`);
      await clock.sleep(delayMs);
    }
  }

  async #ctr(...args: readonly string[]): Promise<string> {
    const { ctr, socket } = this.#options;
    const { stdout } = await run(ctr, ['--address', socket, '--namespace', criNamespace, ...args], { maxBuffer: descriptionBytesMax });
    return stdout;
  }
}

interface Index {
  readonly manifests?: readonly { readonly digest: string; readonly annotations?: Readonly<Record<string, string>> }[];
}
type DockerManifest = readonly { readonly RepoTags?: readonly string[] | null }[];

/** The names that an archive gives its images: from `index.json` (OCI), else from `manifest.json` (docker). */
export async function readArchiveNames(file: string): Promise<NamedImage[]> {
  const descriptions = new Map<string, string>();
  for await (const { path, content } of readTar(createReadStream(file), descriptionBytesMax)) {
    if ((path === 'index.json' || path === 'manifest.json') && content) descriptions.set(path, content.toString());
  }
  const index = parseJSON(descriptions.get('index.json') ?? '{}') as Index;
  const named = (index.manifests ?? []).flatMap(({ digest, annotations = {} }) => {
    const name = annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'];
    return name ? [{ name, digest }] : [];
  });
  if (named.length > 0) return named;
  const manifest = parseJSON(descriptions.get('manifest.json') ?? '[]') as DockerManifest;
  return manifest.flatMap(({ RepoTags }) => (RepoTags ?? []).map((name) => ({ name })));
}

/** `ctr` reads uncompressed archives from files: the archive itself if it is one, else what is written to `copy`. */
async function plainFile(archive: string | Readable | Buffer, copy: string): Promise<string> {
  const source = typeof archive === 'string' ? createReadStream(archive) : Buffer.isBuffer(archive) ? Readable.from([archive]) : archive;
  const [first, whole] = await peek(source);
  const compressed = first.subarray(0, gzipMagic.length).equals(gzipMagic);
  if (typeof archive === 'string' && !compressed) {
    source.destroy();
    return archive;
  }
  if (compressed) await pipeline(whole, createGunzip(), createWriteStream(copy));
  else await pipeline(whole, createWriteStream(copy));
  return copy;
}

/** The first bytes of a stream, and all of it again. */
async function peek(source: Readable): Promise<readonly [Buffer, AsyncIterable<Buffer>]> {
  const parts = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let first: Buffer = Buffer.alloc(0);
  while (first.length < gzipMagic.length) {
    const next = await parts.next();
    if (next.done) break;
    first = Buffer.concat([first, next.value]);
  }
  async function* whole(): AsyncGenerator<Buffer> {
    yield first;
    for (let next = await parts.next(); !next.done; next = await parts.next()) yield next.value;
  }
  return [first, whole()];
}
