/**
 * Asks other servers for names that are not the cluster's: over UDP, one server after the other, over TCP when the
 * answer was cut short. Bounded in questions under way and in time; when nobody answers the caller says SERVFAIL.
 */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Clock } from '../../client/clock.ts';

const perServerTimeoutMs = 2000;
const underWayMax = 1000;
const truncatedFlag = 0x02;

export interface Upstream {
  readonly address: string;
  readonly port: number;
}

/** `10.0.0.2`, `10.0.0.2:5353` */
export function parseUpstream(text: string): Upstream {
  const [address = '', port] = text.split(':');
  return { address, port: port === undefined ? 53 : Number(port) };
}

export class Forwarder {
  readonly #upstreams: readonly Upstream[];
  readonly #clock: Clock;
  #underWay = 0;

  constructor(upstreams: readonly Upstream[], clock: Clock) {
    this.#upstreams = upstreams;
    this.#clock = clock;
  }

  /** The answer to a whole query packet, or undefined when nobody gave one. */
  async ask(query: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#underWay >= underWayMax) return undefined;
    this.#underWay++;
    try {
      for (const upstream of this.#upstreams) {
        const answer = await this.#askUDP(upstream, query);
        if (!answer) continue;
        if (!((answer[2] ?? 0) & truncatedFlag)) return answer;
        return (await this.#askTCP(upstream, query)) ?? answer;
      }
      return undefined;
    } finally {
      this.#underWay--;
    }
  }

  #askUDP(upstream: Upstream, query: Uint8Array): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => {
      const socket = createSocket('udp4');
      const finish = (answer?: Uint8Array): void => {
        timer.cancel();
        socket.removeAllListeners();
        socket.on('error', () => undefined); // a late one of a closed socket
        socket.close();
        resolve(answer);
      };
      const timer = this.#clock.setTimeout(() => finish(), perServerTimeoutMs);
      socket.on('error', () => finish());
      socket.on('message', (message) => {
        if (message[0] === query[0] && message[1] === query[1]) finish(message);
      });
      socket.on('connect', () => socket.send(query)); // as a callback it would be given the error too
      socket.connect(upstream.port, upstream.address);
    });
  }

  #askTCP(upstream: Upstream, query: Uint8Array): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => {
      const socket = connect(upstream.port, upstream.address);
      let received = Buffer.alloc(0);
      const finish = (answer?: Uint8Array): void => {
        timer.cancel();
        socket.destroy();
        resolve(answer);
      };
      const timer = this.#clock.setTimeout(() => finish(), perServerTimeoutMs);
      socket.on('error', () => finish());
      socket.on('close', () => finish());
      socket.on('connect', () => {
        const head = Buffer.alloc(2);
        head.writeUInt16BE(query.length);
        socket.write(Buffer.concat([head, query]));
      });
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < 2) return;
        const length = received.readUInt16BE();
        if (received.length >= length + 2) finish(received.subarray(2, length + 2));
      });
    });
  }
}
