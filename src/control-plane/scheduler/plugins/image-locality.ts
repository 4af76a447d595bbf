/** Prefers nodes that have the pod's images, the bigger the better, and the more nodes have them. Upstream: plugins/imagelocality. */
import { type NodePlugin, scoreMax } from '../framework.ts';

const mib = 1024 * 1024;
const bytesMin = 23 * mib;
const bytesMaxPerContainer = 1000 * mib;

export const imageLocality: NodePlugin = {
  name: 'ImageLocality',
  scope: 'node',
  unblockedBy: [],
  weight: 1,
  score(pod, node, table) {
    if (node.images.size === 0) return 0;
    const { containers, initContainers = [], volumes = [] } = pod.pod.spec;
    const all = [...initContainers, ...containers];
    const references = [...all.map((container) => container.image ?? ''), ...volumes.flatMap((volume) => volume.image?.reference ?? [])];
    let sum = 0;
    for (const reference of references) {
      const name = normalizedName(reference);
      const bytes = node.images.get(name);
      if (bytes !== undefined) sum += Math.trunc((bytes * table.nodesWithImage(name)) / table.size);
    }
    const bytesMax = bytesMaxPerContainer * all.length;
    return Math.trunc((scoreMax * (Math.min(Math.max(sum, bytesMin), bytesMax) - bytesMin)) / (bytesMax - bytesMin));
  },
};

/** As nodes report them: with a tag. */
const normalizedName = (image: string): string => (image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image);
