/**
 * Volumes whose files come from the API: configMap, secret, downwardAPI, and projected, which is any mix of them with
 * service account tokens and trust bundles. Set up again when a source changes; readers see all old or all new.
 * Upstream: pkg/volume/{configmap,secret,downwardapi,projected}.
 */
import { mkdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { DownwardAPIVolumeFile, Pod, ProjectedVolumeSource, Volume, VolumeProjection } from '../../../api/generated/core-v1.ts';
import { ClusterTrustBundle, ConfigMap, Secret } from '../../../api/generated/kinds.ts';
import { isNotFound, messageOf } from '../../../api/meta/status-error.ts';
import { containerResourceValue, podFieldValue } from '../container/pod-fields.ts';
import { writeAtomically } from './atomic-writer.ts';
import { makeDirectory } from './empty-dir.ts';
import { configMapPayload, type FileContent, type FilePayload, secretPayload } from './file-payload.ts';
import { giveToGroup } from './ownership.ts';
import { fsGroupOf, fsUserOf, type ReadyVolume, type SetUpRequest, type VolumeHost, type VolumePlugin } from './volume-plugin.ts';

interface Content {
  readonly files: FilePayload;
  readonly refreshAtMs?: number | undefined;
}

const modeDefault = 0o644;
const tokenSecondsDefault = 3600;

type Collect = (request: SetUpRequest, host: VolumeHost) => Promise<Content>;

function contentPlugin(directory: string, memory: boolean, supports: (volume: Volume) => boolean, collect: Collect): VolumePlugin {
  return {
    directory,
    supports,
    async setUp(request, host): Promise<ReadyVolume> {
      const { files, refreshAtMs } = await collect(request, host);
      const ready = await makeDirectory(request, host, { memory, readOnly: true });
      if (host.mounter) {
        for (const path of nestedMountPoints(request.pod, request.volume.name))
          await mkdir(join(request.dir, path), { recursive: true, mode: 0o755 });
        await write(request, host, files);
      }
      return { ...ready, refreshAtMs };
    },
  };
}

/** Where other volumes are mounted inside this one: read-only, it can't get those directories later. */
export function nestedMountPoints({ spec }: Pod, volume: string): readonly string[] {
  const found = new Set<string>();
  for (const { volumeMounts = [] } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    const mountPaths = volumeMounts.map((m) => resolve('/', m.mountPath));
    for (const [i, { name }] of volumeMounts.entries()) {
      if (name !== volume) continue;
      for (const other of mountPaths) {
        const inside = relative(mountPaths[i] ?? '/', other);
        if (inside !== '' && !inside.startsWith('..')) found.add(inside);
      }
    }
  }
  return [...found];
}

async function write({ pod, dir }: SetUpRequest, host: VolumeHost, files: FilePayload): Promise<void> {
  const fsGroup = fsGroupOf(pod);
  const setPermissions =
    fsGroup === undefined ? undefined : () => giveToGroup(dir, { fsGroup, readOnly: true, policy: 'Always' }, host.gate);
  await writeAtomically(dir, files, { nowMs: host.clock.now(), gate: host.gate, setPermissions });
}

export const configMapVolume = contentPlugin(
  'kubernetes.io~configmap',
  false,
  (volume) => volume.configMap !== undefined,
  async ({ pod, volume }, host) => {
    const { name = '', items, defaultMode = modeDefault, optional = false } = volume.configMap ?? {};
    return { files: await configMapFiles(pod, host, { name, items, defaultMode, optional }) };
  },
);

export const secretVolume = contentPlugin(
  'kubernetes.io~secret',
  true,
  (volume) => volume.secret !== undefined,
  async ({ pod, volume }, host) => {
    const { secretName: name = '', items, defaultMode = modeDefault, optional = false } = volume.secret ?? {};
    return { files: await secretFiles(pod, host, { name, items, defaultMode, optional }) };
  },
);

export const downwardAPIVolume = contentPlugin(
  'kubernetes.io~downward-api',
  true,
  (volume) => volume.downwardAPI !== undefined,
  async ({ pod, volume }, host) => {
    const { items = [], defaultMode = modeDefault } = volume.downwardAPI ?? {};
    return { files: downwardAPIFiles(pod, host, items, defaultMode) };
  },
);

export const projectedVolume = contentPlugin(
  'kubernetes.io~projected',
  true,
  (volume) => volume.projected !== undefined,
  async ({ pod, volume }, host) => await collectProjected(pod, host, volume.projected ?? {}),
);

interface Source {
  readonly name: string;
  readonly items: readonly { readonly key: string; readonly path: string; readonly mode?: number }[] | undefined;
  readonly defaultMode: number;
  readonly optional: boolean;
}

async function configMapFiles(pod: Pod, { objects }: VolumeHost, source: Source): Promise<FilePayload> {
  const at = { namespace: pod.metadata.namespace, name: source.name };
  return configMapPayload(await orEmpty(objects.get(ConfigMap, at), source.optional), source);
}
async function secretFiles(pod: Pod, { objects }: VolumeHost, source: Source): Promise<FilePayload> {
  const at = { namespace: pod.metadata.namespace, name: source.name };
  return secretPayload(await orEmpty(objects.get(Secret, at), source.optional), source);
}

async function orEmpty<T extends object>(object: Promise<T>, optional: boolean): Promise<T | Record<string, never>> {
  try {
    return await object;
  } catch (error) {
    if (optional && isNotFound(error)) return {};
    throw error;
  }
}

function downwardAPIFiles(pod: Pod, host: VolumeHost, items: readonly DownwardAPIVolumeFile[], defaultMode: number): FilePayload {
  const files = new Map<string, FileContent>();
  for (const { path, fieldRef, resourceFieldRef, mode } of items) {
    const container = { name: resourceFieldRef?.containerName ?? '' };
    const text = fieldRef
      ? podFieldValue(fieldRef, { pod, podIPs: [], hostIPs: host.hostIPs() })
      : resourceFieldRef
        ? containerResourceValue(resourceFieldRef, { pod, container, allocatable: host.allocatable() })
        : '';
    files.set(path, { data: Buffer.from(text), mode: mode ?? defaultMode });
  }
  return files;
}

/** All sources are tried, so that the error names everything that is wrong. */
async function collectProjected(
  pod: Pod,
  host: VolumeHost,
  { sources, defaultMode = modeDefault }: ProjectedVolumeSource,
): Promise<Content> {
  const files = new Map<string, FileContent>();
  const failures: unknown[] = [];
  let refreshAtMs: number | undefined;
  for (const source of sources ?? []) {
    try {
      const content = await collectSource(pod, host, source, defaultMode);
      for (const [path, file] of content.files) files.set(path, file);
      if (content.refreshAtMs !== undefined) refreshAtMs = Math.min(content.refreshAtMs, refreshAtMs ?? Number.POSITIVE_INFINITY);
    } catch (error) {
      failures.push(error);
    }
  }
  const texts = failures.map(messageOf);
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, `[${texts.join(', ')}]`);
  return { files, refreshAtMs };
}

