/** Address ranges of IPv4 as numbers: what CNI configuration, routes and simulated pods need of them. */

export interface Cidr {
  readonly base: number;
  readonly prefixLength: number;
  /** how many addresses, the network's and the broadcast one included */
  readonly size: number;
}

function parseIPv4(text: string): number {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256))
    throw new RangeError(`not an IPv4 address: ${text}`);
  return parts.reduce((address, part) => address * 256 + Number(part), 0);
}

const formatIPv4 = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');

/** Of a list separated by commas (dual stack), the IPv4 one. */
export function parseCidr(text: string): Cidr {
  const first = text.split(',').find((part) => part.includes('.')) ?? text;
  const [address = '', prefix = ''] = first.trim().split('/');
  const prefixLength = Number(prefix);
  if (!/^\d+$/.test(prefix) || prefixLength > 32) throw new RangeError(`not an address range: ${text}`);
  const size = 2 ** (32 - prefixLength);
  return { base: Math.floor(parseIPv4(address) / size) * size, prefixLength, size };
}

export const formatCidr = ({ base, prefixLength }: Cidr): string => `${formatIPv4(base)}/${prefixLength}`;

export const isInCidr = ({ base, size }: Cidr, address: string): boolean => {
  const index = parseIPv4(address) - base;
  return index >= 0 && index < size;
};

/** The address at this place in the range. */
export function addressAt(cidr: Cidr, index: number): string {
  if (index < 0 || index >= cidr.size) throw new RangeError(`${formatCidr(cidr)} has no address ${index}`);
  return formatIPv4(cidr.base + index);
}

/** The `index`th part of a range that is cut into parts of this length: `10.244.0.0/16`, 24, 1 → `10.244.1.0/24`. */
export function subnetAt(cidr: Cidr, prefixLength: number, index: number): Cidr {
  const size = 2 ** (32 - prefixLength);
  if (prefixLength < cidr.prefixLength || (index + 1) * size > cidr.size)
    throw new RangeError(`${formatCidr(cidr)} has no part ${index} of /${prefixLength}`);
  return { base: cidr.base + index * size, prefixLength, size };
}
