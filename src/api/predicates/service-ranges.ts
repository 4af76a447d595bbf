/**
 * Which CIDRs of Services hold what: asked by who hands out addresses, and by who lets go of a CIDR.
 * Upstream: pkg/api/servicecidr.
 */
import { parseSloppyCIDR } from '../kinds/ip-checks.ts';

/** Who made an IPAddress, in its label; only those that Services have hold a CIDR. */
export const managedByLabel = 'ipaddress.kubernetes.io/managed-by';
export const managedByAllocator = 'ipallocator.k8s.io';

/** All of `inner` is in `outer`, or they are the same. */
export function isWithin(inner: string, outer: string): boolean {
  const [a, b] = [parseSloppyCIDR(inner), parseSloppyCIDR(outer)];
  return a !== undefined && b !== undefined && a.length === b.length && a.prefix >= b.prefix && sameStart(a.bits, b.bits, b.prefix);
}

export const overlap = (a: string, b: string): boolean => isWithin(a, b) || isWithin(b, a);

/** The address is one that the CIDR gives to Services: not that of its network, and in IPv4 not the broadcast address. */
export function givesOut(cidr: string, address: string): boolean {
  const [range, one] = [parseSloppyCIDR(cidr), parseSloppyCIDR(`${address}/0`)];
  if (!range || !one || range.length !== one.length || !sameStart(range.bits, one.bits, range.prefix)) return false;
  const host = one.bits.slice(range.prefix);
  return host.includes('1') && (range.length !== 32 || host.includes('0'));
}

const sameStart = (a: string, b: string, length: number): boolean => a.slice(0, length) === b.slice(0, length);
