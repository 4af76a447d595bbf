/** Images of a running cluster's real nodes: loaded, listed and removed through each node's own containerd. */
import type { Readable } from 'node:stream';
import { realClock } from '../../client/clock.ts';
import { silentLog } from '../../client/log.ts';
import type { ContainerRuntime } from '../../node/runtime/container-runtime.ts';
import { createCriClient } from '../../node/runtime/cri-client.ts';
import { type ArchivedImage, archiveOf, BadArchive, type OpenArchive, readImageArchive } from '../../node/runtime/image-archive.ts';
import { normalizeImageName } from '../../node/runtime/image-name.ts';
import { ImageLoader, pauseImage } from '../../node/runtime/images.ts';
import { detectSupport } from '../../node/runtime/machine-support.ts';
import { hostArchitecture } from '../../node/runtime/pause-program.ts';
import { containerdDir, containerdOf, type Instance, type InstanceState, realNodesOf } from '../instance/instance.ts';
import { OperationError } from '../operation-error.ts';
import { type ImageSource, openImageSource } from './image-sources.ts';

interface NodeLoader {
  readonly node: string;
  readonly loader: ImageLoader;
}

export interface LoadedImage {
  readonly image: string;
  readonly sizeBytes: number;
  readonly layers: number;
  readonly durationMs: number;
  readonly nodes: readonly { readonly node: string; readonly layersThere: number }[];
}

interface LoadOptions {
  /** files, names of images, `-`; or archives themselves */
  readonly sources: readonly (string | Buffer)[];
  readonly stdin: Readable;
  readonly onLoaded: (loaded: LoadedImage) => void;
}

/** Into all real nodes at once, one image after the other. */
export async function loadImages(instance: Instance, state: InstanceState, { sources, stdin, onLoaded }: LoadOptions): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const loaders = await loadersOf(instance, state, stack);
  for (const word of sources) {
    await using source = await openSource(word, () =>
      Buffer.isBuffer(word) ? inMemory(word) : openImageSource(word, { dir: instance.dir, stdin }),
    );
    const { open } = source;
    const images = await openSource(word, () => readImageArchive(open, hostArchitecture()));
    for (const image of images) {
      const startMs = realClock.monotonic();
      const names = imageNamesOf(image, images.length === 1 ? source : {});
      const staged = await openSource(word, () => stageOnAll(loaders, image, open));
      for (const each of staged) await each.keep(names);
      onLoaded({
        image: names.at(-1) ?? image.name,
        sizeBytes: image.layers.reduce((sum, { size }) => sum + size, image.config.length),
        layers: image.layers.length,
        durationMs: Math.round(realClock.monotonic() - startMs),
        nodes: staged.map(({ node, layersThere }) => ({ node, layersThere })),
      });
    }
  }
}

/** On every node, or on none. */
async function stageOnAll(loaders: readonly NodeLoader[], image: ArchivedImage, open: OpenArchive) {
  const tried = await Promise.allSettled(loaders.map(async ({ node, loader }) => ({ node, ...(await loader.stage(image, open)) })));
  const staged = tried.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = tried.find((each) => each.status === 'rejected');
  if (!failed) return staged;
  await Promise.all(staged.map((each) => each.drop()));
  throw failed.reason;
}

/** Its own, and what it was asked for by: Podman finds `localhost/a:1` as `a:1`, and pods will ask for `a:1`. */
const imageNamesOf = (image: ArchivedImage, { name }: Pick<ImageSource, 'name'>): string[] => [
  ...new Set([image.name, name ?? image.name]),
];

const inMemory = async (archive: Buffer): Promise<ImageSource> => ({
  open: archiveOf(archive),
  [Symbol.asyncDispose]: async () => undefined,
});

async function openSource<T>(word: string | Buffer, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof BadArchive)) throw error;
    const what = Buffer.isBuffer(word) ? 'the image' : word === '-' ? 'what is piped in' : word;
    const message = `${what} can't be loaded: ${error.message}`;
    throw new OperationError({ code: 'bad-archive', message, fix: error.fix });
  }
}

async function loadersOf(instance: Instance, state: InstanceState, stack: AsyncDisposableStack): Promise<NodeLoader[]> {
  const nodes = realNodesOf(instance, state);
  if (nodes.length === 0) {
    throw new OperationError({
      code: 'no-real-nodes',
      message: `cluster "${instance.name}" has no real node: simulated ones need no images`,
      fix: 'nothing to do: pods with any image become Running there',
    });
  }
  return Promise.all(nodes.map(async ({ name, dir }) => ({ node: name, loader: await loaderOf(dir, stack) })));
}

/** What was loaded into the first of these nodes and others lack, as those that are new: gives how many images. By their directories. */
export async function shareLoaded(dirs: readonly string[]): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const [first, ...others] = await Promise.all(dirs.map((dir) => loaderOf(dir, stack)));
  const there = (await first?.loaded()) ?? [];
  const given = await Promise.all(
    others.map(async (other) => {
      const has = new Set(await other.loaded());
      const lacking = there.filter((name) => !has.has(name));
      if (lacking.length > 0) await first?.give(lacking, other);
      return lacking;
    }),
  );
  return new Set(given.flat()).size;
}

async function loaderOf(dir: string, stack: AsyncDisposableStack): Promise<ImageLoader> {
  const { snapshotter } = await detectSupport({ containerd: 'containerd', dir: containerdDir(dir) });
  const runtime = stack.use(await runtimeOf(dir));
  return new ImageLoader({ socket: containerdOf(dir).socket, ctr: 'ctr', snapshotter, runtime, clock: realClock });
}

/** From all nodes; each is told when it is gone. */
export async function removeImages(
  instance: Instance,
  state: InstanceState,
  { names, onRemoved }: { readonly names: readonly string[]; readonly onRemoved: (removed: RemovedImage) => void },
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const loaders = await loadersOf(instance, state, stack);
  for (const word of names) {
    const image = normalizeImageName(word);
    if (image === pauseImage)
      throw new OperationError({ code: 'image-needed', message: `every pod needs ${word}`, fix: 'leave it: it is part of the node' });
    const had = await Promise.all(loaders.map(async ({ node, loader }) => ((await loader.remove(image)) ? [node] : [])));
    const nodes = had.flat();
    if (nodes.length === 0)
      throw new OperationError({
        code: 'no-such-image',
        message: `no node has an image "${word}"`,
        fix: '`timonier image ls` says what there is',
      });
    onRemoved({ image, nodes });
  }
}

export interface RemovedImage {
  /** in full */
  readonly image: string;
  readonly nodes: readonly string[];
}

export interface ListedImage {
  readonly node: string;
  readonly name: string;
  readonly sizeBytes: number;
}

/** One entry per name and node. */
export async function listImages(instance: Instance, state: InstanceState): Promise<ListedImage[]> {
  const perNode = realNodesOf(instance, state).map(async ({ name: node, dir }) => {
    await using runtime = await runtimeOf(dir);
    const named = (await runtime.listImages()).flatMap(({ repoTags, repoDigests, size }) =>
      (repoTags.length > 0 ? repoTags : repoDigests).map((name) => ({ node, name, sizeBytes: size })),
    );
    return named.sort((a, b) => a.name.localeCompare(b.name));
  });
  return (await Promise.all(perNode)).flat();
}

const runtimeOf = (dir: string): Promise<ContainerRuntime & AsyncDisposable> =>
  createCriClient({ socket: containerdOf(dir).socket, clock: realClock, log: silentLog, cgroupDriver: 'cgroupfs' });
