/**
 * Which networks a cluster uses. Clusters that run side by side on one machine share its routes and rules, so each has
 * networks by a number of its own that nothing else on the machine uses; settings of one's own win. What was chosen is
 * kept with the cluster: later starts use it again, and removing it knows what to take away.
 */
import { join } from 'node:path';
import { addressAt, parseCidr } from '../../node/network/cidr.ts';
import { isFree, usedRanges } from '../../node/network/free-range.ts';
import { type Instance, listInstances } from '../instance/instance.ts';
import { OperationError } from '../operation-error.ts';
import type { ClusterConfig } from './config.ts';
import { readKept, writeKept } from './kept-file.ts';

export interface Networks {
  readonly serviceCIDR: string;
  readonly podCIDR: string;
  readonly nodeCIDR: string;
}

export interface AddressPlan extends Networks {
  /** of the Service `kubernetes` */
  readonly apiServiceIP: string;
  readonly dnsServiceIP: string;
}

interface KeptNetworks extends Networks {
  readonly number: number;
}

const clustersMax = 10;
const file = 'network.json';
const apiServiceIndex = 1;
const dnsServiceIndex = 10;

/** Cluster 0 has the usual networks, the others those beside them. */
const networksOf = (number: number): Networks => ({
  serviceCIDR: `10.${96 + number}.0.0/16`,
  podCIDR: `10.${244 + number}.0.0/16`,
  nodeCIDR: `172.31.${250 - number}.0/24`,
});

/** Of a cluster that keeps nothing: it has no real nodes, so no other one can meet it. */
export const planAddresses = (config: ClusterConfig): AddressPlan => withServices(merge(networksOf(0), config));

/** Of a cluster with a directory: what it has, or what is free now. `real` says whether it will have real nodes. */
export async function keepAddresses(
  config: ClusterConfig,
  { dir, real }: { readonly dir: string; readonly real: boolean },
): Promise<AddressPlan> {
  const kept = readNetworks(dir);
  if (kept) {
    checkNetworksUnchanged(config, kept);
    return withServices(kept);
  }
  const used = real ? await usedRanges() : [];
  const number = freeNumber(config, used);
  const networks = merge(networksOf(number), config);
  writeKept(join(dir, file), { number, ...networks });
  return withServices(networks);
}

/** Undefined: a new one. */
export function readNetworks(dir: string): KeptNetworks | undefined {
  const isWhole = ({ number, serviceCIDR, podCIDR, nodeCIDR }: Partial<KeptNetworks>): boolean =>
    Number.isInteger(number) && [serviceCIDR, podCIDR, nodeCIDR].every((cidr) => typeof cidr === 'string' && /^[\d.]+\/\d+$/.test(cidr));
  const fix = 'put it back from a copy; or write it anew: number, serviceCIDR, podCIDR and nodeCIDR, as objects and pods have them';
  return readKept<KeptNetworks>(join(dir, file), isWhole, fix);
}

/** Of another cluster, whose damaged files are not this one's matter. */
function numberOf(instance: Instance): number | undefined {
  try {
    return readNetworks(instance.dir)?.number;
  } catch {
    return undefined;
  }
}

/** The lowest that no other cluster has and whose networks are free; where none is (a wide VPN), the lowest. */
function freeNumber(config: ClusterConfig, used: readonly string[]): number {
  const taken = new Set(listInstances().map(numberOf));
  const numbers = Array.from({ length: clustersMax }, (_, number) => number).filter((number) => !taken.has(number));
  const isUnused = (number: number): boolean => Object.values(merge(networksOf(number), config)).every((range) => isFree(range, used));
  const number = numbers.find(isUnused) ?? numbers[0];
  if (number !== undefined) return number;
  throw new OperationError({
    code: 'too-many-clusters',
    message: `there are ${clustersMax} clusters on this machine already`,
    fix: 'delete one (`timonier list`)',
  });
}

function merge(usual: Networks, { serviceCIDR, podCIDR, nodeCIDR }: ClusterConfig): Networks {
  return {
    serviceCIDR: serviceCIDR ?? usual.serviceCIDR,
    podCIDR: podCIDR ?? usual.podCIDR,
    nodeCIDR: nodeCIDR ?? usual.nodeCIDR,
  };
}

function withServices({ serviceCIDR, podCIDR, nodeCIDR }: Networks): AddressPlan {
  const services = parseCidr(serviceCIDR);
  const [apiServiceIP, dnsServiceIP] = [addressAt(services, apiServiceIndex), addressAt(services, dnsServiceIndex)];
  return { serviceCIDR, podCIDR, nodeCIDR, apiServiceIP, dnsServiceIP };
}

/** Services and nodes have addresses of the networks that the cluster was made with. */
export function checkNetworksUnchanged(config: ClusterConfig, kept: Networks): void {
  const names = ['serviceCIDR', 'podCIDR', 'nodeCIDR'] as const;
  const changed = names.filter((name) => config[name] !== undefined && config[name] !== kept[name]);
  if (changed.length === 0) return;
  throw new OperationError({
    code: 'bad-config',
    message: `a cluster's networks can't be changed: ${changed.map((name) => `${name} is ${kept[name]}`).join(', ')}`,
    fix: 'leave the settings as they were, or delete the cluster and start it anew',
  });
}
