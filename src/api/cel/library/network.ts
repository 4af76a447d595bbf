/** Kubernetes' libraries of addresses, networks and URLs (apiserver/pkg/cel/library/{ip,cidr,urls}.go). */

import { isIPv4 } from 'node:net';
import { canonicalIP, isIPv6Address } from '../../meta/addresses.ts';
import { type Declaration, func, method } from '../environment.ts';
import * as t from '../types.ts';
import { CelError, EntryMap, Foreign, List, type Value } from '../values.ts';
import { escapedPath, type ParsedUrl, parseUrl, queryOf } from './url.ts';

export const ADDRESS = t.opaque('net.IP');
export const NETWORK = t.opaque('net.CIDR');
export const URL_TYPE = t.struct('kubernetes.URL');

class Address extends Foreign {
  override readonly typeName = 'net.IP';
  readonly value: bigint;
  readonly bits: 32 | 128;
  readonly text: string;
  constructor(value: bigint, bits: 32 | 128) {
    super();
    this.value = value;
    this.bits = bits;
    this.text = bits === 32 ? dotted(value) : canonicalIP(grouped(value));
  }
  override equals(other: Value): boolean {
    return other instanceof Address && other.bits === this.bits && other.value === this.value;
  }
  override get size(): number {
    return this.bits / 8;
  }
  /** the address without what is beyond so many bits */
  masked(prefix: number): bigint {
    const rest = BigInt(this.bits - prefix);
    return (this.value >> rest) << rest;
  }
}

class Network extends Foreign {
  override readonly typeName = 'net.CIDR';
  readonly address: Address;
  readonly prefix: number;
  constructor(address: Address, prefix: number) {
    super();
    this.address = address;
    this.prefix = prefix;
  }
  override equals(other: Value): boolean {
    return other instanceof Network && other.prefix === this.prefix && other.address.equals(this.address);
  }
  override get size(): number {
    return Math.ceil(this.prefix / 8);
  }
  contains(address: Address): boolean {
    return address.bits === this.address.bits && address.masked(this.prefix) === this.address.masked(this.prefix);
  }
}

class Url extends Foreign {
  override readonly typeName = 'kubernetes.URL';
  readonly parsed: ParsedUrl;
  constructor(parsed: ParsedUrl) {
    super();
    this.parsed = parsed;
  }
  override equals(other: Value): boolean {
    return other instanceof Url && other.parsed.text === this.parsed.text;
  }
}

const text = (x: Value): string => x as string;
const address = (x: Value): Address => x as Address;
const network = (x: Value): Network => x as Network;
const url = (x: Value): ParsedUrl => (x as Url).parsed;

/** Whether reading it throws no CelError. */
function isReadable(read: (x: string) => unknown): (x: Value) => boolean {
  return (x) => {
    try {
      read(text(x));
      return true;
    } catch (e) {
      if (e instanceof CelError) return false;
      throw e;
    }
  };
}

function test(name: string, id: string, holds: (x: Address) => boolean): Declaration {
  return method(name, id, [ADDRESS], t.BOOL, (x) => holds(address(x)));
}
const within =
  (v4: string, v6: string) =>
  (x: Address): boolean =>
    readNetwork(x.bits === 32 ? v4 : v6).contains(x);
const isUnspecified = (x: Address): boolean => x.value === 0n;
const isLoopback = within('127.0.0.0/8', '::1/128');
const isMulticast = within('224.0.0.0/4', 'ff00::/8');
const isLinkLocalUnicast = within('169.254.0.0/16', 'fe80::/10');

