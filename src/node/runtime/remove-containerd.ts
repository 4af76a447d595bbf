/**
 * Removes whatever a containerd of ours left on the machine, running or crashed: its processes, mounts, cgroups and
 * files. Only what carries its socket, its directory or its cluster's cgroup is touched.
 *
 * `Containerd.removePods` before it gives every pod a proper end; this is what makes sure.
 */
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../client/clock.ts';
import { openFiles, processFile } from '../../client/processes.ts';
import { FileGate } from '../files/file-gate.ts';
import { unmountBelow } from '../files/mounts.ts';
import { removeTree } from '../files/remove-tree.ts';
import { processesInGroup, removeGroup } from './cgroups.ts';
import { containerdPaths, containerdWords } from './containerd-config.ts';
import { endLeftover } from './kept-process.ts';
import { endProcesses, listProcesses, type Process, shimsOf } from './processes.ts';

export interface RemoveContainerdOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  /** the first part of the cgroup path of its pods, without slash: `timonier-NAME`; absent: another's pods are there, too */
  readonly cgroup?: string | undefined;
  /** Files stay, its log among them; default: no. */
  readonly keepFiles?: boolean;
}

/** Where all shims of a machine put their sockets, whatever containerd they belong to. */
const shimSocketDir = '/run/containerd/s';
/** Where the CNI library of all containerds of a machine remembers the pods' interfaces. */
const cniResultDir = '/var/lib/cni/results';
const criState = join('io.containerd.grpc.v1.cri', 'sandboxes');

export async function removeContainerd({ dataDir, clock, cgroup, keepFiles = false }: RemoveContainerdOptions): Promise<void> {
  const paths = containerdPaths(dataDir);
  await endLeftover({ mark: containerdWords(paths), clock, graceMs: 0 });
  const shims = shimsOf(paths.socket);
  const shimPids = new Set(shims.map(({ pid }) => pid));
  const children = listProcesses().filter(({ parent }) => shimPids.has(parent));
  // containers first: a shim that outlives them reaps them
  const containers = new Set([...children.map(({ pid }) => pid), ...(cgroup === undefined ? [] : await processesInGroup(cgroup))]);
  for (const pid of shimPids) containers.delete(pid);
  const sockets = [...(await shimSockets(paths.state)), ...shims.flatMap(socketsOf)];
  await endProcesses([...containers], { clock, graceMs: 0 });
  await endProcesses([...shimPids], { clock, graceMs: 0 });
  const ids = shims.map(({ args }) => args[args.indexOf('-id') + 1] ?? '');
  const sandboxes = [...ids, ...(await readdir(join(paths.state, criState)).catch(() => []))];
  await unmountBelow(dataDir);
  if (cgroup !== undefined) await removeGroup(cgroup);
  for (const socket of sockets) await rm(socket, { force: true });
  for (const dir of [shimSocketDir, dirname(shimSocketDir)]) await removeIfEmpty(dir);
  await removeCniResults(sandboxes);
  // images and containers may have made trees that no path reaches
  if (!keepFiles) await removeTree(dataDir, new FileGate({ clock }));
}

/** The addresses that shims left in the directories of their containers. */
async function shimSockets(state: string): Promise<string[]> {
  const tasks = join(state, 'io.containerd.runtime.v2.task', 'k8s.io');
  const ids = await readdir(tasks).catch(() => []);
  const addresses = await Promise.all(
    ids.map(async (id) => {
      const text = await readFile(join(tasks, id, 'address'), 'utf8').catch(() =>
        readFile(join(tasks, id, 'bootstrap.json'), 'utf8').catch(() => ''),
      );
      return /unix:\/\/([^"\s]+)/.exec(text)?.[1] ?? '';
    }),
  );
  return addresses.filter((path) => path.startsWith(`${shimSocketDir}/`));
}

/** Those that it has open, where the directory that tells of them is gone. */
function socketsOf({ pid }: Process): string[] {
  const open = openFiles(pid);
  const lines = processFile(pid, 'net/unix')
    .split('\n')
    .map((line) => line.split(/\s+/));
  return lines.flatMap(([, , , , , , inode, path = '']) =>
    path.startsWith(shimSocketDir) && open.includes(`socket:[${inode}]`) ? [path] : [],
  );
}

/** The files are named NETWORK-SANDBOX-INTERFACE. */
async function removeCniResults(sandboxes: readonly string[]): Promise<void> {
  for (const name of await readdir(cniResultDir).catch(() => []))
    if (sandboxes.some((id) => name.includes(`-${id}-`))) await rm(join(cniResultDir, name), { force: true });
  for (const dir of [cniResultDir, dirname(cniResultDir)]) await removeIfEmpty(dir);
}

async function removeIfEmpty(dir: string): Promise<void> {
  await rmdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT') throw error;
  });
}
