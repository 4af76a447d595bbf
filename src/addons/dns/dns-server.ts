/**
 * The cluster's DNS server: UDP and TCP on one address. What an answer says is the responder's; here are the sockets.
 *
 * Guarantees: nothing that a packet holds, and nobody who does not read, ends the server or holds more than his place.
 * TCP (RFC 7766): queries may follow one another without waiting and are answered as they are done; connections are
 * bounded in number (one of the address that holds the most gives way, so that nobody pushes others out by himself), in
 * idle time, in queries under way and in answers not yet read, beyond which they are read no further.
 */
import { createSocket, type Socket as UDPSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { detach } from '../../client/detached.ts';
import type { Log } from '../../client/log.ts';
import { Responder, type ResponderOptions } from './responder.ts';
import { frame, unframe } from './stream-frame.ts';

const tcpConnectionsMax = 200;
const tcpIdleMs = 10_000;
const tcpUnderWayMax = 8;
/** A question with all its options is far shorter. */
const queryBytesMax = 4096;

export interface DNSServerOptions extends ResponderOptions {
  readonly address: string;
  /** 0 takes a free one */
  readonly port: number;
  readonly log: Log;
}

export class DNSServer implements AsyncDisposable {
  readonly #log: Log;
  readonly #responder: Responder;
  readonly #udp: UDPSocket;
  readonly #tcp: Server;
  /** with the address of who asks; the one that has asked last is last */
  readonly #connections = new Map<Socket, string>();

  private constructor(options: DNSServerOptions) {
    this.#log = options.log;
    this.#responder = new Responder(options);
    this.#udp = createSocket('udp4');
    this.#tcp = createServer({ allowHalfOpen: true }, (socket) => this.#serveTCP(socket));
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
    for (const socket of [server.#tcp, server.#udp]) {
      socket.removeAllListeners('error').on('error', (error) => options.log.warn({ error }, 'DNS socket'));
    }
    server.#udp.on('message', (packet, from) => {
      detach(async () => {
        const answer = await server.#responder.answer(packet, 'udp', from.address);
        if (answer) server.#udp.send(answer, from.port, from.address);
      }, server.#failed);
    });
    return server;
  }

  get port(): number {
    const address = this.#tcp.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#connections.keys()) socket.destroy();
    await new Promise<void>((resolve) => this.#udp.close(resolve));
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }

  /** A query's fault, or a sender to whom nothing can be sent (from port 0), ends here. */
  readonly #failed = (error: unknown): void => this.#log.warn({ error }, 'DNS query failed');

  #serveTCP(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    this.#connections.set(socket, address);
    if (this.#connections.size > tcpConnectionsMax) planToGiveWay(this.#connections)?.destroy();
    socket.setTimeout(tcpIdleMs, () => socket.destroy());
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => socket.destroy());
    let received: Buffer = Buffer.alloc(0);
    let waiting: Buffer[] = [];
    let underWay = 0;
    let ended = false;
    /** Takes up as many of the waiting queries as may be under way; only when all are, reading goes on. */
    const proceed = (): void => {
      while (waiting.length > 0 && underWay < tcpUnderWayMax && !socket.writableNeedDrain) {
        const query = waiting.shift() as Buffer;
        underWay++;
        detach(async () => {
          try {
            const answer = await this.#responder.answer(query, 'tcp', address);
            if (answer && socket.writable) socket.write(frame(answer));
          } finally {
            underWay--;
            proceed();
          }
        }, this.#failed);
      }
      if (waiting.length > 0) socket.pause();
      else if (!ended) socket.resume();
      else if (underWay === 0) socket.end();
    };
    socket.on('drain', proceed);
    socket.on('end', () => {
      ended = true;
      proceed();
    });
    socket.on('data', (chunk: Buffer) => {
      const { messages, rest } = unframe(Buffer.concat([received, chunk]), queryBytesMax);
      if (!messages) return socket.destroy();
      received = rest;
      if (messages.length === 0) return;
      if (this.#connections.delete(socket)) this.#connections.set(socket, address);
      waiting = [...waiting, ...messages];
      proceed();
    });
  }
}

/** Of the connections of the address that has the most: the one that has asked nothing for the longest time. */
function planToGiveWay(connections: ReadonlyMap<Socket, string>): Socket | undefined {
  const byAddress = [...Map.groupBy(connections, ([, address]) => address).values()];
  const [most] = byAddress.sort((a, b) => b.length - a.length); // among equals the first, who has waited longest
  return most?.[0]?.[0];
}