export const networkLibrary: readonly Declaration[] = [
  func('ip', 'string_to_ip', [t.STRING], ADDRESS, (x) => readAddress(text(x))),
  func('isIP', 'is_ip', [t.STRING], t.BOOL, isReadable(readAddress)),
  func('ip.isCanonical', 'ip_is_canonical', [t.STRING], t.BOOL, (x) => readAddress(text(x)).text === x),
  func('string', 'ip_to_string', [ADDRESS], t.STRING, (x) => address(x).text),
  method('family', 'ip_family', [ADDRESS], t.INT, (x) => (address(x).bits === 32 ? 4n : 6n)),
  test('isUnspecified', 'ip_is_unspecified', isUnspecified),
  test('isLoopback', 'ip_is_loopback', isLoopback),
  test('isLinkLocalMulticast', 'ip_is_link_local_multicast', within('224.0.0.0/24', 'ff02::/16')),
  test('isLinkLocalUnicast', 'ip_is_link_local_unicast', isLinkLocalUnicast),
  test('isGlobalUnicast', 'ip_is_global_unicast', (x) => {
    const isBroadcast = x.bits === 32 && x.value === 0xffffffffn;
    return !(isUnspecified(x) || isBroadcast || isLoopback(x) || isMulticast(x) || isLinkLocalUnicast(x));
  }),
  func('cidr', 'string_to_cidr', [t.STRING], NETWORK, (x) => readNetwork(text(x))),
  func('isCIDR', 'is_cidr', [t.STRING], t.BOOL, isReadable(readNetwork)),
  func('string', 'cidr_to_string', [NETWORK], t.STRING, (x) => `${network(x).address.text}/${network(x).prefix}`),
  method('containsIP', 'cidr_contains_ip_string', [NETWORK, t.STRING], t.BOOL, (x, y) => network(x).contains(readAddress(text(y)))),
  method('containsIP', 'cidr_contains_ip_ip', [NETWORK, ADDRESS], t.BOOL, (x, y) => network(x).contains(address(y))),
  method('containsCIDR', 'cidr_contains_cidr_string', [NETWORK, t.STRING], t.BOOL, (x, y) =>
    containsNetwork(network(x), readNetwork(text(y))),
  ),
  method('containsCIDR', 'cidr_contains_cidr', [NETWORK, NETWORK], t.BOOL, (x, y) => containsNetwork(network(x), network(y))),
  method('ip', 'cidr_ip', [NETWORK], ADDRESS, (x) => network(x).address),
  method('prefixLength', 'cidr_prefix_length', [NETWORK], t.INT, (x) => BigInt(network(x).prefix)),
  method('masked', 'cidr_masked', [NETWORK], NETWORK, (x) => {
    const { address: at, prefix } = network(x);
    return new Network(new Address(at.masked(prefix), at.bits), prefix);
  }),
  func('url', 'string_to_url', [t.STRING], URL_TYPE, (x) => {
    const parsed = parseUrl(text(x));
    if (typeof parsed === 'string') throw new CelError(`URL parse error during conversion from string: ${parsed}`);
    return new Url(parsed);
  }),
  func('isURL', 'is_url_string', [t.STRING], t.BOOL, (x) => typeof parseUrl(text(x)) !== 'string'),
  method('getScheme', 'url_get_scheme', [URL_TYPE], t.STRING, (x) => url(x).scheme),
  method('getHost', 'url_get_host', [URL_TYPE], t.STRING, (x) => url(x).host),
  method('getHostname', 'url_get_hostname', [URL_TYPE], t.STRING, (x) => url(x).hostname),
  method('getPort', 'url_get_port', [URL_TYPE], t.STRING, (x) => url(x).port),
  method('getEscapedPath', 'url_get_escaped_path', [URL_TYPE], t.STRING, (x) => escapedPath(url(x))),
  method('getQuery', 'url_get_query', [URL_TYPE], t.mapOf(t.STRING, t.listOf(t.STRING)), (x) => {
    const made = new EntryMap();
    for (const [key, values] of queryOf(url(x))) made.set(key, new List(values));
    return made;
  }),
];

function containsNetwork(outer: Network, inner: Network): boolean {
  return outer.prefix <= inner.prefix && outer.contains(inner.address);
}

function readAddress(raw: string): Address {
  const wrong = addressFault(raw);
  if (wrong) throw new CelError(`IP Address ${JSON.stringify(raw)} parse error during conversion from string: ${wrong}`);
  if (raw.includes('%')) throw new CelError(`IP address ${JSON.stringify(raw)} with zone value is not allowed`);
  const found = addressOf(raw);
  if (isMapped(found)) throw new CelError(`IPv4-mapped IPv6 address ${JSON.stringify(raw)} is not allowed`);
  return found;
}

