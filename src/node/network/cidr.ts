/** Ranges of IPv4 addresses by their places and parts: what CNI configuration, routes and simulated pods need of them. */
import { addressNumber, formatAddress, parseCIDR } from '../../api/meta/addresses.ts';

export interface Cidr {
  readonly base: number;
  readonly prefixLength: number;
  /** how many addresses, the network's and the broadcast one included */
  readonly size: number;
}

/** Of a list separated by commas (dual stack), the IPv4 one. */
export function parseCidr(text: string): Cidr {
  const cidr = parseCIDR((text.split(',').find((part) => part.includes('.')) ?? text).trim());
  if (cidr?.family !== 'IPv4') throw new RangeError(`not an address range: ${text}`);
  const size = 2 ** cidr.hostBits;
  return { base: Math.floor(Number(cidr.address) / size) * size, prefixLength: cidr.prefix, size };
}

export const formatCidr = ({ base, prefixLength }: Cidr): string => `${format(base)}/${prefixLength}`;

const format = (address: number): string => formatAddress(BigInt(address), 'IPv4');

export const isInCidr = ({ base, size }: Cidr, address: string): boolean => {
  const index = Number(addressNumber(address)) - base;
  return index >= 0 && index < size;
};

/** The address at this place in the range. */
export function addressAt(cidr: Cidr, index: number): string {
  if (index < 0 || index >= cidr.size) throw new RangeError(`${formatCidr(cidr)} has no address ${index}`);
  return format(cidr.base + index);
}

/** The `index`th part of a range that is cut into parts of this length: `10.244.0.0/16`, 24, 1 → `10.244.1.0/24`. */
export function subnetAt(cidr: Cidr, prefixLength: number, index: number): Cidr {
  const size = 2 ** (32 - prefixLength);
  if (prefixLength < cidr.prefixLength || (index + 1) * size > cidr.size)
    throw new RangeError(`${formatCidr(cidr)} has no part ${index} of /${prefixLength}`);
  return { base: cidr.base + index * size, prefixLength, size };
}
