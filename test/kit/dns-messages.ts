/** DNS messages for tests: queries in one line, answers as the lines that `dig` would show. */
import { SocketAddress } from 'node:net';
import { type DNSName, type DNSRecord, headerBytes, parseName, rcodes, recordTypes } from '../../src/addons/dns/message.ts';

export interface QueryParts {
  readonly id?: number;
  readonly flags?: number;
  readonly class?: number;
  /** the size told in OPT; absent: no EDNS */
  readonly udpBytes?: number;
  readonly version?: number;
  readonly dnssecOK?: boolean;
}

const typeNumber = (type: string | number): number =>
  typeof type === 'number' ? type : ((recordTypes as Record<string, number>)[type] ?? Number(type.replace('TYPE', '')));
const typeName = (type: number): string => Object.entries(recordTypes).find(([, number]) => number === type)?.[0] ?? `TYPE${type}`;
const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const encodeName = (name: DNSName): Buffer =>
  Buffer.concat([...name.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1')), Buffer.of(0)]);

export function encodeTestQuery(name: string | DNSName, type: string | number, parts: QueryParts = {}): Buffer {
  const { id = 0x1234, flags = 0x100, class: questionClass = 1, udpBytes, version = 0, dnssecOK = false } = parts;
  const counts = [1, 0, 0, udpBytes === undefined ? 0 : 1];
  const labels = typeof name === 'string' ? parseName(name) : name;
  return Buffer.concat([
    ...[id, flags, ...counts].map(uint16),
    encodeName(labels),
    uint16(typeNumber(type)),
    uint16(questionClass),
    ...(udpBytes === undefined
      ? []
      : [Buffer.of(0), uint16(41), uint16(udpBytes), Buffer.of(0, version, dnssecOK ? 0x80 : 0, 0), uint16(0)]),
  ]);
}

/** `web.shop.svc.cluster.local 30 A 10.96.0.7` */
export function describeRecord({ name, type, ttl, data }: DNSRecord): string {
  return [name.join('.') || '.', ttl, typeName(type), describeData(type, data)].join(' ');
}

function describeData(type: number, data: DNSRecord['data']): string {
  const words = data.map((piece) => {
    if (!(piece instanceof Uint8Array)) return piece.join('.') || '.';
    const bytes = Buffer.from(piece);
    if (type === recordTypes.A) return bytes.join('.');
    if (type === recordTypes.AAAA)
      return new SocketAddress({ address: bytes.toString('hex').replace(/(.{4})(?=.)/g, '$1:'), family: 'ipv6' }).address;
    if (type === recordTypes.TXT) return JSON.stringify(bytes.toString('latin1', 1));
    if (type === recordTypes.SRV || type === recordTypes.MX)
      return Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16BE(2 * i)).join(' ');
    if (type === recordTypes.SOA) return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32BE(4 * i)).join(' ');
    return bytes.toString('hex');
  });
  return words.join(' ');
}

export interface Described {
  readonly id: number;
  /** `NXDOMAIN aa rd ra` */
  readonly status: string;
  readonly question: string;
  readonly answers: readonly string[];
  readonly authorities: readonly string[];
  readonly additionals: readonly string[];
  /** `version 0, 1232 bytes, do` */
  readonly edns: string | undefined;
  readonly bytes: number;
}

const flagNames = { aa: 0x400, tc: 0x200, rd: 0x100, ra: 0x80, ad: 0x20, cd: 0x10 };

/** An own reading, independent of the code that wrote it; throws when a byte is wrong. */
export function describeMessage(packet: Buffer): Described {
  let offset = headerBytes;
  const uint = (bytes: number): number => {
    offset += bytes;
    return packet.readUIntBE(offset - bytes, bytes);
  };
  const name = (): string[] => {
    const length = uint(1);
    if (length === 0) return [];
    if (length < 64) {
      offset += length;
      return [packet.toString('latin1', offset - length, offset), ...name()];
    }
    const back = ((length & 0x3f) << 8) | uint(1);
    if (length < 192 || back >= offset - 2) throw new Error('a bad pointer');
    const after = offset;
    offset = back;
    const rest = name();
    offset = after;
    return rest;
  };
  const question = packet.readUInt16BE(4) ? [name().join('.') || '.', typeName(uint(2)), `class ${uint(2)}`].join(' ') : '';
  let edns: string | undefined;
  let rcodeAbove = 0;
  const section = (at: number): string[] => {
    const records: string[] = [];
    for (let left = packet.readUInt16BE(at); left > 0; left--) {
      const owner = name();
      const [type, recordClass, ttl, length] = [uint(2), uint(2), uint(4), uint(2)];
      const end = offset + length;
      if (end > packet.length) throw new Error('data ends early');
      if (type === recordTypes.OPT) {
        rcodeAbove = ttl >>> 24;
        edns = `version ${(ttl >> 16) & 0xff}, ${recordClass} bytes${ttl & 0x8000 ? ', do' : ''}`;
        offset = end;
        continue;
      }
      const data: (Buffer | DNSName)[] = [];
      const take = (bytes: number): Buffer => {
        offset += bytes;
        return packet.subarray(offset - bytes, offset);
      };
      if (([recordTypes.NS, recordTypes.CNAME, recordTypes.PTR] as number[]).includes(type)) data.push(name());
      if (type === recordTypes.SOA) data.push(name(), name());
      if (type === recordTypes.SRV) data.push(take(6), name());
      if (offset < end) data.push(take(end - offset));
      if (offset !== end) throw new Error('data of another length');
      records.push(describeRecord({ name: owner, type, ttl, data }));
    }
    return records;
  };
  const [answers, authorities, additionals] = [section(6), section(8), section(10)];
  if (offset !== packet.length) throw new Error('bytes left over');
  const flags = packet.readUInt16BE(2);
  const rcode = (rcodeAbove << 4) | (flags & 0xf);
  const status = [
    Object.entries(rcodes).find(([, number]) => number === rcode)?.[0] ?? rcode,
    ...Object.entries(flagNames).flatMap(([text, bit]) => (flags & bit ? [text] : [])),
  ].join(' ');
  return { id: packet.readUInt16BE(0), status, question, answers, authorities, additionals, edns, bytes: packet.length };
}
