/**
 * From the bytes of a query to the bytes of its answer: what is not a plain question is refused, names of the cluster
 * come from the zone, all others from the forwarder, and so does what lies behind an alias that leads there.
 *
 * Guarantees: nothing but questions is ever passed on (UPDATE, NOTIFY and zone transfers end here), a signature is never
 * taken for verified, and the answer fits into what the client takes: 512 bytes over UDP, or its EDNS size up to
 * `udpBytesMax`. Addresses come in a new order each time, as clients take the first.
 */
import type { Random } from '../../client/clock.ts';
import type { ClusterZone, ZoneAnswer } from './cluster-zone.ts';
import type { Forwarder } from './forwarder.ts';
import {
  classIN,
  type DNSQuery,
  type DNSRecord,
  decodeAnswer,
  decodeQuery,
  encodeDNSMessage,
  headerBytes,
  headerFlags,
  messageBytesMax,
  type Question,
  type Rcode,
  recordTypes,
  udpBytesDefault,
  udpBytesMax,
} from './message.ts';

export interface ResponderOptions {
  readonly zone: ClusterZone;
  readonly forwarder: Forwarder;
  readonly random: Random;
}

type Transport = 'udp' | 'tcp';

const opcodeBits = 0x7800;
const { recursionDesired, recursionAvailable, checkingDisabled, authoritative, truncated } = headerFlags;
const transfers: ReadonlySet<number> = new Set([recordTypes.AXFR, recordTypes.IXFR]);
const addresses: ReadonlySet<number> = new Set([recordTypes.A, recordTypes.AAAA]);

export class Responder {
  readonly #options: ResponderOptions;

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  /** `client`: the address of who asks. `undefined`: this gets no answer. */
  async answer(packet: Buffer, via: Transport, client = ''): Promise<Buffer | undefined> {
    const query = decodeQuery(packet);
    if (!query) return undefined;
    const { question } = query;
    const refusal = refusalOf(query);
    if (refusal || !question) return render(query, refusal ?? 'FORMERR', undefined, via);
    const found = this.#options.zone.resolve(question.name, question.type);
    if (!found) return this.#forward(packet, { ...query, question }, via, client);
    return render(query, found.rcode, this.#shuffle(await this.#continue(question, found, client)), via);
  }

  async #forward(packet: Buffer, query: DNSQuery & { readonly question: Question }, via: Transport, client: string): Promise<Buffer> {
    const { question, flags, edns } = query;
    const answer = await this.#options.forwarder.ask({ question, flags, edns, client }, via);
    if (!answer) return render(query, 'SERVFAIL', undefined, via);
    if (answer.length > bytesMaxFor(query, via)) {
      return encodeDNSMessage({ id: query.id, flags: (answer.readUInt16BE(2) & ~0xf) | truncated, question, edns }, udpBytesDefault);
    }
    // the client's own identity and spelling: it may check both
    answer.writeUInt16BE(query.id, 0);
    packet.copy(answer, headerBytes, headerBytes, headerBytes + decodeAnswer(answer).questionBytes);
    return answer;
  }

  /** An alias that leads out of the zone is followed there, as resolvers in containers expect. */
  async #continue(question: Question, found: ZoneAnswer, client: string): Promise<ZoneAnswer> {
    if (!found.continueAt) return found;
    const asked = { question: { ...question, name: found.continueAt }, flags: recursionDesired, client };
    const answer = await this.#options.forwarder.ask({ ...asked, edns: { dnssecOK: false } }, 'tcp');
    return answer ? { ...found, answers: [...found.answers, ...decodeAnswer(answer).answers] } : found;
  }

  #shuffle(found: ZoneAnswer): ZoneAnswer {
    return { ...found, answers: this.#shuffled(found.answers), additionals: this.#shuffled(found.additionals) };
  }

  /** Addresses last, in random order; an alias stays before what it leads to. */
  #shuffled(records: readonly DNSRecord[]): DNSRecord[] {
    const order = records.filter(({ type }) => !addresses.has(type));
    const rest = records.filter(({ type }) => addresses.has(type));
    for (let i = rest.length - 1; i > 0; i--) {
      const j = Math.floor(this.#options.random.next() * (i + 1));
      [rest[i], rest[j]] = [rest[j] as DNSRecord, rest[i] as DNSRecord];
    }
    return [...order, ...rest];
  }
}

function refusalOf({ opcode, question, edns, signed }: DNSQuery): Rcode | undefined {
  if (opcode !== 0) return 'NOTIMP';
  if (!question) return 'FORMERR';
  if (edns && edns.version > 0) return 'BADVERS';
  if (signed) return 'NOTAUTH';
  if (question.class !== classIN || transfers.has(question.type)) return 'REFUSED';
  return undefined;
}

const bytesMaxFor = ({ edns }: DNSQuery, via: Transport): number =>
  via === 'tcp' ? messageBytesMax : Math.min(Math.max(edns?.udpBytes ?? 0, udpBytesDefault), udpBytesMax);

function render(query: DNSQuery, rcode: Rcode, found: ZoneAnswer | undefined, via: Transport): Buffer {
  const asked = query.flags & (opcodeBits | recursionDesired | checkingDisabled);
  const flags = asked | recursionAvailable | (found ? authoritative : 0);
  const { id, question, edns } = query;
  return encodeDNSMessage({ id, flags, rcode, question, edns, ...found }, bytesMaxFor(query, via));
}
