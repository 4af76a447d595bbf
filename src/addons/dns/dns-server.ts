/**
 * The cluster's DNS server: UDP and TCP on one address. Names of the cluster come from the zone, everything else from
 * the forwarder. A malformed packet is answered with FORMERR when it has an identity, else dropped; nothing it holds
 * can end the server. Answers over UDP are cut to what the client takes (512 bytes, or its EDNS0 size).
 */
import { createSocket, type Socket as UDPSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  type Question,
  RECURSION_AVAILABLE,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import type { Log } from '../../client/log.ts';
import type { ClusterZone, ZoneAnswer } from './cluster-zone.ts';
import type { Forwarder } from './forwarder.ts';

const udpBytesDefault = 512;
const udpBytesMax = 4096;
const tcpConnectionsMax = 200;
const tcpIdleMs = 10_000;
const aliasDepthMax = 8;

const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4 } as const;
type Rcode = keyof typeof rcodes;

export interface DNSServerOptions {
  readonly address: string;
  /** 0 takes a free one */
  readonly port: number;
  readonly zone: ClusterZone;
  readonly forwarder: Forwarder;
  readonly log: Log;
}

export class DNSServer implements AsyncDisposable {
  readonly #options: DNSServerOptions;
  readonly #udp: UDPSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();

  private constructor(options: DNSServerOptions) {
    this.#options = options;
    this.#udp = createSocket('udp4');
    this.#tcp = createServer((socket) => this.#serveTCP(socket));
    this.#tcp.maxConnections = tcpConnectionsMax;
  }

  static async listen(options: DNSServerOptions): Promise<DNSServer> {
    const server = new DNSServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#tcp.once('error', reject);
      server.#tcp.listen(options.port, options.address, resolve);
    });
    await new Promise<void>((resolve, reject) => {
      server.#udp.once('error', reject);
      server.#udp.bind(server.port, options.address, resolve);
    });
    server.#udp.removeAllListeners('error').on('error', (error) => options.log.warn({ error }, 'DNS socket'));
    server.#udp.on('message', (packet, from) => {
      server.#answer(packet, 'udp').then(
        (answer) => answer && server.#udp.send(answer, from.port, from.address),
        (error) => options.log.error({ error }, 'DNS query failed'),
      );
    });
    return server;
  }

  get port(): number {
    const address = this.#tcp.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    await new Promise<void>((resolve) => this.#udp.close(resolve));
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }

  #serveTCP(socket: Socket): void {
    this.#connections.add(socket);
    socket.setTimeout(tcpIdleMs, () => socket.destroy());
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => socket.destroy());
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= received.readUInt16BE() + 2) {
        const length = received.readUInt16BE();
        const packet = received.subarray(2, length + 2);
        received = received.subarray(length + 2);
        this.#answer(packet, 'tcp').then(
          (answer) => {
            if (!answer || socket.destroyed) return;
            const head = Buffer.alloc(2);
            head.writeUInt16BE(answer.length);
            socket.write(Buffer.concat([head, answer]));
          },
          (error) => this.#options.log.error({ error }, 'DNS query failed'),
        );
      }
    });
  }

  async #answer(packet: Buffer, via: 'udp' | 'tcp'): Promise<Uint8Array | undefined> {
    let query: DecodedPacket;
    try {
      query = decode(packet);
    } catch {
      if (packet.length < 12) return undefined;
      return encode({ type: 'response', id: packet.readUInt16BE(), flags: rcodes.FORMERR });
    }
    if (query.type !== 'query') return undefined;
    const question = query.questions?.[0];
    if (!question) return this.#render(query, 'FORMERR', undefined, via);
    const found = this.#options.zone.resolve(question.name, question.type);
    if (!found) {
      const answer = await this.#options.forwarder.ask(packet);
      return answer ?? this.#render(query, 'SERVFAIL', undefined, via);
    }
    return this.#render(query, found.rcode, await this.#followAlias(question, found), via);
  }

  /** The address behind a CNAME goes into the same answer, as resolvers in containers expect. */
  async #followAlias(question: Question, found: ZoneAnswer): Promise<ZoneAnswer> {
    if (question.type === 'CNAME') return found;
    const answers: Answer[] = [...found.answers];
    for (let depth = 0; depth < aliasDepthMax; depth++) {
      const last = answers.at(-1);
      if (last?.type !== 'CNAME') break;
      const inside = this.#options.zone.resolve(last.data, question.type);
      if (inside) {
        answers.push(...inside.answers);
        if (inside.answers.length === 0) break;
        continue;
      }
      const packet = await this.#options.forwarder.ask(
        encode({ type: 'query', id: depth + 1, flags: 0x100, questions: [{ type: question.type, name: last.data }] }),
      );
      if (packet) answers.push(...(decode(Buffer.from(packet)).answers ?? []));
      break;
    }
    return { ...found, answers };
  }

  #render(query: DecodedPacket, rcode: Rcode, found: ZoneAnswer | undefined, via: 'udp' | 'tcp'): Uint8Array {
    const edns = query.additionals?.find((record) => record.type === 'OPT');
    const recursionDesired = (query.flags ?? 0) & 0x100;
    const response: Packet = {
      type: 'response',
      id: query.id ?? 0,
      flags: RECURSION_AVAILABLE | recursionDesired | (found ? AUTHORITATIVE_ANSWER : 0) | rcodes[rcode],
      questions: query.questions ?? [],
      answers: [...(found?.answers ?? [])],
      authorities: [...(found?.authorities ?? [])],
      additionals: [...(found?.additionals ?? [])],
    };
    const bytes = encode(response);
    const asked = edns && 'udpPayloadSize' in edns ? Number(edns.udpPayloadSize) : udpBytesDefault;
    const bytesMax = via === 'tcp' ? 65_535 : Math.min(Math.max(asked, udpBytesDefault), udpBytesMax);
    if (bytes.length <= bytesMax) return bytes;
    return encode({ ...response, flags: (response.flags ?? 0) | TRUNCATED_RESPONSE, answers: [], additionals: [] });
  }
}
