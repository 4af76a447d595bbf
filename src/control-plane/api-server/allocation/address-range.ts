/**
 * A CIDR as a row of addresses that can be handed out, numbered from 0. IPv4 leaves out the network and the broadcast
 * address, IPv6 the network address. Upstream: pkg/registry/core/service/ipallocator/ipallocator.go.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { canonicalIP } from '../../../api/kinds/ip-checks.ts';

export type IPFamily = 'IPv4' | 'IPv6';

export interface AddressRange {
  readonly cidr: string;
  readonly family: IPFamily;
  readonly size: number;
  /** how many addresses at the start are kept for those who ask for one by name, as long as others are left */
  readonly staticSize: number;
  /** the address's number; undefined when the range does not have it */
  indexOf(address: string): number | undefined;
  addressAt(index: number): string;
}

const bitsOf = { IPv4: 32, IPv6: 128 } as const;
/** Of a longer IPv6 range only so many addresses are used. */
const hostBitsMax = 48;
const band = { min: 16, max: 256, step: 16 };

export const familyOf = (address: string): IPFamily => (isIPv6(address) ? 'IPv6' : 'IPv4');

/** Throws when the text is no CIDR. */
export function parseRange(cidr: string): AddressRange {
  const [base = '', length = ''] = cidr.split('/');
  const family = familyOf(base);
  const hostBits = bitsOf[family] - Number(length);
  if ((!isIPv4(base) && !isIPv6(base)) || !/^\d+$/.test(length) || hostBits < 0) throw new Error(`invalid service CIDR ${cidr}`);
  const first = ((parseAddress(base) >> BigInt(hostBits)) << BigInt(hostBits)) + 1n;
  const total = 2 ** Math.min(hostBits, hostBitsMax);
  const size = Math.max(0, total - (family === 'IPv4' ? 2 : 1));
  return {
    cidr,
    family,
    size,
    staticSize: total <= band.min ? 0 : Math.min(Math.max(band.min, Math.floor(total / band.step)), band.max, size),
    indexOf(address) {
      if (familyOf(address) !== family) return undefined;
      const index = parseAddress(address) - first;
      return index >= 0n && index < BigInt(size) ? Number(index) : undefined;
    },
    addressAt: (index) => formatAddress(first + BigInt(index), family),
  };
}

function parseAddress(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
  const [head = '', tail] = address.split('::');
  const groups = (text: string): string[] => (text ? text.split(':').flatMap(expandIPv4) : []);
  const left = groups(head);
  const right = groups(tail ?? '');
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** The last 32 bits may be written as an IPv4 address. */
function expandIPv4(group: string): string[] {
  if (!isIPv4(group)) return [group];
  const value = Number(parseAddress(group));
  return [(value >>> 16).toString(16), (value & 0xffff).toString(16)];
}

function formatAddress(value: bigint, family: IPFamily): string {
  const width = family === 'IPv4' ? 8n : 16n;
  const count = family === 'IPv4' ? 4 : 8;
  const parts = Array.from({ length: count }, (_, i) => (value >> (width * BigInt(count - 1 - i))) & ((1n << width) - 1n));
  return family === 'IPv4' ? parts.join('.') : canonicalIP(parts.map((part) => part.toString(16)).join(':'));
}
