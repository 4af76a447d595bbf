/**
 * kubeconfig files: read, merged, written, so that kubectl and timonier share them. What a file holds beside (other
 * contexts, exec plugins, preferences) is kept as it is. A file is replaced in one step, readable by its owner only.
 *
 * What it does not do: exec and auth-provider plugins, lists of files in KUBECONFIG (the caller picks one).
 * Upstream: client-go/tools/clientcmd.
 */
import { lstatSync, readlinkSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { realClock } from '../clock.ts';
import type { ClientCredentials } from '../transport/credentials.ts';
import { makeFolders } from './make-folders.ts';
import { isSpecial, replaceFile } from './replace-file.ts';

interface Named {
  readonly name: string;
}
export interface NamedCluster extends Named {
  readonly cluster: {
    readonly server: string;
    readonly 'certificate-authority'?: string;
    readonly 'certificate-authority-data'?: string;
    readonly 'tls-server-name'?: string;
    readonly 'insecure-skip-tls-verify'?: boolean;
  };
}
export interface NamedUser extends Named {
  readonly user: {
    readonly 'client-certificate'?: string;
    readonly 'client-certificate-data'?: string;
    readonly 'client-key'?: string;
    readonly 'client-key-data'?: string;
    readonly token?: string;
    readonly tokenFile?: string;
  };
}
export interface NamedContext extends Named {
  readonly context: { readonly cluster: string; readonly user: string; readonly namespace?: string };
}
export interface Kubeconfig {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly clusters?: readonly NamedCluster[];
  readonly users?: readonly NamedUser[];
  readonly contexts?: readonly NamedContext[];
  readonly 'current-context'?: string;
}

/** Where a context leads: what `createHTTPClient` needs to go there. */
export interface Access extends ClientCredentials {
  readonly server: string;
  readonly ca?: string | undefined;
  readonly tlsServerName?: string | undefined;
  readonly insecureSkipTLSVerify?: boolean | undefined;
  readonly namespace?: string | undefined;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** One context, with its cluster and user of the same name. PEM texts go in as data. */
export function kubeconfigFor(name: string, access: Access): Kubeconfig {
  const { server, ca, cert, key, token, tokenFile, namespace, tlsServerName, insecureSkipTLSVerify } = access;
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server,
          ...(ca && { 'certificate-authority-data': base64(ca) }),
          ...(tlsServerName && { 'tls-server-name': tlsServerName }),
          ...(insecureSkipTLSVerify && { 'insecure-skip-tls-verify': true }),
        },
      },
    ],
    users: [
      {
        name,
        user: {
          ...(cert && { 'client-certificate-data': base64(cert) }),
          ...(key && { 'client-key-data': base64(key) }),
          ...(token && { token }),
          ...(tokenFile && { tokenFile }),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name, ...(namespace && { namespace }) } }],
    'current-context': name,
  };
}

/** `base` with everything of `added`: same names are replaced, its current context becomes current. */
export function mergeKubeconfig(base: Kubeconfig, added: Kubeconfig): Kubeconfig {
  const current = added['current-context'] ?? base['current-context'];
  return {
    apiVersion: 'v1',
    kind: 'Config',
    ...base,
    clusters: mergeNamed(base.clusters, added.clusters),
    users: mergeNamed(base.users, added.users),
    contexts: mergeNamed(base.contexts, added.contexts),
    ...(current !== undefined && { 'current-context': current }),
  };
}

function mergeNamed<T extends Named>(base: readonly T[] | null | undefined, added: readonly T[] = []): readonly T[] {
  const names = new Set(added.map(({ name }) => name));
  return [...(base ?? []).filter(({ name }) => !names.has(name)), ...added];
}

/** Without this context, nor the cluster and user that no other context uses. */
export function removeContext(config: Kubeconfig, name: string): Kubeconfig {
  const removed = config.contexts?.find((context) => context.name === name)?.context;
  const contexts = (config.contexts ?? []).filter((context) => context.name !== name);
  const isUsed = (what: 'cluster' | 'user', of: string): boolean => contexts.some(({ context }) => context?.[what] === of);
  const isLeft = (what: 'cluster' | 'user', of: string): boolean => of !== removed?.[what] || isUsed(what, of);
  const { 'current-context': current, ...rest } = config;
  return {
    ...rest,
    clusters: (config.clusters ?? []).filter((cluster) => isLeft('cluster', cluster.name)),
    users: (config.users ?? []).filter((user) => isLeft('user', user.name)),
    contexts,
    ...(current !== undefined && { 'current-context': current === name ? '' : current }),
  };
}

export async function parseKubeconfig(text: string): Promise<Kubeconfig> {
  const { parseYaml } = await import('../../api/schema/yaml/read-yaml.ts');
  const config = parseYaml(text);
  if (config === null) return {};
  if (typeof config !== 'object' || Array.isArray(config)) throw new Error('a kubeconfig is a YAML mapping');
  const { kind = 'Config' } = config as Kubeconfig;
  if (kind !== 'Config') throw new Error(`it is a ${kind}, not a kubeconfig`);
  for (const [list, member] of parts) {
    const entries = (config as Record<string, unknown>)[list] ?? [];
    if (!Array.isArray(entries) || !entries.every((entry) => isEntry(entry, member)))
      throw new Error(`${list} is no list of names, each with a ${member}`);
  }
  return config as Kubeconfig;
}

