/** Images of a running cluster's real nodes: loaded through each node's own containerd, listed as the nodes report them. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Node } from '../api/generated/kinds.ts';
import { realClock, realRandom } from '../client/clock.ts';
import { createHTTPClient } from '../client/http-client.ts';
import { accessOf, parseKubeconfig } from '../client/kubeconfig.ts';
import { silentLog } from '../client/log.ts';
import { containerdPaths } from '../node/runtime/containerd-config.ts';
import { createCriClient } from '../node/runtime/cri-client.ts';
import { ImageLoader } from '../node/runtime/images.ts';
import { detectSupport } from '../node/runtime/machine-support.ts';
import type { Instance } from './instance.ts';
import { OperationError } from './operation-error.ts';

export interface LoadedImages {
  readonly node: string;
  readonly images: readonly string[];
}

export async function loadImages(instance: Instance, files: readonly string[]): Promise<LoadedImages[]> {
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length)
    throw new OperationError({
      code: 'no-such-file',
      message: `no such file: ${missing.join(', ')}`,
      fix: 'give OCI or docker archives (tar)',
    });
  const nodes = realNodes(instance);
  if (nodes.length === 0) {
    throw new OperationError({
      code: 'no-real-nodes',
      message: 'this cluster has no real node: simulated ones need no images',
      fix: 'nothing to do: pods with any image become Running there',
    });
  }
  return Promise.all(nodes.map(async (node) => ({ node, images: await loadInto(join(instance.nodeDir(node), 'containerd'), files) })));
}

const realNodes = (instance: Instance): string[] => {
  const dir = join(instance.dir, 'nodes');
  return existsSync(dir) ? readdirSync(dir).sort() : [];
};

async function loadInto(dir: string, files: readonly string[]): Promise<string[]> {
  const { socket } = containerdPaths(dir);
  const { snapshotter } = await detectSupport({ containerd: 'containerd', dir });
  const runtime = await createCriClient({ socket, clock: realClock, log: silentLog, cgroupDriver: 'cgroupfs' });
  try {
    const loader = new ImageLoader({ socket, ctr: 'ctr', snapshotter, dir, runtime, clock: realClock });
    const names: string[] = [];
    for (const file of files) names.push(...(await loader.load(resolve(file))));
    return names;
  } finally {
    await runtime[Symbol.asyncDispose]();
  }
}

export interface ListedImage {
  readonly node: string;
  readonly name: string;
  readonly sizeBytes: number;
}

export async function listImages(kubeconfig: string): Promise<ListedImage[]> {
  const access = await accessOf(await parseKubeconfig(kubeconfig));
  const client = createHTTPClient({ ...access, clock: realClock, random: realRandom, log: silentLog });
  try {
    const { items } = await client.list(Node);
    return items.flatMap((node) =>
      (node.status.images ?? []).map((image) => {
        const names = image.names ?? [];
        return {
          node: node.metadata.name,
          name: names.find((name) => !name.includes('@')) ?? names[0] ?? '<none>',
          sizeBytes: image.sizeBytes ?? 0,
        };
      }),
    );
  } finally {
    await client[Symbol.asyncDispose]();
  }
}
