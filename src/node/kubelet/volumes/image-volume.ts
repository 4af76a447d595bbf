/**
 * image: the file system of an OCI image, read-only, mounted by the runtime itself.
 * Upstream: pkg/volume/image/image.go.
 */
import type { VolumePlugin } from './volume-plugin.ts';

export const imageVolume: VolumePlugin = {
  directory: 'kubernetes.io~image',
  supports: (volume) => volume.image !== undefined,
  async setUp({ volume }) {
    const { reference = '', pullPolicy } = volume.image ?? {};
    const latest = !/(?::(?!latest$)[^/:]+|@[^/]+)$/.test(reference);
    return { hostPath: '', readOnly: true, image: { image: reference, pullPolicy: pullPolicy ?? (latest ? 'Always' : 'IfNotPresent') } };
  },
};
