/**
 * Which networks a cluster uses. Clusters that run side by side on one machine share its routes and rules, so each has
 * a number of its own, and networks by that number; it is kept with the cluster. Settings of one's own win.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressAt, parseCidr } from '../node/network/cidr.ts';
import { type ClusterConfig, configDefaults } from './config.ts';
import { listInstances } from './instance.ts';
import { OperationError } from './operation-error.ts';

export interface AddressPlan {
  readonly serviceCIDR: string;
  readonly podCIDR: string;
  readonly nodeCIDR: string;
  /** of the Service `kubernetes` */
  readonly apiServiceIP: string;
  readonly dnsServiceIP: string;
}

const clustersMax = 10;
const file = 'network.json';
const apiServiceIndex = 1;
const dnsServiceIndex = 10;

/** Cluster 0 has the usual networks, the others those beside them. */
function networksOf(number: number): { serviceCIDR: string; podCIDR: string; nodeCIDR: string } {
  return { serviceCIDR: `10.${96 + number}.0.0/16`, podCIDR: `10.${244 + number}.0.0/16`, nodeCIDR: `172.31.${250 - number}.0/24` };
}

export function planAddresses(config: ClusterConfig, number: number): AddressPlan {
  const usual = number === 0 ? configDefaults : networksOf(number);
  const { serviceCIDR = usual.serviceCIDR, podCIDR = usual.podCIDR, nodeCIDR = usual.nodeCIDR } = config;
  const services = parseCidr(serviceCIDR);
  return {
    serviceCIDR,
    podCIDR,
    nodeCIDR,
    apiServiceIP: addressAt(services, apiServiceIndex),
    dnsServiceIP: addressAt(services, dnsServiceIndex),
  };
}

/** The number that a kept cluster has, or the lowest that no other one of this machine has. */
export function clusterNumber(dir: string): number {
  const kept = readNumber(dir);
  if (kept !== undefined) return kept;
  const taken = new Set(listInstances().map((instance) => readNumber(instance.dir)));
  for (let number = 0; number < clustersMax; number++) {
    if (taken.has(number)) continue;
    writeFileSync(join(dir, file), `${JSON.stringify({ number })}\n`, { mode: 0o600 });
    return number;
  }
  throw new OperationError({
    code: 'too-many-clusters',
    message: `there are ${clustersMax} clusters on this machine already`,
    fix: 'delete one (`timonier list`)',
  });
}

function readNumber(dir: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(join(dir, file), 'utf8')) as { number: number }).number;
  } catch {
    return undefined; // a new one, or one in memory
  }
}
