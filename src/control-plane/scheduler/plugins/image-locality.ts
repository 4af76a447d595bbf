/**
 * Prefers nodes that have the pod's images, the bigger the better, and the more nodes have them.
 * Upstream: plugins/imagelocality.
 */
import { defineClusterPlugin, scoreMax } from '../framework.ts';

const mib = 1024 * 1024;
const bytesMin = 23 * mib;
const bytesMaxPerContainer = 1000 * mib;

interface ScoreState {
  /** those of the pod's images that any node has */
  readonly images: readonly { readonly name: string; readonly spread: number }[];
  readonly bytesMax: number;
}

export const imageLocality = defineClusterPlugin<never, ScoreState>({
  name: 'ImageLocality',
  scope: 'cluster',
  weight: 1,
  preScore({ pod }, table) {
    const { containers, initContainers = [], volumes = [] } = pod.spec;
    const all = [...initContainers, ...containers];
    const references = [...all.map((container) => container.image ?? ''), ...volumes.flatMap((volume) => volume.image?.reference ?? [])];
    const images = references.flatMap((reference) => {
      const name = normalizedName(reference);
      const nodes = table.nodesWithImage(name);
      return nodes > 0 ? [{ name, spread: nodes / table.size }] : [];
    });
    return images.length ? { images, bytesMax: bytesMaxPerContainer * all.length } : undefined;
  },
  score(_pod, node, { images, bytesMax }) {
    let sum = 0;
    for (const { name, spread } of images) sum += Math.trunc((node.images.get(name) ?? 0) * spread);
    return Math.trunc((scoreMax * (Math.min(Math.max(sum, bytesMin), bytesMax) - bytesMin)) / (bytesMax - bytesMin));
  },
});

/** As nodes report them: with a tag. */
const normalizedName = (image: string): string => (image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image);
