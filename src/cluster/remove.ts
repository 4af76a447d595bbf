/**
 * Takes away what a cluster left on the machine outside its own directory: containers, mounts, cgroups, network
 * namespaces, links, rules, routes; whether it stopped cleanly or was killed. Only what carries its name is touched.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { realClock } from '../client/clock.ts';
import { networkTools } from '../node/network/network-tools.ts';
import { removeNodeNamespaces } from '../node/network/node-network.ts';
import { removePodNetwork } from '../node/network/pod-network.ts';
import { unmountBelow } from '../node/runtime/mounts.ts';
import { removeContainerd } from '../node/runtime/remove-containerd.ts';
import { readNetworks } from './address-plan.ts';
import { type Instance, nodesDir } from './instance.ts';
import { clusterCgroup } from './real-node.ts';
import { proxyTable } from './service-proxy.ts';

export async function removeTraces(instance: Instance): Promise<void> {
  const nodes = await readdir(nodesDir(instance.dir)).catch(() => []);
  if (nodes.length === 0) return; // never had a real node
  const cluster = instance.name;
  for (const node of nodes) {
    await removeContainerd({
      dataDir: join(instance.nodeDir(Number(node)), 'containerd'),
      clock: realClock,
      cgroup: clusterCgroup(cluster),
    });
  }
  await unmountBelow(instance.dir);
  const networks = readNetworks(instance.dir);
  if (networks) await removePodNetwork({ cluster, clusterCidr: networks.podCIDR });
  const table = proxyTable(cluster);
  await networkTools().nft(`add table ip ${table}\ndelete table ip ${table}\n`);
  await removeNodeNamespaces(cluster);
}
