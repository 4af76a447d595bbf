/**
 * Which credentials of a pod's pull secrets fit an image, the most specific first. Pure.
 * Upstream: pkg/credentialprovider/keyring.go, config.go.
 */

import type { Secret } from '../../../api/generated/core-v1.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import type { AuthConfig } from '../../runtime/cri-types.ts';

interface DockerEntry {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
}

interface Credential {
  /** host, perhaps with port and path, perhaps with globs in the host's labels */
  readonly location: string;
  readonly auth: AuthConfig;
}

const defaultRegistry = 'index.docker.io';

export function credentialsFor(image: string, secrets: readonly Secret[]): readonly AuthConfig[] {
  const all = secrets.flatMap(readSecret).toSorted((a, b) => (a.location < b.location ? 1 : -1));
  const fitting = all.filter((c) => locationMatches(c.location, image));
  if (fitting.length > 0) return fitting.map((c) => c.auth);
  return isDefaultRegistry(image) ? all.filter((c) => c.location === `${defaultRegistry}`).map((c) => c.auth) : [];
}

function readSecret(secret: Secret): readonly Credential[] {
  const modern = secret.type === 'kubernetes.io/dockerconfigjson';
  const text = secret.data?.[modern ? '.dockerconfigjson' : '.dockercfg'];
  if (!text) return [];
  try {
    const parsed = parseJSON(Buffer.from(text, 'base64').toString()) as { auths?: Record<string, DockerEntry> } & Record<
      string,
      DockerEntry
    >;
    const entries: Record<string, DockerEntry> = modern ? (parsed.auths ?? {}) : parsed;
    return Object.entries(entries).map(([location, entry]) => ({ location: normalizeLocation(location), auth: readEntry(entry) }));
  } catch {
    // A secret that does not hold what its type says is of no use, and no reason to fail the pull of a public image.
    return [];
  }
}

function readEntry({ username, password, auth }: DockerEntry): AuthConfig {
  if (!auth) return { username: username ?? '', password: password ?? '' };
  const decoded = Buffer.from(auth, 'base64').toString();
  const colon = decoded.indexOf(':');
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** Without scheme, and without the path of the registry's API. */
function normalizeLocation(location: string): string {
  return location
    .replace(/^https?:\/\//, '')
    .replace(/^([^/]+)\/v[12](\/|$)/, '$1/')
    .replace(/\/$/, '');
}

const isDefaultRegistry = (image: string): boolean => {
  const [first = ''] = image.split('/');
  return !image.includes('/') || first === 'docker.io' || first === defaultRegistry || !/[.:]|^localhost$/.test(first);
};

function locationMatches(location: string, image: string): boolean {
  const [globHost = '', ...globPath] = location.split('/');
  const [host = '', ...path] = image.split('/');
  const [globName = '', globPort = ''] = globHost.split(':');
  const [name = '', port = ''] = host.split(':');
  const globParts = globName.split('.');
  const parts = name.split('.');
  if (globPort !== port || globParts.length !== parts.length) return false;
  if (!path.join('/').startsWith(globPath.join('/'))) return false;
  return globParts.every((glob, i) => globMatches(glob, parts[i] ?? ''));
}

/** Character by character, and back to the last star only: a pattern of many stars takes no longer. */
function globMatches(glob: string, text: string): boolean {
  let [g, t] = [0, 0];
  let star = -1;
  let tried = 0;
  while (t < text.length) {
    if (glob[g] === '*') {
      star = g++;
      tried = t;
    } else if (g < glob.length && (glob[g] === '?' || glob[g] === text[t])) {
      g++;
      t++;
    } else if (star < 0) return false;
    else {
      g = star + 1;
      t = ++tried;
    }
  }
  while (glob[g] === '*') g++;
  return g === glob.length;
}
