/**
 * `/logs/`: the log files of this node's pods, below `pods/` as on any node; folders as lists of links.
 *
 * Guarantees: nothing outside is reached, whatever the path says and whatever containers put there: every step is one
 * name in a directory that is held, links are not followed, and only regular files are read, up to the size they had.
 * What it deliberately does not do: show the machine's own `/var/log`, which is not the cluster's to tell; search logs
 * (`?query=`, off by default upstream too, and where CVE-2024-9042 was).
 * Upstream: pkg/kubelet/kubelet.go (logServer), Go's net/http/fs.go.
 */

import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { own } from '../../../api/meta/words.ts';
import type { FileGate } from '../../files/file-gate.ts';
import { HeldDirectory, WrongTypeError } from '../../files/held-directory.ts';

export interface NodeLogsOptions {
  readonly dataDir: string;
  readonly gate: FileGate;
}

export type NodeLogsAnswer =
  | { readonly type: 'file'; readonly file: FileHandle; readonly size: number; readonly modified: Date }
  | { readonly type: 'folder'; readonly html: string }
  | { readonly type: 'redirect'; readonly location: string }
  | { readonly type: 'refusal'; readonly status: 400 | 404 | 413; readonly message: string };

/** of one folder's list */
const entriesMax = 10_000;
const queryParameters = ['query', 'pattern', 'sinceTime', 'untilTime', 'tailLines', 'boot'];

/** `path` is what follows `/logs`, encoded. An answer with a file is the caller's to close. */
export async function nodeLogs(path: string, query: URLSearchParams, options: NodeLogsOptions): Promise<NodeLogsAnswer> {
  if (queryParameters.some((name) => query.has(name))) return refusal(400, 'node log query is not enabled');
  const names = decodeNames(path);
  if (!names) return refusal(400, 'invalid path');
  const isFolder = path.endsWith('/');
  const [top, ...rest] = names;
  if (top === undefined) return isFolder ? { type: 'folder', html: renderFolder([podsFolder]) } : { type: 'redirect', location: 'logs/' };
  if (top !== 'pods') return notFound;
  try {
    await using root = await HeldDirectory.open(join(options.dataDir, 'logs'), options.gate);
    return await answer(root, rest, { isFolder, name: names.at(-1) ?? '' });
  } catch (error) {
    if (isAbsence(error)) return notFound;
    throw error;
  }
}

const podsFolder = { name: 'pods', isDirectory: true };
const refusal = (status: 400 | 404 | 413, message: string): NodeLogsAnswer => ({ type: 'refusal', status, message });
const notFound = refusal(404, '404 page not found');

/** Undefined when a name is none: a step up, a path in itself, or no text. */
function decodeNames(path: string): readonly string[] | undefined {
  try {
    const names = path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
    return names.some((name) => name === '.' || name === '..' || /[/\0]/.test(name)) ? undefined : names;
  } catch {
    return undefined;
  }
}

interface Asked {
  readonly isFolder: boolean;
  readonly name: string;
}

async function answer(root: HeldDirectory, names: readonly string[], asked: Asked): Promise<NodeLogsAnswer> {
  await using stack = new AsyncDisposableStack();
  let directory = root;
  for (const name of names.slice(0, -1)) directory = stack.use(await directory.directory(name));
  const last = names.at(-1);
  if (last === undefined) return await folder(directory, asked);
  const held = stack.use(await directory.hold(last));
  if (held.info.isDirectory()) return await folder(stack.use(await directory.directory(last)), asked);
  if (asked.isFolder) return notFound;
  const file = await directory.reopen(held, last);
  return { type: 'file', file, size: Number(held.info.size), modified: held.info.mtime };
}

async function folder(directory: HeldDirectory, { isFolder, name }: Asked): Promise<NodeLogsAnswer> {
  if (!isFolder) return { type: 'redirect', location: `${encodeURIComponent(name)}/` };
  const entries: FolderEntry[] = [];
  for await (const entry of directory.entries()) {
    if (!entry.isDirectory() && !entry.isFile()) continue;
    entries.push({ name: entry.name.toString(), isDirectory: entry.isDirectory() });
    if (entries.length > entriesMax) return refusal(413, `more than ${entriesMax} entries`);
  }
  return { type: 'folder', html: renderFolder(entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) };
}

const absences = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);

/** Also a link, a pipe or a device: they are nothing that is told here. */
const isAbsence = (error: unknown): boolean =>
  error instanceof WrongTypeError || (error instanceof Error && 'code' in error && absences.has(String(error.code)));

interface FolderEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };

/** As Go's file server shows it. */
function renderFolder(entries: readonly FolderEntry[]): string {
  const links = entries.map(({ name, isDirectory }) => {
    const shown = isDirectory ? `${name}/` : name;
    // A name with a colon would be taken for a scheme.
    return `<a href="./${encodeURIComponent(name)}${isDirectory ? '/' : ''}">${shown.replace(/[&<>"']/g, (c) => own(entities, c) ?? c)}</a>\n`;
  });
  return `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${links.join('')}</pre>\n`;
}
