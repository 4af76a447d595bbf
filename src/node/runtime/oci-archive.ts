/**
 * Assembles an image from files, without a registry, a builder or a daemon: an OCI layout with one layer, as a tar
 * archive that `timonier image load`, `ctr images import` and `docker load` take. Equal input gives equal bytes.
 * Specified in the OCI image specification (image-layout.md, manifest.md, config.md).
 */
import { createHash } from 'node:crypto';
import { normalizeImageName } from './image-name.ts';
import { type Architecture, hostArchitecture } from './pause-program.ts';
import { type TarFile, writeTar } from './tar.ts';

export interface ImageContent {
  /** `bakery:1` is stored as `docker.io/library/bakery:1` */
  readonly name: string;
  /** Parent directories are made. */
  readonly files: readonly TarFile[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  /** number or name, with `:group` */
  readonly user?: string;
  readonly stopSignal?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** default: the machine's */
  readonly architecture?: Architecture;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** As the OCI image specification names them. */
export const ociMediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
const blobPath = ({ digest }: Descriptor): string => `blobs/sha256/${digest.slice('sha256:'.length)}`;

export function buildImageArchive(source: ImageContent): Buffer {
  const blobs: TarFile[] = [];
  const addBlob = (mediaType: string, content: Buffer): Descriptor => {
    const descriptor = { mediaType, digest: `sha256:${sha256(content)}`, size: content.length };
    blobs.push({ path: blobPath(descriptor), content });
    return descriptor;
  };
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));

  const name = normalizeImageName(source.name);
  const platform = { architecture: source.architecture ?? hostArchitecture(), os: 'linux' };
  const layer = addBlob(ociMediaTypes.layer, writeTar(withParents(source.files)));
  const config = addBlob(
    ociMediaTypes.config,
    json({ ...platform, config: imageConfig(source), rootfs: { type: 'layers', diff_ids: [layer.digest] } }),
  );
  const manifest = addBlob(ociMediaTypes.manifest, json({ schemaVersion: 2, mediaType: ociMediaTypes.manifest, config, layers: [layer] }));
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1) };
  return writeTar([
    { path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
    {
      path: 'index.json',
      content: json({ schemaVersion: 2, mediaType: ociMediaTypes.index, manifests: [{ ...manifest, platform, annotations }] }),
    },
    { path: 'manifest.json', content: json([{ Config: blobPath(config), RepoTags: [name], Layers: [blobPath(layer)] }]) },
    ...blobs,
  ]);
}

function imageConfig({ entrypoint, cmd, env, workingDir, user, stopSignal, labels }: ImageContent): object {
  return {
    Env: Object.entries({ PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...env }).map(
      ([key, value]) => `${key}=${value}`,
    ),
    ...(entrypoint && { Entrypoint: entrypoint }),
    ...(cmd && { Cmd: cmd }),
    ...(workingDir && { WorkingDir: workingDir }),
    ...(user && { User: user }),
    ...(stopSignal && { StopSignal: stopSignal }),
    ...(labels && { Labels: labels }),
  };
}

/** Every directory once, before what is in it. */
function withParents(files: readonly TarFile[]): TarFile[] {
  const seen = new Set(files.filter(({ directory }) => directory).map(({ path }) => path.replace(/\/$/, '')));
  return files.flatMap((file) => {
    const parts = file.path.replace(/\/$/, '').split('/').slice(0, -1);
    const parents = parts.map((_, index) => parts.slice(0, index + 1).join('/')).filter((path) => !seen.has(path));
    for (const path of parents) seen.add(path);
    return [...parents.map((path) => ({ path, directory: true })), file];
  });
}
