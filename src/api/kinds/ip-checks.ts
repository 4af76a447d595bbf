/**
 * What is wrong with IP addresses and CIDRs. Strict: no leading zeros, no IPv4 in IPv6. Upstream: apimachinery/pkg/util/validation/ip.go, pkg/apis/core/validation (endpoint IPs).
 */
import { isIPv4 } from 'node:net';
import { canonicalIP, contains, isIPAddress, isIPv6Address, parseCIDR, parseIPv6, withoutLeadingZeros } from '../meta/addresses.ts';

const none: readonly string[] = [];

/** What nearly all addresses are, at a small price: a number of 32 bits; undefined for all others. */
function parseIPv4(text: string, end = text.length): number | undefined {
  if (end > ipv4CharactersMax) return undefined;
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let at = 0; at < end; at++) {
    const c = text.charCodeAt(at);
    if (c === dot && octet >= 0) {
      value = value * 256 + octet;
      octet = -1;
      dots++;
    } else if (c >= zero && c <= nine && octet !== 0) octet = octet < 0 ? c - zero : octet * 10 + c - zero;
    else return undefined;
    if (octet > 255) return undefined;
  }
  return octet >= 0 && dots === 3 ? value * 256 + octet : undefined;
}

/** The same of `10.0.0.0/8`. */
function parseIPv4CIDR(text: string): { readonly value: number; readonly prefix: number } | undefined {
  const slash = text.indexOf('/');
  const value = slash < 0 ? undefined : parseIPv4(text, slash);
  const prefix = parsePrefix(text, slash + 1);
  return value === undefined || prefix === undefined ? undefined : { value, prefix };
}

/** 0 to 32, without zeros before it, to the end of the text. */
function parsePrefix(text: string, start: number): number | undefined {
  const first = text.charCodeAt(start) - zero;
  if (!(first >= 0 && first <= 9) || text.length > start + 2) return undefined;
  if (text.length === start + 1) return first;
  const second = text.charCodeAt(start + 1) - zero;
  const prefix = first * 10 + second;
  return first > 0 && second >= 0 && second <= 9 && prefix <= 32 ? prefix : undefined;
}

const ipv4CharactersMax = 15;
const dot = 46;
const zero = 48;
const nine = 57;
/** The address without what lies beyond the prefix. */
const networkOf = (value: number, prefix: number): number => Math.floor(value / 2 ** (32 - prefix));

const isMapped = (value: string): boolean => isIPv6Address(value) && parseIPv6(value).slice(0, 6).join() === '0,0,0,0,0,65535';

export function checkIP(value: string): readonly string[] {
  if (parseIPv4(value) !== undefined) return none;
  if (isIPAddress(value)) return isMapped(value) ? ['must not be an IPv4-mapped IPv6 address'] : none;
  return isIPAddress(withoutLeadingZeros(value))
    ? ['must not have leading 0s']
    : ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
}

const notCanonical = (canonical: string): string => `must be in canonical form (${JSON.stringify(canonical)})`;

/** An address, and in canonical form. */
export function checkCanonicalIP(value: string): readonly string[] {
  const found = checkIP(value);
  const canonical = found.length > 0 ? value : canonicalIP(value);
  return canonical === value ? found : [notCanonical(canonical)];
}

export function checkCIDR(value: string): readonly string[] {
  const message = whatIsWrongWithCIDR(value);
  return message ? [message] : none;
}

function whatIsWrongWithCIDR(value: string): string | undefined {
  const short = parseIPv4CIDR(value);
  if (short) {
    const { value: number, prefix: length } = short;
    return networkOf(number, length) * 2 ** (32 - length) === number ? undefined : 'must not have bits set beyond the prefix length';
  }
  const [address = '', prefix = '', rest] = value.split('/', 3);
  const sloppy = isIPAddress(address) ? address : withoutLeadingZeros(address);
  const bits = isIPv6Address(sloppy) ? 128 : 32;
  if (rest !== undefined || !isIPAddress(sloppy) || !/^\d+$/.test(prefix) || Number(prefix) > bits) {
    return 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
  }
  if (sloppy !== address || /^0\d/.test(prefix)) return 'must not have leading 0s in IP or prefix length';
  if (isMapped(address)) return 'must not have an IPv4-mapped IPv6 address';
  return hasBitsBeyond(address, Number(prefix)) ? 'must not have bits set beyond the prefix length' : undefined;
}

function hasBitsBeyond(address: string, prefix: number): boolean {
  const [groups, size] = isIPv4(address) ? [address.split('.').map(Number), 8] : [parseIPv6(address), 16];
  return groups.some((group, i) => {
    const kept = Math.min(Math.max(prefix - i * size, 0), size);
    return (group & (2 ** (size - kept) - 1)) !== 0;
  });
}

/** A CIDR, and in canonical form. */
export function checkCanonicalCIDR(value: string): readonly string[] {
  const found = checkCIDR(value);
  const [address = '', prefix = ''] = value.split('/');
  const canonical = found.length > 0 ? value : `${canonicalIP(address)}/${prefix}`;
  return canonical === value ? found : [notCanonical(canonical)];
}

/** Addresses that no endpoint and no external IP may have. */
export function checkEndpointIP(value: string): readonly string[] {
  const number = parseIPv4(value);
  if (number !== undefined && !specialFirstOctets.has(networkOf(number, 8))) return none;
  if (!isIPAddress(value)) return isIPAddress(withoutLeadingZeros(value)) ? none : ['must be a valid IP address'];
  const [first = 0, second = 0, third = 0] = isIPv4(value) ? value.split('.').map(Number) : [];
  const groups = isIPv4(value) ? undefined : parseIPv6(value);
  const lastOnly = groups?.slice(0, 7).every((group) => group === 0) ?? false;
  const head = groups?.[0] ?? 0;
  const found: string[] = [];
  if (value === '0.0.0.0' || (lastOnly && groups?.[7] === 0)) found.push(`may not be unspecified (${value})`);
  if (groups ? lastOnly && groups[7] === 1 : first === 127) found.push('may not be in the loopback range (127.0.0.0/8, ::1/128)');
  if (groups ? (head & 0xffc0) === 0xfe80 : first === 169 && second === 254) {
    found.push('may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  }
  if (groups ? (head & 0xff0f) === 0xff02 : first === 224 && second === 0 && third === 0) {
    found.push('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
  }
  return found;
}

const specialFirstOctets: ReadonlySet<number> = new Set([0, 127, 169, 224]);

/** Asks of one CIDR after the other whether it is no real part of `outer`: both have to be CIDRs, leading zeros allowed. */
export function outsideOf(outer: string): (inner: string) => boolean {
  const within = parseIPv4CIDR(outer);
  if (!within) return (inner) => isOutside(inner, outer);
  const network = networkOf(within.value, within.prefix);
  return (inner) => {
    const short = parseIPv4CIDR(inner);
    if (!short) return isOutside(inner, outer);
    return within.prefix >= short.prefix || networkOf(short.value, within.prefix) !== network;
  };
}

function isOutside(inner: string, outer: string): boolean {
  const [a, b] = [parseCIDR(inner), parseCIDR(outer)];
  return a !== undefined && b !== undefined && (b.prefix >= a.prefix || !contains(b, a));
}

/** 4, 6, or undefined for what is no CIDR. */
export function cidrFamily(value: string): 4 | 6 | undefined {
  const family = parseCIDR(value)?.family;
  return family && (family === 'IPv4' ? 4 : 6);
}
