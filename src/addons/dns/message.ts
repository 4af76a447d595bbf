/**
 * DNS messages on the wire (RFC 1035 §4, EDNS0 of RFC 6891): queries are read, answers are written and read.
 *
 * Guarantees: reading ends for every input and costs no more than the bytes that are there; what can't be read is a
 * `FormatError`. Counts in a header are believed only as far as bytes follow, pointers lead backwards only. Answers are
 * compressed (§4.1.4; the target of SRV is not, by RFC 3597 §4) and fit into the bytes they are given: additional
 * records go first and silently, as nobody depends on them (RFC 2181 §9); when answers or authorities have to go, as
 * many as fit stay, and TC is set.
 *
 * A name is its labels, each byte a character of Latin-1, in the case in which it was said.
 */
import { isIPv4, isIPv6 } from 'node:net';

export type DNSName = readonly string[];

export const recordTypes = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
} as const;

export const rcodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  NOTAUTH: 9,
  /** does not fit into the header: its upper bits are in OPT */
  BADVERS: 16,
} as const;
export type Rcode = keyof typeof rcodes;

/** Bits of the header's second word. */
export const headerFlags = {
  response: 0x8000,
  authoritative: 0x400,
  truncated: 0x200,
  recursionDesired: 0x100,
  recursionAvailable: 0x80,
  checkingDisabled: 0x10,
} as const;

export const classIN = 1;
/** What the header and a UDP packet without EDNS hold, and the largest message of all. */
export const headerBytes = 12;
export const udpBytesDefault = 512;
export const messageBytesMax = 65_535;
/** What this server takes and gives over UDP: a packet that no path has to cut into pieces (DNS flag day 2020). */
export const udpBytesMax = 1232;

export interface Question {
  readonly name: DNSName;
  readonly type: number;
  readonly class: number;
}

/** `data` is RDATA in pieces: bytes as they are, and names, which may have to be compressed. */
export interface DNSRecord {
  readonly name: DNSName;
  readonly type: number;
  readonly ttl: number;
  readonly data: readonly (Uint8Array | DNSName)[];
}

export interface DNSQuery {
  readonly id: number;
  readonly opcode: number;
  /** the whole second word of the header */
  readonly flags: number;
  /** absent when the question could not be read or is not one */
  readonly question?: Question | undefined;
  readonly edns?: { readonly udpBytes: number; readonly version: number; readonly dnssecOK: boolean } | undefined;
  /** it carries a signature, which nobody here can verify */
  readonly signed: boolean;
}

export interface Message {
  readonly id: number;
  readonly flags: number;
  readonly rcode?: Rcode | undefined;
  readonly question?: Question | undefined;
  readonly answers?: readonly DNSRecord[] | undefined;
  readonly authorities?: readonly DNSRecord[] | undefined;
  readonly additionals?: readonly DNSRecord[] | undefined;
  readonly edns?: { readonly dnssecOK: boolean } | undefined;
}

export class FormatError extends Error {
  override name = 'FormatError';
}

const nameBytesMax = 255;
const labelBytesMax = 63;
const pointerBits = 0xc0;
/** A pointer has 14 bits. */
const pointerOffsetMax = 0x3fff;
const opcodeShift = 11;
const opcodeMask = 0xf;
const dnssecOKFlag = 0x8000;
const optBytes = 11;
/** No query needs more records: a SOA beside IXFR, OPT and TSIG (as in CoreDNS). */
const queryRecordsMax = { answers: 1, authorities: 1, additionals: 2 } as const;

/** Where RDATA holds names: number of bytes before them, then how many names; the rest is bytes. */
const namesInData: ReadonlyMap<number, { readonly bytesBefore: number; readonly names: number; readonly compress: boolean }> = new Map([
  [recordTypes.NS, { bytesBefore: 0, names: 1, compress: true }],
  [recordTypes.CNAME, { bytesBefore: 0, names: 1, compress: true }],
  [recordTypes.PTR, { bytesBefore: 0, names: 1, compress: true }],
  [recordTypes.SOA, { bytesBefore: 0, names: 2, compress: true }],
  [recordTypes.MX, { bytesBefore: 2, names: 1, compress: true }],
  [recordTypes.SRV, { bytesBefore: 6, names: 1, compress: false }],
]);

export const parseName = (text: string): DNSName => (text === '' || text === '.' ? [] : text.replace(/\.$/, '').split('.'));

