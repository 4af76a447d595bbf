/**
 * Several nodes on one machine: a network namespace for each further node, joined to this namespace by a link of its
 * own. The machine has the subnet's first address, routes between the nodes and is their way out; the nodes have the
 * addresses after it. Nothing is switched: where `br_netfilter` is loaded, a bridge does not let a node's packet back
 * to that node once it was sent on to another address, as a node port does.
 *
 * Guarantees: making it twice changes nothing; removing it removes every link and namespace it made, and needs nothing
 * remembered but the cluster's name. Specified in ip-link(8), ip-netns(8).
 */

import { createHash } from 'node:crypto';
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJSON } from '../../api/schema/json-scan.ts';
import { unmountBelow } from '../files/mounts.ts';
import { addressAt, parseCidr } from './cidr.ts';
import { type NetworkTools, networkTools } from './network-tools.ts';

export interface NodeNamespacesOptions {
  readonly cluster: string;
  /** how many nodes besides the machine itself */
  readonly nodes: number;
  /** for the machine and its nodes: `172.30.0.0/24` */
  readonly subnet: string;
  /** Services; a route keeps what is sent to them from here on this machine, even where it has no way out. */
  readonly serviceCidr?: string;
  /** whose the link is, for `linkOwner` */
  readonly owner?: string | undefined;
}

export interface NodeNamespace {
  /** as `ip netns` shows it */
  readonly name: string;
  /** what `nsenter --net=` takes */
  readonly netns: string;
  readonly address: string;
}

export interface NodeNamespaces extends AsyncDisposable {
  /** the machine's own address among its nodes */
  readonly hostAddress: string;
  readonly nodes: readonly NodeNamespace[];
  /** nothing of it was there before */
  readonly isNew: boolean;
}

const interfaceNameMax = 15;
const netnsDir = '/run/netns';
const nodeInterface = 'eth0';
const hostIndex = 1;
/** In no cluster's name: node 2 of "a" is not cluster "a-2". */
const linkSeparator = '_';

/** Number 2 is the first node besides the machine. */
const namespaceName = (cluster: string, number: number): string => `timonier-${cluster}-${number}`;

/** A link's name of at most 15 characters: the cluster's own name where it fits. */
export function linkName(cluster: string, suffix = ''): string {
  const plain = `tm-${cluster}${suffix}`;
  if (plain.length <= interfaceNameMax) return plain;
  return `tm-${createHash('sha256').update(cluster).digest('hex').slice(0, 8)}${suffix}`;
}

export async function createNodeNamespaces({ cluster, nodes, subnet, serviceCidr, owner }: NodeNamespacesOptions): Promise<NodeNamespaces> {
  const tools = networkTools();
  const range = parseCidr(subnet);
  const holder = linkName(cluster);
  const hostAddress = addressAt(range, hostIndex);
  const [links, namespaces] = await Promise.all([listLinks(tools), listNamespaces(tools)]);
  // A bridge that joins nothing: not every kernel has dummy links.
  if (!links.has(holder)) await tools.ip('link', 'add', holder, 'type', 'bridge');
  await tools.ip('address', 'replace', `${hostAddress}/${range.prefixLength}`, 'dev', holder);
  await tools.ip('link', 'set', holder, 'up', ...(owner === undefined ? [] : ['alias', owner]));
  if (serviceCidr !== undefined) await tools.ip('route', 'replace', serviceCidr, 'dev', holder);
  await tools.sysctl('ipv4/ip_forward', '1');
  const made: NodeNamespace[] = [];
  for (let number = 2; number < nodes + 2; number++) {
    const name = namespaceName(cluster, number);
    const address = addressAt(range, hostIndex + number - 1);
    const link = linkName(cluster, `${linkSeparator}${number}`);
    if (!namespaces.has(name)) await tools.ip('netns', 'add', name);
    if (!links.has(link)) await tools.ip('link', 'add', link, 'type', 'veth', 'peer', 'name', nodeInterface, 'netns', name);
    await tools.ip('link', 'set', link, 'up');
    await tools.ip('address', 'replace', `${hostAddress}/32`, 'dev', link); // what masquerading takes
    await tools.ip('route', 'replace', address, 'dev', link);
    // The machine answers a node's questions for the others, and at once.
    await tools.sysctl(`ipv4/conf/${link}/proxy_arp`, '1');
    await tools.sysctl(`ipv4/neigh/${link}/proxy_delay`, '0');
    const netns = join(netnsDir, name);
    await setUpNode(networkTools(netns), { address: `${address}/${range.prefixLength}`, gateway: hostAddress });
    made.push({ name, netns, address });
  }
  return { hostAddress, nodes: made, isNew: !links.has(holder), [Symbol.asyncDispose]: () => removeNodeNamespaces(cluster) };
}

async function setUpNode(tools: NetworkTools, { address, gateway }: { readonly address: string; readonly gateway: string }): Promise<void> {
  await tools.ip('link', 'set', 'lo', 'up');
  await tools.ip('address', 'replace', address, 'dev', nodeInterface);
  await tools.ip('link', 'set', nodeInterface, 'up');
  await tools.ip('route', 'replace', 'default', 'via', gateway);
  await tools.sysctl('ipv4/ip_forward', '1');
}

/** Its processes must have ended: a namespace lives as long as one is in it. */
export async function removeNodeNamespaces(cluster: string): Promise<void> {
  const tools = networkTools();
  const [links, namespaces] = await Promise.all([listLinks(tools), listNamespaces(tools)]);
  const isOurs = (name: string, prefix: string): boolean => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length));
  for (const link of links.keys()) if (isOurs(link, linkName(cluster, linkSeparator))) await tools.ip('link', 'delete', link);
  for (const name of namespaces) if (isOurs(name, namespaceName(cluster, 0).slice(0, -1))) await tools.ip('netns', 'delete', name);
  if (links.has(linkName(cluster))) await tools.ip('link', 'delete', linkName(cluster));
  await removeNamespaceDirectory();
}

/** The first `ip netns add` made a mount of it; it makes a new one when needed. */
async function removeNamespaceDirectory(): Promise<void> {
  const names = await readdir(netnsDir).catch(() => ['']);
  if (names.length > 0) return;
  await unmountBelow(netnsDir);
  await rmdir(netnsDir);
}

/** As it was given when the cluster's link was made; empty when none was. Undefined: there is no link. */
export async function linkOwner(cluster: string): Promise<string | undefined> {
  const links = await listLinks();
  return links.get(linkName(cluster));
}

/** Names, with their aliases. */
export async function listLinks(tools = networkTools()): Promise<Map<string, string>> {
  const links = parseJSON(await tools.ip('-json', 'link', 'show')) as { readonly ifname: string; readonly ifalias?: string }[];
  return new Map(links.map(({ ifname, ifalias = '' }) => [ifname, ifalias]));
}

async function listNamespaces(tools: NetworkTools): Promise<Set<string>> {
  const text = await tools.ip('-json', 'netns', 'list');
  const namespaces = parseJSON(text.trim() || '[]') as { readonly name: string }[];
  return new Set(namespaces.map(({ name }) => name));
}