async function collectSource(pod: Pod, host: VolumeHost, source: VolumeProjection, defaultMode: number): Promise<Content> {
  const { configMap, secret, downwardAPI, serviceAccountToken: token, clusterTrustBundle: bundle } = source;
  const common = { defaultMode };
  if (configMap) {
    const { name = '', items, optional = false } = configMap;
    return { files: await configMapFiles(pod, host, { ...common, name, items, optional }) };
  }
  if (secret) {
    const { name = '', items, optional = false } = secret;
    return { files: await secretFiles(pod, host, { ...common, name, items, optional }) };
  }
  if (downwardAPI) return { files: downwardAPIFiles(pod, host, downwardAPI.items ?? [], defaultMode) };
  const uid = fsUserOf(pod);
  const guarded = uid !== undefined || fsGroupOf(pod) !== undefined;
  const own = { mode: guarded ? 0o600 : defaultMode, uid };
  if (token) {
    if (!host.tokens) return { files: new Map() };
    const spec = { audience: token.audience, expirationSeconds: token.expirationSeconds ?? tokenSecondsDefault };
    const issued = await host.tokens.get(pod, spec);
    return { files: new Map([[token.path, { ...own, data: Buffer.from(issued.token) }]]), refreshAtMs: issued.refreshAtMs };
  }
  if (bundle) {
    const data = Buffer.from(await trustBundle(host, bundle));
    return { files: new Map([[bundle.path, { ...own, data }]]) };
  }
  throw new Error('unsupported volume projection');
}

async function trustBundle(host: VolumeHost, source: NonNullable<VolumeProjection['clusterTrustBundle']>): Promise<string> {
  if (!source.name) throw new Error('ClusterTrustBundle projection requires name to be set');
  const bundle = await orEmpty(host.client.get(ClusterTrustBundle, { name: source.name }), source.optional ?? false);
  return bundle.spec?.trustBundle ?? '';
}