/** Throws a FormatError; `undefined` for what must not be answered: no header, or itself an answer. */
export function decodeQuery(packet: Buffer): DNSQuery | undefined {
  if (packet.length < headerBytes) return undefined;
  const flags = packet.readUInt16BE(2);
  if (flags & headerFlags.response) return undefined;
  const head = { id: packet.readUInt16BE(0), opcode: (flags >> opcodeShift) & opcodeMask, flags };
  if (head.opcode !== 0) return { ...head, signed: false };
  const [questions, answers, authorities, additionals] = readCounts(packet);
  if (questions !== 1 || answers > queryRecordsMax.answers) return { ...head, signed: false };
  if (authorities > queryRecordsMax.authorities || additionals > queryRecordsMax.additionals) return { ...head, signed: false };
  try {
    const reader = new Reader(packet);
    const question = reader.question();
    for (let left = answers + authorities; left > 0; left--) reader.record();
    let edns: DNSQuery['edns'];
    let signed = false;
    for (let left = additionals; left > 0; left--) {
      const { name, type, class: udpBytes, ttl } = reader.record();
      if (type === recordTypes.TSIG) signed = true;
      if (type !== recordTypes.OPT) continue;
      if (edns || name.length > 0) throw new FormatError('OPT twice, or with a name');
      edns = { udpBytes, version: (ttl >>> 16) & 0xff, dnssecOK: (ttl & dnssecOKFlag) !== 0 };
    }
    return { ...head, question, edns, signed };
  } catch (error) {
    if (error instanceof FormatError) return { ...head, signed: false };
    throw error;
  }
}

/** The question, as many bytes as it takes, and the records of the answer section. Throws a FormatError. */
export function decodeAnswer(packet: Buffer): { question: Question; questionBytes: number; answers: DNSRecord[] } {
  if (packet.length < headerBytes) throw new FormatError('no header');
  const [questions, count] = readCounts(packet);
  if (questions !== 1) throw new FormatError('not one question');
  const reader = new Reader(packet);
  const question = reader.question();
  const questionBytes = reader.offset - headerBytes;
  const answers: DNSRecord[] = [];
  for (let left = count; left > 0; left--) {
    const { class: recordClass, ...record } = reader.record();
    if (recordClass === classIN) answers.push(record);
  }
  return { question, questionBytes, answers };
}

const readCounts = (packet: Buffer): [number, number, number, number] => [
  packet.readUInt16BE(4),
  packet.readUInt16BE(6),
  packet.readUInt16BE(8),
  packet.readUInt16BE(10),
];

class Reader {
  readonly #packet: Buffer;
  offset = headerBytes;

  constructor(packet: Buffer) {
    this.#packet = packet;
  }

