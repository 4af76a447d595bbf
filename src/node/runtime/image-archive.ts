/**
 * What an archive of images holds, whoever wrote it: an OCI layout (buildx, skopeo, Docker with containerd's store), what
 * `docker save` and `podman save` write, or both in one. Each image is brought to one form: a manifest for one platform,
 * and where its parts lie in the archive. Everything is checked by its digest, so that a damaged archive is found here.
 * Deliberately without signatures and attestations, which are no images.
 * Specified in the OCI image specification (image-layout.md, image-index.md, manifest.md); `docker save`: moby,
 * image/spec/v1.2.md.
 */
import { createHash } from 'node:crypto';
import { parseJSON } from '../../api/schema/json-scan.ts';
import { isImageName, normalizeImageName } from './image-name.ts';
import { ociMediaTypes } from './oci-archive.ts';
import { copyTar, readTar, TarCutOff, TarEmpty, type TarFile, TarFollowed, writeTar } from './tar.ts';

/** Read several times: each call begins anew. */
export type OpenArchive = () => AsyncIterable<Buffer>;

/** One in memory. */
export const archiveOf = (content: Buffer): OpenArchive =>
  async function* () {
    yield content;
  };

export interface Platform {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
}

interface Descriptor {
  readonly mediaType?: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface ArchivedImage {
  /** in full */
  readonly name: string;
  readonly manifest: Buffer;
  readonly config: Buffer;
  /** by which the runtime knows it, whatever its names */
  readonly configDigest: string;
  readonly layers: readonly ArchivedLayer[];
}

export interface ArchivedLayer {
  readonly digest: string;
  readonly size: number;
  /** where it lies in the archive */
  readonly path: string;
}

/** An archive that can't be used, in words for people. */
export class BadArchive extends Error {
  override readonly name = 'BadArchive';
  readonly fix: string;

  constructor(message: string, fix: string, options?: ErrorOptions) {
    super(message, options);
    this.fix = fix;
  }
}

const saveAgain = 'write it again: docker save NAME:TAG -o FILE';
const noTar = ['it is no archive of images', 'give a tar archive: docker save NAME:TAG -o FILE'] as const;
const wrongTars = [
  [TarEmpty, ['it is empty', noTar[1]]],
  [TarCutOff, ['the archive is cut off', saveAgain]],
  [TarFollowed, ['more follows where the archive ends', 'load archives one by one: timonier image load FILE FILE']],
] as const;
/** more than any description of an image needs */
const descriptionBytesMax = 4 * 2 ** 20;
export const gzipMagic = Buffer.from([0x1f, 0x8b]);
export const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

const sha256 = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

interface Part {
  readonly path: string;
  readonly digest: string;
  readonly size: number;
  readonly compression: '' | '+gzip' | '+zstd';
  /** of small ones */
  readonly content?: Buffer | undefined;
}

/** The files of an archive by digest and by path; links lead to what they mean. */
class Parts {
  readonly byPath = new Map<string, Part>();
  readonly byDigest = new Map<string, Part>();

