/**
 * The streaming server of a simulated runtime, as a CRI runtime has one: hands out URLs on the loopback address, each
 * good for one SPDY connection soon after, and runs what was promised there. It listens from the first URL on.
 * Upstream: k8s.io/cri-streaming/pkg/streaming.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';
import type { Clock, Random, Timer } from '../../client/clock.ts';
import { detach } from '../../client/detached.ts';
import { createServer, requestHeadBytesMax } from '../../client/transport/node-http.ts';
import { spdyProtocol, streamProtocolHeader } from '../streaming/dial-spdy.ts';
import { SpdyConnection, type SpdyStream } from '../streaming/spdy-connection.ts';
import type { StreamOptions } from './cri-types.ts';

export interface StreamsOfCommand {
  readonly stdin?: Readable | undefined;
  readonly stdout?: Writable | undefined;
  readonly stderr?: Writable | undefined;
  /** aborted when the client has gone */
  readonly signal: AbortSignal;
}
/** Gives the exit code; what it throws is told as an internal error. */
export type StreamedCommand = (streams: StreamsOfCommand) => Promise<number>;

interface Promised extends StreamOptions {
  readonly command: StreamedCommand;
  readonly expiry: Timer;
}

const urlMsMax = 60_000;
const streamsProtocol = 'v4.channel.k8s.io';
const streamTypes = ['error', 'stdin', 'stdout', 'stderr', 'resize'] as const;
type StreamType = (typeof streamTypes)[number];
const host = '127.0.0.1';

export class SimulatedStreams implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #promised = new Map<string, Promised>();
  readonly #sockets = new Set<Duplex>();
  #server: Promise<Server> | undefined;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  async promise(options: StreamOptions, command: StreamedCommand): Promise<string> {
    this.#server ??= this.#listen();
    const { port } = (await this.#server).address() as AddressInfo;
    const token = this.#random.uuid();
    const expiry = this.#clock.setTimeout(() => this.#promised.delete(token), urlMsMax);
    this.#promised.set(token, { ...options, command, expiry });
    return `http://${host}:${port}/${token}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { expiry } of this.#promised.values()) expiry.cancel();
    this.#promised.clear();
    const server = await this.#server;
    for (const socket of this.#sockets) socket.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  #listen(): Promise<Server> {
    const server = createServer({ maxHeaderSize: requestHeadBytesMax }, (_request, response) => {
      response.writeHead(400).end('Upgrade request required');
    });
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    server.on('connection', (socket: Duplex) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    return new Promise((resolve, reject) => server.once('error', reject).listen(0, host, () => resolve(server)));
  }

  #upgrade({ url = '', headers }: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const token = url.slice(1);
    const promised = this.#promised.get(token);
    const offered = [headers[streamProtocolHeader]].flat().join().split(/,\s*/);
    if (!promised) {
      refuse(socket, '404 Not Found', 'there is nothing here, or no longer');
      return;
    }
    if (headers.upgrade !== spdyProtocol || !offered.includes(streamsProtocol)) {
      refuse(socket, '403 Forbidden', `unable to negotiate protocol: server accepts ${spdyProtocol} with [${streamsProtocol}]`);
      return;
    }
    promised.expiry.cancel();
    this.#promised.delete(token);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${spdyProtocol}\r\n${streamProtocolHeader}: ${streamsProtocol}\r\n\r\n`,
    );
    const streams: Partial<Record<StreamType, SpdyStream>> = {};
    const wanted = streamTypes.filter((type) => type === 'error' || (type === 'resize' ? promised.tty : promised[type]));
    const connection: SpdyConnection = new SpdyConnection(socket, {
      head,
      onStream: (stream) => {
        const type = wanted.find((one) => one === stream.headers['streamtype'] && !streams[one]);
        if (!type) {
          stream.destroy();
          return;
        }
        streams[type] = stream;
        if (wanted.every((one) => streams[one]))
          detach(
            () => run(connection, promised.command, streams),
            () => socket.destroy(),
          );
      },
    });
  }
}

async function run(connection: SpdyConnection, command: StreamedCommand, streams: Partial<Record<StreamType, SpdyStream>>): Promise<void> {
  const gone = new AbortController();
  connection.ended.then(
    () => gone.abort(),
    () => gone.abort(),
  );
  const { stdin, stdout, stderr, error, resize } = streams;
  resize?.resume();
  const status = await command({ signal: gone.signal, stdin, stdout, stderr }).then(statusOf, (problem: Error) => ({
    status: 'Failure',
    reason: 'InternalError',
    message: problem.message,
    code: 500,
  }));
  stdin?.resume(); // what nobody read
  const end = (stream: SpdyStream | undefined, last = ''): Promise<void> =>
    new Promise((resolve) => stream?.end(last, resolve) ?? resolve());
  await Promise.all([end(stdout), end(stderr), end(error, JSON.stringify({ metadata: {}, ...status }))]);
  await connection.close();
}

/** Upstream: k8s.io/cri-streaming/pkg/streaming/remotecommand/exec.go. */
function statusOf(exitCode: number): object {
  if (exitCode === 0) return { status: 'Success' };
  const details = { causes: [{ reason: 'ExitCode', message: String(exitCode) }] };
  const message = `command terminated with non-zero exit code: exit status ${exitCode}`;
  return { status: 'Failure', message, reason: 'NonZeroExitCode', details };
}

function refuse(socket: Duplex, status: string, message: string): void {
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(message)}\r\nConnection: close\r\n\r\n${message}`,
  );
}
