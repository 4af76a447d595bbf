/**
 * Asks other servers for names that are not the cluster's: over UDP, one server after the other, over TCP when the
 * answer was cut short and the caller can take a longer one. Bounded in questions under way, in all and of one client, in
 * bytes and in time; when nobody answers the caller says SERVFAIL.
 *
 * What goes out is a query of its own, with nothing of the client's but its question: its identity comes from the
 * system's random source, its port from the kernel, a socket each. What comes back counts only from the server that was
 * asked, with that identity and that question (RFC 5452 §9).
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock } from '../../client/clock.ts';
import {
  decodeAnswer,
  encodeQuery,
  FormatError,
  headerBytes,
  headerFlags,
  type Message,
  messageBytesMax,
  type Question,
} from './message.ts';
import { frame, unframe } from './stream-frame.ts';

const perServerTimeoutMs = 2000;
const underWayMax = 1000;
/** Questions that nobody answers are under way for seconds: one client's leave room for others'. */
const ofClientMax = underWayMax / 4;

export interface Upstream {
  readonly address: string;
  readonly port: number;
}

export interface Forwarded {
  readonly question: Question;
  /** RD and CD are passed on */
  readonly flags: number;
  readonly edns?: Message['edns'];
  /** the address of who wants to know */
  readonly client: string;
}

/** `10.0.0.2`, `10.0.0.2:5353`, `2001:db8::2`, `[2001:db8::2]:5353` */
export function parseUpstream(text: string): Upstream {
  if (isIPv6(text)) return { address: text, port: 53 };
  const [, address = text, port = 53] = /^\[?(.+?)\]?(?::(\d+))?$/.exec(text) ?? [];
  return { address, port: Number(port) };
}

export class Forwarder {
  readonly #upstreams: readonly Upstream[];
  readonly #clock: Clock;
  #underWay = 0;
  readonly #ofClients = new Map<string, number>();

  constructor(upstreams: readonly Upstream[], clock: Clock) {
    this.#upstreams = upstreams;
    this.#clock = clock;
  }

  /** The whole answer, under the identity of its own, or undefined when nobody gave one. */
  async ask({ question, flags, edns, client }: Forwarded, via: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const ofClient = this.#ofClients.get(client) ?? 0;
    if (this.#underWay >= underWayMax || ofClient >= ofClientMax) return undefined;
    this.#underWay++;
    this.#ofClients.set(client, ofClient + 1);
    try {
      const passed = flags & (headerFlags.recursionDesired | headerFlags.checkingDisabled);
      for (const upstream of this.#upstreams) {
        const query = encodeQuery({ id: randomInt(0x10000), flags: passed, question, edns });
        const answer = await this.#askUDP(upstream, query);
        if (!answer) continue;
        if (via === 'udp' || !(answer.readUInt16BE(2) & headerFlags.truncated)) return answer;
        return (await this.#askTCP(upstream, query)) ?? answer;
      }
      return undefined;
    } finally {
      this.#underWay--;
      const left = (this.#ofClients.get(client) ?? 1) - 1;
      if (left > 0) this.#ofClients.set(client, left);
      else this.#ofClients.delete(client);
    }
  }

  #askUDP(upstream: Upstream, query: Buffer): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const socket = createSocket(isIPv6(upstream.address) ? 'udp6' : 'udp4');
      const finish = (answer?: Buffer): void => {
        timer.cancel();
        socket.removeAllListeners();
        socket.on('error', () => undefined); // a late one of a closed socket
        socket.close();
        resolve(answer);
      };
      const timer = this.#clock.setTimeout(() => finish(), perServerTimeoutMs);
      socket.on('error', () => finish());
      socket.on('message', (message) => {
        if (isAnswerTo(query, message)) finish(message);
      });
      socket.on('connect', () => socket.send(query)); // as a callback it would be given the error too
      socket.connect(upstream.port, upstream.address);
    });
  }

  #askTCP(upstream: Upstream, query: Buffer): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const socket = connect(upstream.port, upstream.address);
      const finish = (answer?: Buffer): void => {
        timer.cancel();
        socket.destroy();
        resolve(answer);
      };
      const timer = this.#clock.setTimeout(() => finish(), perServerTimeoutMs);
      socket.on('error', () => finish());
      socket.on('close', () => finish());
      socket.on('connect', () => socket.write(frame(query)));
      let received: Buffer = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        const { messages, rest } = unframe(Buffer.concat([received, chunk]), messageBytesMax);
        const answer = messages?.find((message) => isAnswerTo(query, message));
        if (answer || !messages) return finish(answer);
        received = rest;
      });
    });
  }
}

/** The same identity and, in whatever case, the same question; and it can be read. */
function isAnswerTo(query: Buffer, message: Buffer): boolean {
  if (message.length < headerBytes || message.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  if (!(message.readUInt16BE(2) & headerFlags.response)) return false;
  try {
    const asked = decodeAnswer(query).question;
    const { question } = decodeAnswer(message);
    const sameName =
      question.name.length === asked.name.length && question.name.every((label, i) => label.toLowerCase() === asked.name[i]?.toLowerCase());
    return sameName && question.type === asked.type && question.class === asked.class;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}