  json<T>(part: Part | undefined, what: string): T {
    if (!part?.content) throw new BadArchive(`${what} is not in the archive`, saveAgain);
    try {
      return parseJSON(part.content.toString()) as T;
    } catch (cause) {
      throw new BadArchive(`${what} is damaged`, saveAgain, { cause });
    }
  }
}

/** The images for this platform, one for each name. Throws BadArchive. */
export async function readImageArchive(open: OpenArchive, architecture: string): Promise<ArchivedImage[]> {
  const parts = await readParts(open);
  const index = parts.byPath.get('index.json');
  const named = index ? namedManifests(parts.json<{ manifests?: readonly Descriptor[] }>(index, 'index.json').manifests ?? []) : [];
  const saved = parts.byPath.get('manifest.json');
  if (!index && !saved)
    throw new BadArchive('it is a tar archive, but holds no image', 'give one that `docker save`, `podman save` or buildx wrote');
  const images = named.length > 0 ? named.map((each) => fromLayout(parts, each, architecture)) : saved ? fromSaved(parts, saved) : [];
  if (images.length === 0) throw new BadArchive('the archive names no image', 'save it by its name: docker save NAME:TAG -o FILE');
  for (const { name } of images)
    if (!isImageName(name)) throw new BadArchive(`"${name}" is no name of an image`, 'name it in lower case: docker tag ID NAME:TAG');
  for (const { name, config } of images) checkPlatform(name, parseJSON(config.toString()) as Platform, architecture);
  return images;
}

async function readParts(open: OpenArchive): Promise<Parts> {
  const parts = new Parts();
  const links: { path: string; target: string }[] = [];
  try {
    for await (const { path, size, content, digest, start, link } of readTar(open(), descriptionBytesMax)) {
      if (link !== undefined) links.push({ path, target: link });
      else {
        const compression = start.subarray(0, 2).equals(gzipMagic) ? '+gzip' : start.equals(zstdMagic) ? '+zstd' : '';
        const part: Part = { path, digest, size, compression, content };
        parts.byPath.set(path, part);
        parts.byDigest.set(digest, part);
        if (/^blobs\/sha256\/[0-9a-f]{64}$/.test(path) && path.slice('blobs/sha256/'.length) !== digest.slice('sha256:'.length))
          throw new BadArchive(`a part of the archive is damaged: ${path}`, saveAgain);
      }
    }
  } catch (cause) {
    if (cause instanceof BadArchive || !(cause instanceof RangeError)) throw cause;
    const [message, fix] = wrongTars.find(([of]) => cause instanceof of)?.[1] ?? noTar;
    throw new BadArchive(message, fix, { cause });
  }
  for (const { path, target } of links) {
    const part = parts.byPath.get(resolveLink(path, target)) ?? parts.byPath.get(target.replace(/^\.?\//, ''));
    if (part) parts.byPath.set(path, part);
  }
  return parts;
}

/** `a/layer.tar` and `../b/layer.tar` are `b/layer.tar`. */
function resolveLink(path: string, target: string): string {
  const steps = path.split('/').slice(0, -1);
  for (const step of target.split('/')) {
    if (step === '..') steps.pop();
    else if (step !== '.' && step !== '') steps.push(step);
  }
  return steps.join('/');
}

interface NamedDescriptor {
  readonly name: string;
  readonly descriptor: Descriptor;
}

function namedManifests(manifests: readonly Descriptor[]): NamedDescriptor[] {
  return manifests.flatMap((descriptor) => {
    const { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': ref } = descriptor.annotations ?? {};
    const full = name ?? (ref !== undefined && /[:/]/.test(ref) ? ref : undefined); // else it is a tag alone
    return full === undefined ? [] : [{ name: normalizeImageName(full), descriptor }];
  });
}

function fromLayout(parts: Parts, { name, descriptor }: NamedDescriptor, architecture: string): ArchivedImage {
  const part = manifestFor(parts, { name, descriptor }, architecture);
  const { config, layers } = parts.json<Manifest>(part, `the manifest of ${name}`);
  const partOf = ({ digest }: Descriptor): Part => parts.byDigest.get(digest) ?? throwLacking(name, digest, architecture);
  const { content = throwLacking(name, config.digest, architecture) } = partOf(config);
  const { content: manifest = throwLacking(name, descriptor.digest, architecture) } = part;
  return {
    name,
    manifest,
    config: content,
    configDigest: config.digest,
    layers: layers.map((layer) => ({ digest: layer.digest, size: layer.size, path: partOf(layer).path })),
  };
}

function throwLacking(name: string, digest: string, architecture: string): never {
  throw new BadArchive(`${name}: the archive lacks ${digest}`, `pull the image for linux/${architecture}, then save it`);
}

/** Follows indexes to the manifest of this platform. */
function manifestFor(parts: Parts, { name, descriptor }: NamedDescriptor, architecture: string): Part {
  const there = parts.byDigest.get(descriptor.digest);
  if (!/index|manifest\.list/.test(descriptor.mediaType ?? '')) return there ?? throwLacking(name, descriptor.digest, architecture);
  const { manifests = [] } = parts.json<{ manifests?: readonly Descriptor[] }>(there, `the index of ${name}`);
  const images = manifests.filter(({ platform }) => platform?.os !== 'unknown'); // attestations are of no platform
  const mine = images.filter(({ platform }) => platform === undefined || isFor(platform, architecture));
  const found = mine.find(({ digest }) => parts.byDigest.has(digest));
  if (found) return manifestFor(parts, { name, descriptor: found }, architecture);
  const held = images.filter(({ digest }) => parts.byDigest.has(digest)).map(({ platform }) => describePlatform(platform));
  throw otherPlatform(name, held, architecture);
}

const isFor = ({ os, architecture: its }: Platform, architecture: string): boolean => (os ?? 'linux') === 'linux' && its === architecture;
const describePlatform = ({ os = 'linux', architecture = '?', variant }: Platform = {}): string =>
  [os, architecture, variant].filter(Boolean).join('/');

function checkPlatform(name: string, platform: Platform, architecture: string): void {
  if (platform.architecture !== undefined && !isFor(platform, architecture))
    throw otherPlatform(name, [describePlatform(platform)], architecture);
}

function otherPlatform(name: string, held: readonly string[], architecture: string): BadArchive {
  const message = `${name} is for ${held.join(', ') || 'no platform'}; the nodes are linux/${architecture}`;
  return new BadArchive(message, `build or pull it for them: --platform linux/${architecture}`);
}

type SavedImages = readonly {
  readonly Config: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Layers?: readonly string[] | null;
}[];

/** The form of `docker save` before it was a layout, which has no manifests of OCI's kind: they are made here. */
function fromSaved(parts: Parts, saved: Part): ArchivedImage[] {
  return parts.json<SavedImages>(saved, 'manifest.json').flatMap(({ Config, RepoTags, Layers }) => {
    const config = parts.byPath.get(Config);
    const layers = (Layers ?? []).map((path) => {
      const part = parts.byPath.get(path);
      if (!part) throw new BadArchive(`the archive lacks ${path}`, saveAgain);
      const { digest, size, compression } = part;
      return { mediaType: `${ociMediaTypes.layer}${compression}`, digest, size, path: part.path };
    });
    if (!config?.content) throw new BadArchive(`the archive lacks ${Config}`, saveAgain);
    const { content, digest, size } = config;
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: ociMediaTypes.manifest,
        config: { mediaType: ociMediaTypes.config, digest, size },
        layers: layers.map(({ path: _, ...layer }) => layer),
      }),
    );
    return (RepoTags ?? []).map((tag) => ({ name: normalizeImageName(tag), manifest, config: content, configDigest: digest, layers }));
  });
}

/**
 * One image as an OCI layout: what containerd imports. Layers that `has` are left out: containerd takes its own.
 * `names`: it may have more than its own.
 */
export async function* writeLayout(
  image: ArchivedImage,
  { open, names, has }: { readonly open: OpenArchive; readonly names: readonly string[]; readonly has: ReadonlySet<string> },
): AsyncGenerator<Buffer> {
  const digest = sha256(image.manifest);
  const descriptor = { mediaType: mediaTypeOf(image.manifest), digest, size: image.manifest.length };
  const blob = (content: Buffer): TarFile => ({ path: blobPath(sha256(content)), content });
  const manifests = names.map((name) => ({ ...descriptor, annotations: { 'io.containerd.image.name': name } }));
  yield writeTar(
    [
      { path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
      { path: 'index.json', content: JSON.stringify({ schemaVersion: 2, mediaType: ociMediaTypes.index, manifests }) },
      blob(image.manifest),
      blob(image.config),
    ],
    { open: true },
  );
  const wanted = new Map(image.layers.filter((layer) => !has.has(layer.digest)).map((layer) => [layer.path, blobPath(layer.digest)]));
  if (wanted.size > 0) yield* copyTar(open(), (path) => wanted.get(path));
  yield writeTar([]);
}

const blobPath = (digest: string): string => `blobs/sha256/${digest.slice('sha256:'.length)}`;

function mediaTypeOf(manifest: Buffer): string {
  return (parseJSON(manifest.toString()) as { mediaType?: string }).mediaType ?? ociMediaTypes.manifest;
}
