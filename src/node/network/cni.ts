/**
 * The pod network of one node as a CNI configuration: the standard plugins `ptp` and `host-local` (containerd adds
 * `loopback`). Every pod has a veth pair of its own, and all its traffic is routed by the node: so Services, network
 * policies and host ports see each packet in the ordinary hooks, also between two pods of one node. A bridge would
 * need the br_netfilter module for that.
 * Deliberately without ipMasq and portmap, which want iptables: node-rules.ts does it with nftables.
 * Specified in containernetworking/cni SPEC.md.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../client/files/replace-file.ts';
import { formatCidr, parseCidr } from './cidr.ts';

export interface CNIConfigOptions {
  /** names what the plugins remember; one per node of a machine */
  readonly network: string;
  /** the node's own range */
  readonly podCidr: string;
  /** where host-local keeps its reservations */
  readonly ipamDir: string;
  readonly mtu?: number;
}

const requiredPlugins = ['ptp', 'host-local', 'loopback'];
/** Where distributions put the standard plugins. */
export const cniPluginDirs = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni', '/usr/local/lib/cni'];
const configFile = '10-timonier.conflist';

/** The first of the directories that has all that is needed. */
export function findCniPlugins(dirs: readonly string[] = cniPluginDirs): string | undefined {
  return dirs.find((dir) => requiredPlugins.every((plugin) => existsSync(join(dir, plugin))));
}

function renderCniConfig({ network, podCidr, ipamDir, mtu }: CNIConfigOptions): object {
  const subnet = formatCidr(parseCidr(podCidr));
  return {
    cniVersion: '1.0.0',
    name: network,
    plugins: [
      {
        type: 'ptp',
        ipMasq: false,
        ...(mtu !== undefined && { mtu }),
        ipam: { type: 'host-local', dataDir: ipamDir, ranges: [[{ subnet }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
    ],
  };
}

/** Puts it in place at once, if it is not there yet: containerd watches the directory. */
export async function writeCniConfig(dir: string, options: CNIConfigOptions): Promise<void> {
  const text = `${JSON.stringify(renderCniConfig(options), undefined, 2)}\n`;
  const file = join(dir, configFile);
  await mkdir(dir, { recursive: true });
  replaceFile(file, text);
}