function readNetwork(raw: string): Network {
  const slash = raw.lastIndexOf('/');
  const lead = 'network address parse error during conversion from string: ';
  const fail = (words: string): never => {
    throw new CelError(`${lead}${lead}netip.ParsePrefix(${JSON.stringify(raw)}): ${words}`);
  };
  if (slash < 0) fail("no '/'");
  const head = raw.slice(0, slash);
  const wrong = addressFault(head);
  if (wrong) fail(wrong);
  if (head.includes('%')) fail('IPv6 zones cannot be present in a prefix');
  const bits = raw.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(bits)) fail(`bad bits after slash: ${JSON.stringify(bits)}`);
  const found = addressOf(head);
  if (Number(bits) > found.bits) fail('prefix length out of range');
  if (isMapped(found)) throw new CelError(`${lead}IPv4-mapped IPv6 address ${JSON.stringify(raw)} is not allowed`);
  return new Network(found, Number(bits));
}

/** What netip says of what is no address. */
function addressFault(raw: string): string | undefined {
  const [bare = ''] = raw.split('%');
  if (isIPv4(raw) || (isIPv6Address(bare) && !raw.endsWith('%'))) return undefined;
  return `ParseAddr(${JSON.stringify(raw)}): ${faultWords(raw)}`;
}

function faultWords(raw: string): string {
  const separator = /[.:%]/.exec(raw)?.[0];
  if (separator === '%') return 'missing IPv6 address';
  if (separator === ':') return ipv6Fault(raw);
  if (separator === undefined) return 'unable to parse IP';
  const octets = raw.split('.');
  const strange = /[^\d.]/.exec(raw);
  if (strange) return `unexpected character (at ${JSON.stringify(raw.slice(strange.index))})`;
  const empty = octets.indexOf('');
  if (empty >= 0)
    return `IPv4 field must have at least one digit (at ${JSON.stringify(raw.slice(octets.slice(0, empty + 1).join('.').length))})`;
  if (octets.some((octet) => /^0\d/.test(octet))) return 'IPv4 field has octet with leading zero';
  if (octets.some((octet) => Number(octet) > 255)) return 'IPv4 field has value >255';
  return octets.length < 4 ? 'IPv4 address too short' : 'IPv4 address too long';
}

function ipv6Fault(raw: string): string {
  const long = /[0-9a-fA-F]{5,}/.exec(raw);
  if (long) return `each group must have 4 or less digits (at ${JSON.stringify(raw.slice(long.index))})`;
  const second = raw.indexOf('::', raw.indexOf('::') + 1);
  if (raw.includes('::') && second >= 0) return `multiple :: in address (at ${JSON.stringify(raw.slice(second + 1))})`;
  const strange = /[^0-9a-fA-F:.%]/.exec(raw);
  if (strange && raw[strange.index - 1] === ':') {
    return `each colon-separated field must have at least one digit (at ${JSON.stringify(raw.slice(strange.index))})`;
  }
  if (strange) return `unexpected character, want colon (at ${JSON.stringify(raw.slice(strange.index))})`;
  const groups = raw.split(':');
  if (groups.length > 8) return `trailing garbage after address (at ${JSON.stringify(groups.slice(8).join(':'))})`;
  return groups.length < 8 && !raw.includes('::') ? 'address string too short' : 'unable to parse IP';
}

function addressOf(raw: string): Address {
  if (isIPv4(raw))
    return new Address(
      raw.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n),
      32,
    );
  const full = canonicalIP(raw.split('%')[0] ?? '');
  const [head = '', tail] = full.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const left = groups(head);
  const right = groups(tail ?? '');
  const all = [...left, ...new Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return new Address(
    all.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n),
    128,
  );
}

function isMapped(x: Address): boolean {
  return x.bits === 128 && x.value >> 32n === 0xffffn;
}

function dotted(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
}

function grouped(value: bigint): string {
  return Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - i * 16)) & 0xffffn).toString(16)).join(':');
}
