/**
 * A CIDR as a row of addresses that can be handed out, numbered from 0. IPv4 leaves out the network and the broadcast
 * address, IPv6 the network address. Upstream: pkg/registry/core/service/ipallocator/ipallocator.go.
 */
import { addressNumber, familyOf, formatAddress, type IPFamily, parseCIDR } from '../../../api/meta/addresses.ts';
import { addressCount, firstAddress } from '../../../api/predicates/service-ranges.ts';

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

/** Of a longer IPv6 range only so many addresses are used. */
const hostBitsMax = 48;
const band = { min: 16, max: 256, step: 16 };

/** Throws when the text is no CIDR. */
export function parseRange(cidr: string): AddressRange {
  const parsed = parseCIDR(cidr);
  if (!parsed) throw new Error(`invalid service CIDR ${cidr}`);
  const { family } = parsed;
  const first = firstAddress(parsed);
  const used = { ...parsed, hostBits: Math.min(parsed.hostBits, hostBitsMax) };
  const size = Number(addressCount(used));
  const total = 2 ** used.hostBits;
  return {
    cidr,
    family,
    size,
    staticSize: total <= band.min ? 0 : Math.min(Math.max(band.min, Math.floor(total / band.step)), band.max, size),
    indexOf(address) {
      if (familyOf(address) !== family) return undefined;
      const index = addressNumber(address) - first;
      return index >= 0n && index < BigInt(size) ? Number(index) : undefined;
    },
    addressAt: (index) => formatAddress(first + BigInt(index), family),
  };
}
