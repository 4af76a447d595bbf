/**
 * The directories of this cluster's nodes that volumes are made of: `<node's directory>/volumes/<volume>`. All nodes are
 * of this machine, so they are reached from here. Simulated nodes have none: nothing is made or removed there.
 * Entries are made and removed by descriptors, and only by a name that is one component: no link leads elsewhere.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { VolumeDirectories } from '../../addons/addon.ts';
import type { Clock } from '../../client/clock.ts';
import { FileGate } from '../../node/files/file-gate.ts';
import { checkedName, HeldDirectory } from '../../node/files/held-directory.ts';
import { removeTree } from '../../node/files/remove-tree.ts';
import { isNodeNameOf, realNodeName } from '../identities.ts';
import { nodeDir } from '../instance/instance.ts';

/** Whoever runs in a pod may write; the directory above keeps the machine's other users out. */
const [volumeMode, parentMode] = [0o777, 0o700];

export interface VolumeDirectoriesGiven {
  readonly cluster: string;
  readonly dataDir?: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export function volumeDirectories({ cluster, dataDir, clock, signal }: VolumeDirectoriesGiven): VolumeDirectories {
  const gate = new FileGate({ clock, signal });
  /** Undefined: a simulated node. */
  const parentOf = (nodeName: string): string | undefined => {
    if (!isNodeNameOf(cluster, nodeName)) throw new Error(`node "${nodeName}" is not one of this machine's`);
    const number = Number(nodeName.slice(cluster.length + 1));
    if (nodeName !== realNodeName(cluster, number)) return undefined;
    if (dataDir === undefined) throw new Error(`node "${nodeName}" has no directory here`);
    return join(nodeDir(dataDir, number), 'volumes');
  };
  return {
    async make(nodeName, volume) {
      const parent = parentOf(nodeName);
      const name = checkedName(volume);
      if (parent === undefined) return join('/var/lib/timonier/volumes', name);
      await mkdir(parent, { mode: parentMode }).catch(unlessThere);
      await using held = await HeldDirectory.open(parent, gate);
      await held.makeDirectory(name, volumeMode).catch(unlessThere);
      await using _volume = await held.directory(name);
      return join(parent, name);
    },
    async remove(nodeName, volume) {
      const parent = parentOf(nodeName);
      if (parent !== undefined) await removeTree(join(parent, checkedName(volume)), gate);
    },
  };
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
