/**
 * Passes on what arrives at local addresses to endpoints that are chosen anew for each connection, and for each client
 * of UDP. A port that closes takes no new ones; its connections go on until they end, or all are disposed of.
 *
 * Bounded: as many connections and flows as the constants say, shared by all ports (shares.ts). A connection that finds
 * no room is reset, or the newest one of the port that has the most; a flow takes the place of the one there that was idle
 * the longest. Idle ones end.
 */
import { createSocket, type RemoteInfo, type Socket as UDPSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';
import type { Clock, Timer } from '../../client/clock.ts';
import type { ProxyEndpoint } from './service-ports.ts';
import { Shares } from './shares.ts';

export interface Relay {
  readonly host: string;
  readonly port: number;
  /** For a new client; undefined: nobody is there any more. */
  readonly choose: () => ProxyEndpoint | undefined;
  /** whether it may still be used */
  readonly leadsTo: (endpoint: ProxyEndpoint) => boolean;
}

export const connectionsMax = 1024;
const flowsMax = 512;
const connectMs = 10_000;
/** A peer that is gone without a word is noticed after some of these. */
const keepAliveMs = 60_000;
/** As kube-proxy has the kernel forget connections that it forwards: --conntrack-tcp-timeout-established and -close-wait. */
export const idleMs = 24 * 3_600_000;
export const halfClosedIdleMs = 3_600_000;
/** As the kernel forgets flows: nf_conntrack_udp_timeout_stream. */
const flowIdleMs = 120_000;

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  idle?: Timer;
}

interface Flow {
  /** of the relay */
  readonly port: number;
  readonly endpoint: ProxyEndpoint;
  readonly socket: UDPSocket;
  timer?: Timer;
}

/** Its peer has to see that this was no orderly end. */
const end = (socket: Socket): unknown => (socket.connecting ? socket.destroy() : socket.resetAndDestroy());

export class Relays implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #connections = new Shares<Connection>(connectionsMax);
  /** by port and client */
  readonly #flows = new Map<string, Flow>();
  /** the one that was idle the longest first */
  readonly #flowShares = new Shares<string>(flowsMax);
  readonly #closing = new Set<Promise<unknown>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async tcp({ host, port, choose }: Relay): Promise<AsyncDisposable> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#connect(client, { port, endpoint: choose() }));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ host, port }, resolve);
    });
    server.on('error', () => undefined); // of accepting: that client is told by its connection
    return {
      [Symbol.asyncDispose]: async () => {
        // It stops listening at once, and is closed when the last connection has ended.
        const closed = new Promise((resolve) => server.close(resolve)).finally(() => this.#closing.delete(closed));
        this.#closing.add(closed);
      },
    };
  }

  #connect(client: Socket, { port, endpoint }: { readonly port: number; readonly endpoint: ProxyEndpoint | undefined }): void {
    client.on('error', () => undefined); // told by `close`
    const giver = this.#connections.giverFor(port);
    if (!endpoint || giver === port) {
      client.resetAndDestroy();
      return;
    }
    if (giver !== undefined) this.#reset(giver, [...this.#connections.of(giver)].at(-1));
    const to = { host: endpoint.ip, port: endpoint.port };
    const server = connect({ ...to, allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
    const timer = this.#clock.setTimeout(() => server.destroy(new Error('no answer')), connectMs);
    const connection: Connection = { client, server };
    this.#connections.take(port, connection);
    this.#endWhenIdle(port, connection);
    server.on('error', () => undefined).once('connect', () => timer.cancel());
    client.pipe(server).pipe(client);
    const pair = [client, server] as const;
    for (const [one, other] of [pair, [server, client] as const]) {
      one.once('close', (failed) => {
        if (failed) end(other);
        if (!other.closed) return;
        timer.cancel();
        connection.idle?.cancel();
        this.#connections.give(port, connection);
      });
    }
  }

  /** Looks now and then whether anything was said, so that what is said costs nothing more. */
  #endWhenIdle(port: number, connection: Connection): void {
    const { client, server } = connection;
    let [said, sinceMs] = [0, this.#clock.monotonic()];
    const look = (): void => {
      const nowMs = this.#clock.monotonic();
      const saysNow = client.bytesRead + server.bytesRead;
      if (saysNow !== said) [said, sinceMs] = [saysNow, nowMs];
      const isHalfClosed = client.readableEnded || server.readableEnded;
      if (nowMs - sinceMs >= (isHalfClosed ? halfClosedIdleMs : idleMs)) this.#reset(port, connection);
      else connection.idle = this.#clock.setTimeout(look, halfClosedIdleMs);
    };
    look();
  }

  #reset(port: number, connection: Connection | undefined): void {
    if (!connection) return;
    this.#connections.give(port, connection);
    connection.idle?.cancel();
    for (const socket of [connection.client, connection.server]) end(socket);
  }

  async udp(relay: Relay): Promise<AsyncDisposable> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject).bind({ address: relay.host, port: relay.port }, resolve);
    });
    socket.on('error', () => undefined); // of one datagram: lost, as UDP may
    socket.on('message', (message, client) => this.#pass(message, { relay, socket, client }));
    return {
      [Symbol.asyncDispose]: async () => {
        for (const key of this.#flowShares.of(relay.port)) this.#forget(key);
        await new Promise<void>((resolve) => socket.close(resolve));
      },
    };
  }

  #pass(message: Buffer, at: { readonly relay: Relay; readonly socket: UDPSocket; readonly client: RemoteInfo }): void {
    const key = `${at.relay.port} ${at.client.address}:${at.client.port}`;
    const known = this.#flows.get(key);
    const isUsable = known !== undefined && at.relay.leadsTo(known.endpoint);
    if (known && !isUsable) this.#forget(key);
    const flow = isUsable ? known : this.#startFlow(key, at);
    if (!flow) return;
    this.#touch(key, flow);
    flow.socket.send(message, flow.endpoint.port, flow.endpoint.ip, () => undefined);
  }

  #startFlow(
    key: string,
    { relay, socket, client }: { readonly relay: Relay; readonly socket: UDPSocket; readonly client: RemoteInfo },
  ): Flow | undefined {
    const endpoint = relay.choose();
    if (!endpoint) return undefined;
    const giver = this.#flowShares.giverFor(relay.port);
    const [oldest] = giver === undefined ? [] : this.#flowShares.of(giver);
    if (oldest !== undefined) this.#forget(oldest);
    const flow: Flow = { port: relay.port, endpoint, socket: createSocket('udp4') };
    flow.socket.on('error', () => undefined);
    flow.socket.on('message', (answer, from) => {
      if (from.address !== endpoint.ip || from.port !== endpoint.port) return;
      this.#touch(key, flow);
      socket.send(answer, client.port, client.address, () => undefined);
    });
    return flow;
  }

  #touch(key: string, flow: Flow): void {
    flow.timer?.cancel();
    flow.timer = this.#clock.setTimeout(() => this.#forget(key), flowIdleMs);
    this.#flows.set(key, flow);
    this.#flowShares.take(flow.port, key);
  }

  #forget(key: string): void {
    const flow = this.#flows.get(key);
    if (!flow) return;
    this.#flows.delete(key);
    this.#flowShares.give(flow.port, key);
    flow.timer?.cancel();
    flow.socket.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const key of [...this.#flows.keys()]) this.#forget(key);
    for (const { client, server, idle } of this.#connections) {
      idle?.cancel();
      client.destroy();
      server.destroy();
    }
    await Promise.all(this.#closing);
  }
}
