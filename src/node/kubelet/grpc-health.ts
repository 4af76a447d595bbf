/**
 * One call of grpc.health.v1.Health/Check, without a proto file: both messages have a single field.
 * Upstream: pkg/probe/grpc/grpc.go.
 */
import { isIPv6 } from 'node:net';

export interface HealthQuestion {
  readonly host: string;
  readonly port: number;
  readonly service: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}
export interface HealthAnswer {
  readonly ok: boolean;
  readonly message: string;
}

const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

export async function grpcHealthProbe({ host, port, service, timeoutSeconds, signal }: HealthQuestion): Promise<HealthAnswer> {
  const grpc = await import('@grpc/grpc-js');
  const address = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), { 'grpc.primary_user_agent': 'kube-probe/1.36' });
  let stop: (() => void) | undefined;
  try {
    return await new Promise<HealthAnswer>((resolve) => {
      const timedOut = {
        ok: false,
        message: `timeout: failed to connect service "${address}" within ${timeoutSeconds}s: context deadline exceeded`,
      };
      if (signal.aborted) return resolve(timedOut);
      const call = client.makeUnaryRequest('/grpc.health.v1.Health/Check', encodeRequest, decodeStatus, service, (error, status) => {
        if (!error) resolve(judge(status ?? 0));
        else if (error.code === grpc.status.CANCELLED && signal.aborted) resolve(timedOut);
        else resolve({ ok: false, message: describeFailure(error, { address, timeoutSeconds, codes: grpc.status }) });
      });
      stop = () => call.cancel();
      signal.addEventListener('abort', stop, { once: true });
    });
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
    client.close();
  }
}

function judge(status: number): HealthAnswer {
  if (status === 1) return { ok: true, message: 'service healthy' };
  return { ok: false, message: `service unhealthy (responded with "${servingStatuses[status] ?? status}")` };
}

function describeFailure(
  error: { readonly code: number; readonly details: string },
  at: {
    readonly address: string;
    readonly timeoutSeconds: number;
    readonly codes: Record<'UNIMPLEMENTED' | 'DEADLINE_EXCEEDED' | 'UNAVAILABLE', number>;
  },
): string {
  if (error.code === at.codes.UNIMPLEMENTED) {
    return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.details}`;
  }
  if (error.code === at.codes.DEADLINE_EXCEEDED) return `timeout: health rpc did not complete within ${at.timeoutSeconds}s`;
  if (error.code === at.codes.UNAVAILABLE) return `error: failed to connect service at "${at.address}": ${error.details}`;
  return `error: health rpc probe failed: ${error.details}`;
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
