/**
 * The addresses of Services: the IPAddress object that each has, and which CIDRs give it out. Asked by who hands them
 * out, who mends what they left, and who lets go of a CIDR.
 * Upstream: pkg/api/servicecidr, pkg/registry/core/service/ipallocator.
 */
import type { IPAddress, Service, ServiceCIDR } from '../generated/kinds.ts';
import { type CIDR, contains, familyOf, parseCIDR } from '../meta/addresses.ts';
import type { New } from '../meta/object.ts';

const familyLabel = 'ipaddress.kubernetes.io/ip-family';
/** Who made an IPAddress; only those that Services have hold a CIDR. */
const managedByLabel = 'ipaddress.kubernetes.io/managed-by';
const managedByAllocator = 'ipallocator.k8s.io';

/** What the allocator makes for a Service's address. */
export const ipAddressOf = (address: string, { metadata: { namespace, name } }: Service): New<IPAddress> => ({
  metadata: { name: address, labels: labelsOf(address) },
  spec: { parentRef: { resource: 'services', ...(namespace && { namespace }), ...(name && { name }) } },
});

/** The allocator's own; others' it leaves alone. */
export const isManaged = ({ metadata }: IPAddress): boolean => metadata.labels?.[managedByLabel] === managedByAllocator;

/** It has all labels that the allocator gives it. */
export const isLabelled = (address: IPAddress): boolean =>
  isManaged(address) && address.metadata.labels?.[familyLabel] === familyOf(address.metadata.name);

const labelsOf = (address: string) => ({ [familyLabel]: familyOf(address), [managedByLabel]: managedByAllocator });

/** All of `inner` is in `outer`, or they are the same. */
export function isWithin(inner: string, outer: string): boolean {
  const [a, b] = [parseCIDR(inner), parseCIDR(outer)];
  return a !== undefined && b !== undefined && contains(b, a);
}

export const overlap = (a: string, b: string): boolean => isWithin(a, b) || isWithin(b, a);

export const gives = ({ spec }: ServiceCIDR, address: string): boolean => (spec.cidrs ?? []).some((cidr) => givesOut(cidr, address));

/** The address is one that the CIDR gives to Services: not that of its network, and in IPv4 not the broadcast address. */
export function givesOut(cidr: string, address: string): boolean {
  const [range, one] = [parseCIDR(cidr), parseCIDR(`${address}/0`)];
  if (!range || one?.family !== range.family) return false;
  const index = one.address - firstAddress(range);
  return index >= 0n && index < addressCount(range);
}

/** The first that Services get. */
export const firstAddress = ({ address, hostBits }: CIDR): bigint => ((address >> BigInt(hostBits)) << BigInt(hostBits)) + 1n;

/** How many Services get, from the first on. */
export function addressCount({ family, hostBits }: CIDR): bigint {
  const total = 1n << BigInt(hostBits);
  const left = family === 'IPv4' ? 2n : 1n;
  return total > left ? total - left : 0n;
}
