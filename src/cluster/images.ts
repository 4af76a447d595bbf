/** Images of a running cluster's real nodes: loaded and listed through each node's own containerd. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { realClock } from '../client/clock.ts';
import { silentLog } from '../client/log.ts';
import type { ContainerRuntime } from '../node/runtime/container-runtime.ts';
import { containerdPaths } from '../node/runtime/containerd-config.ts';
import { createCriClient } from '../node/runtime/cri-client.ts';
import { ImageLoader } from '../node/runtime/images.ts';
import { detectSupport } from '../node/runtime/machine-support.ts';
import { realNodeName } from './identities.ts';
import type { Instance, InstanceState } from './instance.ts';
import { OperationError } from './operation-error.ts';

interface RealNode {
  readonly name: string;
  /** of its containerd */
  readonly dir: string;
}

export interface LoadedImages {
  readonly node: string;
  readonly images: readonly string[];
}

export async function loadImages(instance: Instance, state: InstanceState, files: readonly string[]): Promise<LoadedImages[]> {
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0) {
    throw new OperationError({
      code: 'no-such-file',
      message: `no such file: ${missing.join(', ')}`,
      fix: 'give OCI or docker archives (tar)',
    });
  }
  const nodes = realNodes(instance, state);
  if (nodes.length === 0) {
    throw new OperationError({
      code: 'no-real-nodes',
      message: 'this cluster has no real node: simulated ones need no images',
      fix: 'nothing to do: pods with any image become Running there',
    });
  }
  return Promise.all(nodes.map(async (node) => ({ node: node.name, images: await loadInto(node, files) })));
}

function realNodes(instance: Instance, state: InstanceState): RealNode[] {
  return Array.from({ length: state.nodes }, (_, i) => ({
    name: realNodeName(instance.name, i + 1),
    dir: join(instance.nodeDir(i + 1), 'containerd'),
  }));
}

async function loadInto({ dir }: RealNode, files: readonly string[]): Promise<string[]> {
  const { snapshotter } = await detectSupport({ containerd: 'containerd', dir });
  return withRuntime(dir, async (runtime, socket) => {
    const loader = new ImageLoader({ socket, ctr: 'ctr', snapshotter, dir, runtime, clock: realClock });
    const names: string[] = [];
    for (const file of files) names.push(...(await load(loader, file)));
    return names;
  });
}

async function load(loader: ImageLoader, file: string): Promise<readonly string[]> {
  try {
    return await loader.load(resolve(file));
  } catch (cause) {
    throw new OperationError({
      code: 'bad-archive',
      message: `${file} can't be loaded`,
      fix: 'give an OCI or docker archive (tar, also gzipped) that names its images, as `docker save NAME:TAG` writes it',
      cause,
    });
  }
}

export interface ListedImage {
  readonly node: string;
  readonly name: string;
  readonly sizeBytes: number;
}

/** One entry per name. */
export async function listImages(instance: Instance, state: InstanceState): Promise<ListedImage[]> {
  const perNode = realNodes(instance, state).map(({ name: node, dir }) =>
    withRuntime(dir, async (runtime) => {
      const images = await runtime.listImages();
      const named = images.flatMap(({ repoTags, repoDigests, size }) =>
        (repoTags.length > 0 ? repoTags : repoDigests).map((name) => ({ node, name, sizeBytes: size })),
      );
      return named.sort((a, b) => a.name.localeCompare(b.name));
    }),
  );
  return (await Promise.all(perNode)).flat();
}

async function withRuntime<T>(dir: string, work: (runtime: ContainerRuntime, socket: string) => Promise<T>): Promise<T> {
  const { socket } = containerdPaths(dir);
  const runtime = await createCriClient({ socket, clock: realClock, log: silentLog, cgroupDriver: 'cgroupfs' });
  try {
    return await work(runtime, socket);
  } finally {
    await runtime[Symbol.asyncDispose]();
  }
}
