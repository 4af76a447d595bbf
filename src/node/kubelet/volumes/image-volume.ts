/**
 * image: the file system of an OCI image, read-only, mounted by the runtime itself.
 * Upstream: pkg/volume/image/image.go. No runtime says in its features whether it can, so its version tells.
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

/** The first containerd that mounts images. Of other runtimes nothing is known. */
const containerdMin = { major: 2, minor: 1 } as const;

/** Why the runtime (`containerd://1.6.20`) can't, or undefined. */
export function imageVolumeProblem(runtimeVersion: string): string | undefined {
  const [, major, minor] = /^containerd:\/\/v?(\d+)\.(\d+)/.exec(runtimeVersion)?.map(Number) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  if (major > containerdMin.major || (major === containerdMin.major && minor >= containerdMin.minor)) return undefined;
  return `image volumes are not supported by the container runtime ${runtimeVersion}: they need containerd ${containerdMin.major}.${containerdMin.minor}`;
}
