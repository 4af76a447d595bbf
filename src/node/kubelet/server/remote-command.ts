/**
 * exec and attach over a WebSocket, translated to the SPDY streams of the runtime's streaming server. Each message
 * begins with its channel: 0 stdin, 1 stdout, 2 stderr, 3 the Status in which it ended, 4 terminal sizes; with
 * `v5.channel.k8s.io`, 255 closes the channel that follows, which is how stdin ends. Older protocols know no such end.
 * What one side does not read is not read from the other.
 * Upstream: apiserver/pkg/util/proxy/{streamtranslator,websocket}.go, k8s.io/streaming/pkg/httpstream/wsstream/conn.go.
 */

import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { WebSocket } from 'ws';
import { own } from '../../../api/meta/words.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import type { StreamOptions } from '../../runtime/cri-types.ts';
import { dialSpdy } from '../../streaming/dial-spdy.ts';
import { SpdyConnection, type SpdyStream } from '../../streaming/spdy-connection.ts';
import type { UpgradeRequest } from './websocket-upgrade.ts';
import { acceptWebSocket } from './websocket-upgrade.ts';

interface ChannelProtocol {
  /** messages are text: the channel's digit, and base64 */
  readonly isText?: boolean;
  /** 255 closes a channel */
  readonly canClose?: boolean;
  /** the end is told by the bare message of an error, success by nothing */
  readonly plainErrors?: boolean;
}

/** An offer of none is the oldest. */
const protocols: Readonly<Record<string, ChannelProtocol>> = {
  'v5.channel.k8s.io': { canClose: true },
  'v4.channel.k8s.io': {},
  'v4.base64.channel.k8s.io': { isText: true },
  'channel.k8s.io': { plainErrors: true },
  'base64.channel.k8s.io': { isText: true, plainErrors: true },
  '': { plainErrors: true },
};
const streamTypes = ['stdin', 'stdout', 'stderr', 'error', 'resize'] as const;
const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
/** Clients take any other end for a failure. */
const normalClosure = 1000;
const runtimeProtocol = 'v4.channel.k8s.io';

/** The one to speak, of what a client offers. */
export const chooseChannelProtocol = (offered: readonly string[]): string | undefined =>
  offered.find((name) => Object.hasOwn(protocols, name));

export interface RemoteCommand extends StreamOptions {
  /** one of `chooseChannelProtocol` */
  readonly protocol: string;
  /** of the runtime's streaming server */
  readonly target: URL;
}

/** Resolves when all is over. A failure before the upgrade is thrown, a later one told on the error channel. */
export async function serveRemoteCommand(upgrade: UpgradeRequest, command: RemoteCommand, signal: AbortSignal): Promise<void> {
  const { socket, head } = await dialSpdy(command.target, [runtimeProtocol], signal);
  const connection = new SpdyConnection(socket, { head });
  const end = (): void => connection.destroy();
  signal.addEventListener('abort', end, { once: true });
  try {
    const client = await acceptWebSocket(upgrade, command.protocol);
    client.on('close', end);
    const session = new Session(client, command.protocol, openStreams(connection, command));
    const received = session.receive().catch(() => end()); // it broke off: nobody is left to be told
    await session.send();
    client.close(normalClosure);
    await received;
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

type RuntimeStreams = Readonly<Partial<Record<(typeof streamTypes)[number], SpdyStream | undefined>>> & { readonly error: SpdyStream };

function openStreams(connection: SpdyConnection, { stdin, stdout, stderr, tty }: StreamOptions): RuntimeStreams {
  const open = (streamtype: (typeof streamTypes)[number]): SpdyStream => connection.open({ streamtype });
  return {
    error: open('error'),
    stdin: stdin ? open('stdin') : undefined,
    stdout: stdout ? open('stdout') : undefined,
    stderr: stderr ? open('stderr') : undefined,
    resize: tty ? open('resize') : undefined,
  };
}

class Session {
  readonly #client: WebSocket;
  readonly #protocol: ChannelProtocol;
  readonly #streams: RuntimeStreams;

  constructor(client: WebSocket, protocol: string, streams: RuntimeStreams) {
    this.#client = client;
    this.#protocol = own(protocols, protocol) ?? {};
    this.#streams = streams;
  }

  /** From the client, until it closes. */
  async receive(): Promise<void> {
    const { createWebSocketStream } = await import('ws');
    // One message at a time: the next is read when the runtime took this one.
    const messages = createWebSocketStream(this.#client, { readableObjectMode: true, readableHighWaterMark: 1 });
    for await (const message of messages as AsyncIterable<Buffer | string>) {
      const { channel, data } = this.#decode(message);
      if (this.#protocol.canClose && channel === channels.close) this.#input(data[0])?.end();
      else await writeTo(this.#input(channel), data);
    }
  }

  /** From the runtime, until the command has ended. */
  async send(): Promise<void> {
    const { stdout, stderr, error } = this.#streams;
    const outcome = text(error);
    // An empty message says that the connection stands.
    await this.#send(stdout ? channels.stdout : stderr ? channels.stderr : channels.error, Buffer.alloc(0));
    const copy = async (channel: number, stream: Readable | undefined): Promise<void> => {
      for await (const chunk of stream ?? []) await this.#send(channel, chunk as Buffer);
    };
    await Promise.all([copy(channels.stdout, stdout), copy(channels.stderr, stderr)]);
    const last = this.#describeEnd(await outcome);
    if (last) await this.#send(channels.error, Buffer.from(last));
  }

  #input(channel: number | undefined): SpdyStream | undefined {
    const { stdin, resize } = this.#streams;
    return channel === channels.stdin ? stdin : channel === channels.resize ? resize : undefined;
  }

  #decode(message: Buffer | string): { readonly channel: number; readonly data: Buffer } {
    if (!this.#protocol.isText) {
      const bytes = typeof message === 'string' ? Buffer.from(message) : message;
      return { channel: bytes[0] ?? -1, data: bytes.subarray(1) };
    }
    const said = message.toString();
    return { channel: said.charCodeAt(0) - 0x30, data: Buffer.from(said.slice(1), 'base64') };
  }

  #send(channel: number, data: Buffer): Promise<void> {
    const message = this.#protocol.isText ? `${channel}${data.toString('base64')}` : Buffer.concat([Buffer.of(channel), data]);
    // One that can't be sent is lost with its connection, of which the close tells.
    return new Promise((resolve) => this.#client.send(message, () => resolve()));
  }

  /** The runtime speaks in Status objects, and always says one. */
  #describeEnd(said: string): string {
    const message = 'the connection to the container runtime was lost';
    const status = said || JSON.stringify({ metadata: {}, status: 'Failure', reason: 'InternalError', message, code: 500 });
    if (!this.#protocol.plainErrors) return status;
    const { status: outcome, message: why } = parseJSON(status) as { readonly status?: string; readonly message?: string };
    return outcome === 'Success' ? '' : (why ?? '');
  }
}

/** Resolves when it has been taken, or nobody takes it. */
const writeTo = (stream: SpdyStream | undefined, data: Buffer): Promise<void> =>
  new Promise((resolve) => {
    if (stream?.writable && data.length > 0) stream.write(data, () => resolve());
    else resolve();
  });
