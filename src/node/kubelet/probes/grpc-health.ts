/**
 * One call of grpc.health.v1.Health/Check, on a connection of its own, which is closed when the call ends, however the
 * server behaves: a gRPC library's connections wait for servers to close them. No proto file: both messages have a
 * single field.
 * Upstream: pkg/probe/grpc/grpc.go; https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
 */
import { connect as connectSession, type IncomingHttpHeaders } from 'node:http2';
import { connect, isIPv6 } from 'node:net';
import { describeConnectError } from './http-get.ts';

export interface HealthQuestion {
  readonly host: string;
  readonly port: number;
  readonly service: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}
export interface GRPCHealthAnswer {
  readonly ok: boolean;
  readonly message: string;
}

const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
/** Position is the code. */
const codes =
  'OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated'.split(
    ' ',
  );
const unimplemented = codes.indexOf('Unimplemented');
/** The answer is two bytes, or as many as a later version adds. */
const answerBytesMax = 4096;

export async function grpcHealthProbe({ host, port, service, timeoutSeconds, signal }: HealthQuestion): Promise<GRPCHealthAnswer> {
  const address = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const timedOut = (connected: boolean): string =>
    connected
      ? `timeout: health rpc did not complete within ${timeoutSeconds}s`
      : `timeout: failed to connect service "${address}" within ${timeoutSeconds}s: context deadline exceeded`;
  if (signal.aborted) return { ok: false, message: timedOut(false) };
  const socket = connect({ host, port, noDelay: true });
  const session = connectSession(`http://${address}`, { createConnection: () => socket, settings: { enablePush: false } });
  let connected = false;
  const { promise, resolve } = Promise.withResolvers<GRPCHealthAnswer>();
  const fail = (message: string): void => resolve({ ok: false, message });
  const broken = (error: Error): void => {
    const why = describeConnectError(address, error);
    fail(connected ? describeStatus(codes.indexOf('Unavailable'), why) : `error: failed to connect service at "${address}": ${why}`);
  };
  const onAbort = (): void => fail(timedOut(connected));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    socket.on('error', broken);
    session.on('error', broken).on('remoteSettings', () => {
      connected = true;
    });
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      'user-agent': 'kube-probe/1.36',
      te: 'trailers',
    });
    let [head, answer]: [IncomingHttpHeaders, Buffer] = [{}, Buffer.alloc(0)];
    call
      .on('response', (headers) => {
        head = headers;
      })
      .on('trailers', (trailers) => {
        head = { ...head, ...trailers };
      })
      .on('data', (chunk: Buffer) => {
        answer = Buffer.concat([answer, chunk]);
        if (answer.length > answerBytesMax)
          fail(describeStatus(codes.indexOf('ResourceExhausted'), 'grpc: received message larger than max'));
      })
      .on('error', broken)
      .on('close', () => {
        if (head[':status'] !== undefined) resolve(judge(head, answer));
        else broken(socket.errored ?? new Error('the connection was closed')); // this may come before the error's own event
      });
    call.end(frame(encodeRequest(service)));
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    session.destroy();
    socket.destroy();
  }
}

function judge(head: IncomingHttpHeaders, answer: Buffer): GRPCHealthAnswer {
  const [http, code] = [Number(head[':status']), Number(head['grpc-status'])];
  if (http !== 200) {
    const what = `unexpected HTTP status code received from server: ${http}`;
    return { ok: false, message: describeStatus(http === 404 ? unimplemented : codes.indexOf('Unknown'), what) };
  }
  if (code !== 0) return { ok: false, message: describeStatus(code, decodeMessage(String(head['grpc-message'] ?? ''))) };
  const status = decodeStatus(answer.subarray(frameHeadBytes));
  if (status === 1) return { ok: true, message: 'service healthy' };
  return { ok: false, message: `service unhealthy (responded with "${servingStatuses[status] ?? status}")` };
}

function describeStatus(code: number, details: string): string {
  if (code === unimplemented) return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${details}`;
  return `error: health rpc probe failed: rpc error: code = ${codes[code] ?? `Code(${code})`} desc = ${details}`;
}

/** Percent-encoded where it is no plain ASCII. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // as it came
  }
}

/** Before each message: whether it is compressed, and its length. */
const frameHeadBytes = 5;
function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** HealthCheckRequest: the service's name is field 1. */
function encodeRequest(service: string): Buffer {
  const text = Buffer.from(service);
  if (text.length === 0) return Buffer.alloc(0);
  const length: number[] = [];
  let rest = text.length;
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([0x0a, ...length, rest]), text]);
}

/** HealthCheckResponse: the status is field 1, a small number. */
function decodeStatus(message: Buffer): number {
  return message[0] === 0x08 ? (message[1] ?? 0) : 0;
}
