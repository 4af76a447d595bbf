/**
 * The files of a volume whose content comes from the API. Pure.
 * Upstream: pkg/volume/configmap/configmap.go, secret/secret.go (MakePayload), util/atomic_writer.go (validatePath).
 */
import type { ConfigMap, KeyToPath, Secret } from '../../../api/generated/core-v1.ts';

export interface FileContent {
  readonly data: Buffer;
  readonly mode: number;
  /** its owner, where that is not root */
  readonly uid?: number | undefined;
}
/** by path relative to the volume */
export type FilePayload = ReadonlyMap<string, FileContent>;

const pathLengthMax = 4096;
const nameLengthMax = 255;

interface Selection {
  readonly items?: readonly KeyToPath[] | undefined;
  readonly defaultMode: number;
  readonly optional: boolean;
}

export function configMapPayload(object: Pick<ConfigMap, 'data' | 'binaryData'>, selection: Selection): FilePayload {
  const data = new Map<string, Buffer>();
  for (const [key, text] of Object.entries(object.data ?? {})) data.set(key, Buffer.from(text));
  for (const [key, base64] of Object.entries(object.binaryData ?? {})) if (!data.has(key)) data.set(key, Buffer.from(base64, 'base64'));
  return select(data, selection, (key) => `configmap references non-existent config key: ${key}`);
}

export function secretPayload(object: Pick<Secret, 'data'>, selection: Selection): FilePayload {
  const data = new Map(Object.entries(object.data ?? {}).map(([key, base64]) => [key, Buffer.from(base64, 'base64')]));
  return select(data, selection, (key) => `references non-existent secret key: ${key}`);
}

function select(
  data: ReadonlyMap<string, Buffer>,
  { items, defaultMode, optional }: Selection,
  describeMissing: (key: string) => string,
): FilePayload {
  const payload = new Map<string, FileContent>();
  if (!items?.length) {
    for (const [key, content] of data) payload.set(key, { data: content, mode: defaultMode });
    return payload;
  }
  for (const { key, path, mode } of items) {
    const content = data.get(key);
    if (content) payload.set(path, { data: content, mode: mode ?? defaultMode });
    else if (!optional) throw new Error(describeMissing(key));
  }
  return payload;
}

/** Throws in upstream's wording for a path that would leave the volume. */
export function checkPayloadPath(path: string): void {
  if (path === '') throw new Error('invalid path: must not be empty: ""');
  if (path.startsWith('/')) throw new Error(`invalid path: must be relative path: ${path}`);
  if (path.length > pathLengthMax) throw new Error(`invalid path: must be less than or equal to ${pathLengthMax} characters`);
  const parts = path.split('/');
  if (parts.includes('..')) throw new Error(`invalid path: must not contain '..': ${path}`);
  if (parts.some((part) => part.length > nameLengthMax)) {
    throw new Error(`invalid path: filenames must be less than or equal to ${nameLengthMax} characters`);
  }
  if (parts[0]?.startsWith('..')) throw new Error(`invalid path: must not start with '..': ${path}`);
}
