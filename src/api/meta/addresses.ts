/**
 * IP addresses and CIDRs as numbers: what checks, the allocator of Services' addresses and whoever compares ranges know of
 * them. An address may have leading zeros where a function says so; whether an object may is judged in kinds/ip-checks.ts.
 */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

export type IPFamily = 'IPv4' | 'IPv6';

/** A range, and the address that its text names: `10.0.0.7/8` is 10.0.0.7 in 10.0.0.0 to 10.255.255.255. */
export interface CIDR {
  readonly family: IPFamily;
  readonly address: bigint;
  readonly prefix: number;
  /** how many bits behind the prefix tell its addresses apart */
  readonly hostBits: number;
}

export const familyOf = (address: string): IPFamily => (isIPv6(address) ? 'IPv6' : 'IPv4');

export const isIPv6Address = (value: string): boolean => isIPv6(value) && !value.includes('%');
export const isIPAddress = (value: string): boolean => isIPv4(value) || isIPv6Address(value);

/** With zeros that do not belong there; what is longer is no address in any form. */
const addressCharactersMax = 256;

/** `010.0.0.007` is meant as 10.0.0.7. */
export function withoutLeadingZeros(address: string): string {
  if (address.length > addressCharactersMax) return address;
  const octets = address.split('.').map((octet) => octet.replace(/^0+(?=\d)/, ''));
  return octets.join('.');
}

const bitsOf = { IPv4: 32, IPv6: 128 } as const;

/** Leading zeros are allowed. Undefined for what is no CIDR. */
export function parseCIDR(text: string): CIDR | undefined {
  const [given = '', prefixText = '', rest] = text.split('/', 3);
  const address = isIPAddress(given) ? given : withoutLeadingZeros(given);
  if (rest !== undefined || !isIPAddress(address) || !/^\d+$/.test(prefixText)) return undefined;
  const family = familyOf(address);
  const prefix = Number(prefixText);
  const hostBits = bitsOf[family] - prefix;
  return hostBits < 0 ? undefined : { family, address: addressNumber(address), prefix, hostBits };
}

/** All of `inner` is in `outer`, or they are the same. */
export const contains = (outer: CIDR, inner: CIDR): boolean =>
  inner.family === outer.family && inner.prefix >= outer.prefix && (inner.address ^ outer.address) >> BigInt(outer.hostBits) === 0n;

/** Of a valid address. */
export function addressNumber(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
  return parseIPv6(address).reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

export function formatAddress(number: bigint, family: IPFamily): string {
  const [width, count] = family === 'IPv4' ? [8n, 4] : [16n, 8];
  const parts = Array.from({ length: count }, (_, i) => Number((number >> (width * BigInt(count - 1 - i))) & ((1n << width) - 1n)));
  return family === 'IPv4' ? parts.join('.') : formatIPv6(parts);
}

/** The eight groups of an IPv6 address, whose last 32 bits may be written as an IPv4 address. */
export function parseIPv6(address: string): readonly number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text = dotted
    ? `${dotted[1]}${(Number(dotted[2]) * 256 + Number(dotted[3])).toString(16)}:${(Number(dotted[4]) * 256 + Number(dotted[5])).toString(16)}`
    : address;
  const [head = '', tail] = text.split('::');
  const groups = (part: string): number[] => (part ? part.split(':').map((group) => Number.parseInt(group, 16)) : []);
  const [left, right] = [groups(head), groups(tail ?? '')];
  return tail === undefined ? left : [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

/** As RFC 5952 writes it. */
export const canonicalIP = (address: string): string => (isIPv4(address) ? address : formatIPv6(parseIPv6(address)));

/** RFC 5952: lower case, the longest run of zero groups (two at least) left out. */
function formatIPv6(groups: readonly number[]): string {
  const text = groups.map((group) => group.toString(16));
  let best = { start: -1, length: 1 };
  for (let i = 0; i < text.length; i++) {
    let end = i;
    while (text[end] === '0') end++;
    if (end - i > best.length) best = { start: i, length: end - i };
    if (end > i) i = end;
  }
  if (best.start < 0) return text.join(':');
  return `${text.slice(0, best.start).join(':')}::${text.slice(best.start + best.length).join(':')}`;
}

/** This machine itself, its neighbours on the link, and what is no single machine; IPv4 in IPv6 too. */
const refused = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
] as const)
  refused.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 96],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  refused.addSubnet(network, prefix, 'ipv6');

/** Whether a connection on somebody's behalf may lead there. An address with a zone is one of the link. */
export function isProxyable(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && !address.includes('%') && !refused.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** As a URL has it: an IPv6 address in brackets. */
export const joinHostPort = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
