/** What a client is warned of who writes an address in an odd way. Upstream: apimachinery/pkg/util/validation/ip.go. */
import { isIPv4 } from 'node:net';
import { canonicalIP, isIPAddress, isIPv6Address, withoutLeadingZeros } from '../meta/addresses.ts';

/** Nothing for what is no address at all: validation tells of that. */
export function ipWarnings(path: string, value: string | undefined): readonly string[] {
  if (!value) return [];
  const standard = standardForm(value);
  if (standard !== undefined) return [`${path}: non-standard IP address "${value}" is invalid: use "${standard}"`];
  const canonical = isIPv6Address(value) ? canonicalIP(value) : value;
  if (canonical === value) return [];
  return [`${path}: IPv6 address "${value}" should be in RFC 5952 canonical format ("${canonical}")`];
}

/** What should be written instead of leading zeros, or of IPv4 in IPv6; undefined when the value is fine. */
function standardForm(value: string): string | undefined {
  if (isIPv4(value)) return undefined;
  if (!isIPAddress(value)) {
    const sloppy = withoutLeadingZeros(value);
    return isIPAddress(sloppy) ? sloppy : undefined;
  }
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonicalIP(value));
  if (!mapped) return undefined;
  const numbers = [mapped[1] ?? '', mapped[2] ?? ''].map((group) => Number.parseInt(group, 16));
  return numbers.flatMap((number) => [number >> 8, number & 255]).join('.');
}

export function cidrWarnings(path: string, value: string): readonly string[] {
  const [address = '', prefix = '', rest] = value.split('/', 3);
  const isClean = rest === undefined && /^\d+$/.test(prefix);
  const plain = standardForm(address) ?? address;
  if (!isClean || !isIPAddress(plain)) return [];
  const bits = isIPv6Address(plain) ? 128 : 32;
  const network = networkOf(plain, Number(prefix));
  const warnings: string[] = [];
  if (network !== canonicalIP(plain)) {
    const alone = `${canonicalIP(plain)}/${bits}`;
    warnings.push(`${path}: CIDR value "${value}" is ambiguous in this context (should be "${network}/${Number(prefix)}" or "${alone}"?)`);
  }
  if (plain !== address || /^0\d/.test(prefix)) {
    warnings.push(`${path}: non-standard CIDR value "${value}" is invalid: use "${network}/${Number(prefix)}"`);
  }
  const canonical = `${canonicalIP(plain)}/${prefix}`;
  if (!warnings.length && canonical !== value) {
    warnings.push(`${path}: IPv6 CIDR value "${value}" should be in RFC 5952 canonical format ("${canonical}")`);
  }
  return warnings;
}

/** The address with the bits beyond the prefix cleared. */
function networkOf(address: string, prefix: number): string {
  const v4 = isIPv4(address);
  const size = v4 ? 8 : 16;
  const groups = v4 ? address.split('.').map(Number) : groupsOf(address);
  const masked = groups.map((group, i) => {
    const kept = Math.min(Math.max(prefix - i * size, 0), size);
    return group & ~(2 ** (size - kept) - 1) & (2 ** size - 1);
  });
  return v4 ? masked.join('.') : canonicalIP(masked.map((group) => group.toString(16)).join(':'));
}

function groupsOf(address: string): readonly number[] {
  const [head = '', tail = ''] = canonicalIP(address).split('::');
  const read = (part: string): number[] => (part ? part.split(':').map((group) => Number.parseInt(group, 16)) : []);
  const [left, right] = [read(head), read(tail)];
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}
