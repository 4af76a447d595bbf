/** Archives of images in the forms that different programs write, made by hand. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type TarFile, writeTar } from '../../src/node/runtime/tar.ts';

export interface Blob {
  readonly digest: string;
  readonly size: number;
  readonly content: Buffer;
}

export const blobOf = (content: Buffer | string | object): Blob => {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.length, content: bytes };
};

export const fileOf = ({ digest, content }: Blob): TarFile => ({ path: `blobs/sha256/${digest.slice(7)}`, content });
const describe = ({ digest, size }: Blob, mediaType: string) => ({ mediaType, digest, size });
const oci = (kind: string): string => `application/vnd.oci.image.${kind}`;

export interface Image {
  readonly manifest: Blob;
  readonly config: Blob;
  readonly layers: readonly Blob[];
}

/** An image of these layers, which are tar archives. */
export function imageOf(
  layers: readonly Buffer[],
  architecture: string,
  options: { readonly gzip?: boolean; readonly config?: object } = {},
): Image {
  const blobs = layers.map((layer) => blobOf(options.gzip ? gzipSync(layer) : layer));
  const config = blobOf({
    architecture,
    os: 'linux',
    config: options.config ?? {},
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => blobOf(layer).digest) },
  });
  const type = options.gzip ? 'layer.v1.tar+gzip' : 'layer.v1.tar';
  const manifest = blobOf({
    schemaVersion: 2,
    mediaType: oci('manifest.v1+json'),
    config: describe(config, oci('config.v1+json')),
    layers: blobs.map((blob) => describe(blob, oci(type))),
  });
  return { manifest, config, layers: blobs };
}

export const filesOf = ({ manifest, config, layers }: Image): TarFile[] => [manifest, config, ...layers].map(fileOf);

const layout: TarFile = { path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' };
const indexFile = (manifests: readonly object[]): TarFile => ({
  path: 'index.json',
  content: JSON.stringify({ schemaVersion: 2, mediaType: oci('index.v1+json'), manifests }),
});

/** As buildx and skopeo write it. */
export const ociLayout = (image: Image, annotations: object): Buffer =>
  writeTar([...filesOf(image), indexFile([{ ...describe(image.manifest, oci('manifest.v1+json')), annotations }]), layout]);

/**
 * As Docker writes it from containerd's store (the default from 29 on): an index in the index, with a manifest for each
 * platform, of which one alone is there, and an attestation.
 */
export function dockerStore(
  name: string,
  held: Image,
  platforms: readonly { readonly architecture: string; readonly image: Image }[],
): Buffer {
  const statement = blobOf({ _type: 'https://in-toto.io/Statement/v0.1' });
  const attestation = blobOf({
    schemaVersion: 2,
    mediaType: oci('manifest.v1+json'),
    config: describe(blobOf('{}'), oci('config.v1+json')),
    layers: [describe(statement, 'application/vnd.in-toto+json')],
  });
  const index = blobOf({
    schemaVersion: 2,
    mediaType: oci('index.v1+json'),
    manifests: [
      {
        ...describe(attestation, oci('manifest.v1+json')),
        annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': held.manifest.digest },
        platform: { architecture: 'unknown', os: 'unknown' },
      },
      ...platforms.map(({ architecture, image }) => ({
        ...describe(image.manifest, oci('manifest.v1+json')),
        platform: { architecture, os: 'linux' },
      })),
    ],
  });
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1) };
  const blobs = [index, attestation, statement, blobOf('{}')].map(fileOf);
  return writeTar([...blobs, ...filesOf(held), indexFile([{ ...describe(index, oci('index.v1+json')), annotations }]), layout]);
}

/** As `docker save` did before 25, and `podman save` does: no manifests, and a layer that is there twice is a link. */
export function dockerSave(
  images: readonly { readonly image: Image; readonly names: readonly string[] | null }[],
  { links = false } = {},
): Buffer {
  const written = new Map<string, string>();
  const files: TarFile[] = [];
  const manifest = images.map(({ image, names }, number) => {
    const Config = `${image.config.digest.slice(7)}.json`;
    files.push({ path: Config, content: image.config.content });
    const Layers = image.layers.map((layer, i) => {
      const path = links ? `${number}-${i}/layer.tar` : `${layer.digest.slice(7)}.tar`;
      const before = written.get(layer.digest);
      if (before === undefined) files.push({ path, content: layer.content });
      else if (links) files.push({ path, link: `../${before}` });
      written.set(layer.digest, before ?? path);
      return path;
    });
    return { Config, RepoTags: names, Layers };
  });
  return writeTar([...files, { path: 'manifest.json', content: JSON.stringify(manifest) }]);
}
