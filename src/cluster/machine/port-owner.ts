/** Who has a TCP port of this machine: one of its clusters, or a process, as far as /proc tells it to this user. For error messages. */
import { basename } from 'node:path';
import { commandLine, openFiles, processFile, processIds } from '../../client/processes.ts';
import { type Instance, type InstanceState, listInstances } from '../instance/instance.ts';

export interface Listener {
  /** as the kernel writes it: `0100007F`, all zeroes for every address */
  readonly address: string;
  readonly inode: string;
}

/** `cluster "default"`, or `process 812, k3s`; undefined where nothing tells. */
export function describePortOwner(port: number): string | undefined {
  const pid = ownerOf(port);
  const cluster = listInstances().find((instance) => {
    const state = stateOf(instance);
    return state && (pid === undefined ? portOf(state) === port : state.pid === pid);
  });
  if (cluster) return `cluster "${cluster.name}"`;
  return pid === undefined ? undefined : `process ${pid}${nameOf(pid)}`;
}

/** The sockets that listen on a port, in the text of /proc/net/tcp or tcp6. Format: proc_net_tcp.txt in the kernel's documentation. */
export function listenersOn(port: number, table: string): Listener[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [address = '', itsPort] = local.split(':');
    return itsPort === wanted && state === listening ? [{ address, inode }] : [];
  });
}

const listening = '0A';

function ownerOf(port: number): number | undefined {
  const inodes = new Set(
    ['tcp', 'tcp6'].flatMap((file) => listenersOn(port, processFile(process.pid, `net/${file}`)).map(({ inode }) => `socket:[${inode}]`)),
  );
  if (inodes.size === 0) return undefined;
  return processIds().find((pid) => openFiles(pid).some((file) => inodes.has(file)));
}

function stateOf(instance: Instance): InstanceState | undefined {
  try {
    return instance.running();
  } catch {
    return undefined; // damaged, which is another matter
  }
}

const portOf = ({ server }: InstanceState): number => Number(new URL(server).port);

/** `, k3s`: the program as it was called; '' where that is nobody's to know. */
function nameOf(pid: number): string {
  const program = commandLine(pid)[0] || processFile(pid, 'comm').trim();
  return program ? `, ${basename(program)}` : '';
}