const parts = [
  ['clusters', 'cluster'],
  ['users', 'user'],
  ['contexts', 'context'],
] as const;

/** A name, and what has it. An empty value is nothing yet. */
function isEntry(entry: unknown, member: string): boolean {
  if (typeof entry !== 'object' || entry === null) return false;
  const { name, [member]: value } = entry as Record<string, unknown>;
  return typeof name === 'string' && typeof (value ?? {}) === 'object';
}

/** Nobody would miss it. */
export function isEmptyKubeconfig(config: Kubeconfig): boolean {
  const { apiVersion: _a, kind: _k, 'current-context': current, ...rest } = config;
  return !current && Object.values(rest).every((value) => value === null || (typeof value === 'object' && Object.keys(value).length === 0));
}

export async function renderKubeconfig(config: Kubeconfig): Promise<string> {
  const { writeYaml } = await import('../../api/schema/yaml/write-yaml.ts');
  return writeYaml(config);
}

/** An absent file is an empty kubeconfig, and so is what is no file: from a terminal or a pipe something might never come. */
export async function readKubeconfig(path: string): Promise<Kubeconfig> {
  if (isSpecial(path)) return {};
  try {
    return await parseKubeconfig(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new Error(`cannot read the kubeconfig ${path}`, { cause: error });
  }
}

/** Where a link leads, though there may be nothing yet. */
function targetOf(path: string): string {
  const linksMax = 40;
  let file = path;
  for (let i = 0; i < linksMax && lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink(); i++)
    file = resolve(dirname(file), readlinkSync(file));
  return file;
}

/** Where a link leads, it is written there. */
export async function writeKubeconfig(path: string, config: Kubeconfig): Promise<void> {
  const file = targetOf(path);
  makeFolders(dirname(file), 0o700);
  replaceFile(file, await renderKubeconfig(config), { temporary: `${file}.${process.pid}.tmp` });
}

/** Reads, changes and writes it while nobody else does who asks as kubectl does, by FILE.lock. Nothing is written where nothing changes. */
export async function updateKubeconfig(path: string, change: (config: Kubeconfig) => Kubeconfig): Promise<void> {
  if (isSpecial(path)) {
    replaceFile(path, await renderKubeconfig(change({})));
    return;
  }
  makeFolders(dirname(path), 0o700);
  await using _lock = await lock(`${path}.lock`);
  const before = await readKubeconfig(path);
  const after = change(before);
  if (after !== before) await writeKubeconfig(path, after);
}

const lockMsMax = 2000;
const lockPollMs = 20;

/** Somebody who holds it for so long has died; then it counts for nothing. So it does on a full disk. */
async function lock(file: string): Promise<AsyncDisposable> {
  for (let waitedMs = 0; waitedMs < lockMsMax; waitedMs += lockPollMs) {
    try {
      await (await open(file, 'wx')).close();
      return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') break;
    }
    await realClock.sleep(lockPollMs);
  }
  return { [Symbol.asyncDispose]: async () => undefined };
}

/** Where `context` (default: the current one) leads. `path` is the file that it came from: others are relative to it. */
export async function accessOf(config: Kubeconfig, options: { readonly context?: string; readonly path?: string } = {}): Promise<Access> {
  const name = options.context ?? config['current-context'] ?? '';
  const context = config.contexts?.find((c) => c.name === name)?.context;
  if (!context) throw new Error(`the kubeconfig has no context ${JSON.stringify(name)}`);
  const cluster = config.clusters?.find((c) => c.name === context.cluster)?.cluster;
  if (!cluster) throw new Error(`the kubeconfig has no cluster ${JSON.stringify(context.cluster)}`);
  const user = config.users?.find((u) => u.name === context.user)?.user ?? {};
  const folder = options.path ? dirname(options.path) : '.';
  const pem = async (data: string | undefined, file: string | undefined): Promise<string | undefined> => {
    if (data) return Buffer.from(data, 'base64').toString();
    return file ? readFile(resolve(folder, file), 'utf8') : undefined;
  };
  const ca = await pem(cluster['certificate-authority-data'], cluster['certificate-authority']);
  const cert = await pem(user['client-certificate-data'], user['client-certificate']);
  const key = await pem(user['client-key-data'], user['client-key']);
  return {
    server: cluster.server,
    ca,
    cert,
    key,
    token: user.token,
    tokenFile: user.tokenFile && resolve(folder, user.tokenFile),
    tlsServerName: cluster['tls-server-name'],
    insecureSkipTLSVerify: cluster['insecure-skip-tls-verify'],
    namespace: context.namespace || undefined,
  };
}