  question(): Question {
    return { name: this.#name(), type: this.#uint16(), class: this.#uint16() };
  }

  record(): DNSRecord & { readonly class: number } {
    const head = { name: this.#name(), type: this.#uint16(), class: this.#uint16(), ttl: this.#bytes(4).readUInt32BE() };
    const length = this.#uint16();
    const end = this.offset + length;
    if (end > this.#packet.length) throw new FormatError('data ends early');
    const layout = namesInData.get(head.type);
    const data: (Uint8Array | DNSName)[] = [];
    if (layout) {
      if (layout.bytesBefore) data.push(this.#bytes(layout.bytesBefore));
      for (let left = layout.names; left > 0; left--) data.push(this.#name());
      if (this.offset > end) throw new FormatError('a name beyond its data');
    }
    if (this.offset < end) data.push(this.#bytes(end - this.offset));
    return { ...head, data };
  }

  #bytes(count: number): Buffer {
    const end = this.offset + count;
    if (end > this.#packet.length) throw new FormatError('message ends early');
    const bytes = this.#packet.subarray(this.offset, end);
    this.offset = end;
    return bytes;
  }

  #uint16(): number {
    return this.#bytes(2).readUInt16BE();
  }

  #name(): DNSName {
    const labels: string[] = [];
    let bytes = 1;
    let at = this.offset;
    /** where the labels being read begin: each pointer must lead before it, so there is an end */
    let start = at;
    let next: number | undefined;
    for (;;) {
      const length = this.#packet[at];
      if (length === undefined) throw new FormatError('a name ends early');
      if (length >= pointerBits) {
        const low = this.#packet[at + 1];
        const target = ((length & ~pointerBits) << 8) | (low ?? 0);
        if (low === undefined || target >= start || target < headerBytes) throw new FormatError('a pointer that does not lead back');
        next ??= at + 2;
        at = start = target;
        continue;
      }
      if (length > labelBytesMax) throw new FormatError('a label of an unknown form');
      at += length + 1;
      if (length === 0) break;
      bytes += length + 1;
      if (bytes > nameBytesMax || at > this.#packet.length) throw new FormatError('a name is too long');
      labels.push(this.#packet.toString('latin1', at - length, at));
    }
    this.offset = next ?? at;
    return labels;
  }
}

/** Everything is written here first: there is one thread, and writing never waits. */
const page = Buffer.alloc(messageBytesMax);

export function encodeDNSMessage(message: Message, bytesMax: number): Buffer {
  const { id, rcode = 'NOERROR', question, answers = [], authorities = [], additionals = [], edns } = message;
  const writer = new Writer(Math.min(bytesMax, page.length) - (edns ? optBytes : 0));
  if (question) writer.question(question);
  const kept = { answers: writer.records(answers), authorities: 0, additionals: 0 };
  let complete = kept.answers === answers.length;
  if (complete) {
    kept.authorities = writer.records(authorities);
    complete = kept.authorities === authorities.length;
  }
  if (complete) kept.additionals = writer.records(additionals);
  let end = writer.offset;
  if (edns) {
    page[end] = 0;
    page.writeUInt16BE(recordTypes.OPT, end + 1);
    page.writeUInt16BE(udpBytesMax, end + 3);
    page.writeUInt32BE(((rcodes[rcode] >> 4) << 24) | (edns.dnssecOK ? dnssecOKFlag : 0), end + 5);
    page.writeUInt16BE(0, end + 9);
    end += optBytes;
  }
  page.writeUInt16BE(id, 0);
  page.writeUInt16BE(message.flags | headerFlags.response | (complete ? 0 : headerFlags.truncated) | (rcodes[rcode] & 0xf), 2);
  page.writeUInt16BE(question ? 1 : 0, 4);
  page.writeUInt16BE(kept.answers, 6);
  page.writeUInt16BE(kept.authorities, 8);
  page.writeUInt16BE(kept.additionals + (edns ? 1 : 0), 10);
  return Buffer.from(page.subarray(0, end));
}

/** A question to another server. */
export function encodeQuery(query: { id: number; flags: number; question: Question; edns?: Message['edns'] }): Buffer {
  const bytes = encodeDNSMessage(query, udpBytesDefault);
  bytes.writeUInt16BE(query.flags & ~headerFlags.response, 2);
  return bytes;
}

class Full extends Error {}

class Writer {
  readonly #bytesMax: number;
  /** where a name, in the form of the wire, was written */
  readonly #written = new Map<string, number>();
  offset = headerBytes;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  question({ name, type, class: questionClass }: Question): void {
    this.#name(name, true);
    this.#uint16(type);
    this.#uint16(questionClass);
  }

  /** Writes as many as fit, and says how many. */
  records(records: readonly DNSRecord[]): number {
    for (const [index, record] of records.entries()) {
      const start = this.offset;
      try {
        this.#record(record);
      } catch (error) {
        if (!(error instanceof Full)) throw error;
        this.offset = start; // names noted beyond are never asked for: nothing more is written after the first that is too much
        return index;
      }
    }
    return records.length;
  }

  #record({ name, type, ttl, data }: DNSRecord): void {
    this.#name(name, true);
    this.#uint16(type);
    this.#uint16(classIN);
    this.#uint16(ttl >>> 16);
    this.#uint16(ttl & 0xffff);
    const lengthAt = this.offset;
    this.#uint16(0);
    const compress = namesInData.get(type)?.compress ?? false;
    for (const piece of data) {
      if (piece instanceof Uint8Array) this.#bytes(piece);
      else this.#name(piece, compress);
    }
    page.writeUInt16BE(this.offset - lengthAt - 2, lengthAt);
  }

  #name(labels: DNSName, compress: boolean): void {
    const suffixes: string[] = [];
    let suffix = '';
    for (let i = labels.length - 1; i >= 0; i--) {
      const label = labels[i] ?? '';
      suffix = String.fromCharCode(label.length) + label + suffix;
      suffixes[i] = suffix;
    }
    for (const [i, label] of labels.entries()) {
      const key = suffixes[i] ?? '';
      const at = this.#written.get(key);
      if (compress && at !== undefined) {
        this.#uint16((pointerBits << 8) | at);
        return;
      }
      this.#need(label.length + 1);
      if (at === undefined && this.offset <= pointerOffsetMax) this.#written.set(key, this.offset);
      page[this.offset] = label.length;
      page.write(label, this.offset + 1, 'latin1');
      this.offset += label.length + 1;
    }
    this.#need(1);
    page[this.offset++] = 0;
  }

  #bytes(bytes: Uint8Array): void {
    this.#need(bytes.length);
    page.set(bytes, this.offset);
    this.offset += bytes.length;
  }

  #uint16(value: number): void {
    this.#need(2);
    page.writeUInt16BE(value, this.offset);
    this.offset += 2;
  }

  #need(bytes: number): void {
    if (this.offset + bytes > this.#bytesMax) throw new Full();
  }
}

/** RDATA of A and AAAA; undefined for what is no address. */
export function encodeAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!isIPv6(text) || text.includes('%')) return undefined;
  // the last 32 bits may be written as IPv4
  const plain = text.replace(/[\d.]+\.\d+$/, (ipv4) => {
    const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const words = (part: string): number[] => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  const left = words(head);
  const right = words(tail ?? '');
  const all = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

/** RDATA of TXT, or what stands between two names: numbers of two bytes. */
export const encodeText = (text: string): Uint8Array => Buffer.from(`${String.fromCharCode(text.length)}${text}`, 'latin1');
export const encodeUint16s = (...values: readonly number[]): Uint8Array =>
  Uint8Array.from(values.flatMap((v) => [(v >> 8) & 0xff, v & 0xff]));
