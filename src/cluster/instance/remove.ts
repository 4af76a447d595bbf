/**
 * Takes away what a cluster left on the machine outside its own directory: containers, mounts, cgroups, network
 * namespaces, links, rules, routes; whether it stopped cleanly or was killed. Only what carries its name is touched, and
 * nothing of another cluster of that name (name-claim.ts).
 * Files stay, so that the logs of a start that failed can be read.
 */
import { existsSync } from 'node:fs';
import { realClock } from '../../client/clock.ts';
import { unmountBelow } from '../../node/files/mounts.ts';
import { networkTools } from '../../node/network/network-tools.ts';
import { removeNodeNamespaces } from '../../node/network/node-network.ts';
import { removePodNetwork } from '../../node/network/pod-network.ts';
import { renderRemoval } from '../../node/nft/ruleset.ts';
import { removeContainerd } from '../../node/runtime/remove-containerd.ts';
import { endLeftNode } from '../nodes/node-process.ts';
import { clusterCgroup, policyTableName } from '../nodes/real-node.ts';
import { proxyTable } from '../nodes/service-proxy.ts';
import { readNetworks } from '../settings/address-plan.ts';
import { containerdDir, type Instance, nodeDirs, nodesDir } from './instance.ts';
import { lostDirectory, ownsGroup, ownsNetwork, releaseName } from './name-claim.ts';

export async function removeTraces({ name: cluster, dir }: Pick<Instance, 'name' | 'dir'>): Promise<void> {
  const nodes = nodeDirs(dir);
  if (!existsSync(nodesDir(dir)) && nodes.length === 0 && (await lostDirectory(cluster)) !== dir) return; // never had a real node
  const cgroup = (await ownsGroup({ name: cluster, dir })) ? clusterCgroup(cluster) : undefined;
  for (const node of nodes) {
    await endLeftNode(node);
    await removeContainerd({ dataDir: containerdDir(node), clock: realClock, cgroup, keepFiles: true });
  }
  await unmountBelow(dir);
  await removeNetwork({ name: cluster, dir });
}

/** Links, network namespaces, rules and routes: all that a cluster that has stopped cleanly would leave there. */
export async function removeNetwork({ name: cluster, dir }: Pick<Instance, 'name' | 'dir'>): Promise<void> {
  await releaseName({ name: cluster, dir });
  if (!(await ownsNetwork({ name: cluster, dir }))) return;
  await removePodNetwork({ cluster, ...podRangeOf(dir) });
  const tables = [
    { family: 'ip', name: proxyTable(cluster) },
    { family: 'inet', name: policyTableName(cluster) },
  ] as const;
  await networkTools().nft(tables.map(renderRemoval).join(''));
  await removeNodeNamespaces(cluster);
}

/** As far as its record is whole; all the rest goes by its name. */
function podRangeOf(dir: string): { readonly clusterCidr?: string } {
  try {
    const { podCIDR } = readNetworks(dir) ?? {};
    return podCIDR === undefined ? {} : { clusterCidr: podCIDR };
  } catch {
    return {};
  }
}
