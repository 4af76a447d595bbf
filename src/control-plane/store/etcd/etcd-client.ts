/**
 * Requests to etcd v3 over gRPC, at one member at a time.
 *
 * Guarantees: every request has a deadline. Where a member does not answer, the next one is asked, again and again until the
 * deadline; a write only when the first one can't have got it. What fails for good is one of the store's errors: away,
 * full, not allowed as StoreUnavailableError. Times are the machine's, since etcd's are.
 * Upstream: etcd's client/v3 (retry_interceptor.go), api/v3/v3rpc/rpctypes/error.go.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { ChannelCredentials, ClientDuplexStream, Client as GrpcClient, Metadata, ServiceError } from '@grpc/grpc-js';
import { realClock } from '../../../client/clock.ts';
import { loadServices } from '../../../client/transport/grpc-services.ts';
import { CompactedError, FutureRevisionError, LeaseNotFoundError, StoreUnavailableError } from '../storage.ts';

export interface EtcdServers {
  /** `http://HOST:PORT` or `https://HOST:PORT` each */
  readonly servers: readonly string[];
  /** Files in PEM. Of an https server without a CA's file, the authorities that Node knows count. */
  readonly cafile?: string | undefined;
  readonly certfile?: string | undefined;
  readonly keyfile?: string | undefined;
}

/** etcd itself gives up after about 7 s. */
const requestMsMax = 10_000;
/** Then another member is asked, where there is one: less than a reader waits; a write gives up, which may have been made. */
const memberMsMax = { read: 2_000, write: 5_000 } as const;
const reconnectMsMin = 50;
const reconnectMsMax = 1_000;
/** An etcd takes it for an attack when it is asked more often than every 5 s. */
const aliveMs = 10_000;
const aliveWaitMs = 5_000;
/** grpc-js would say an address as a name, which TLS does not take. What counts is the address in the certificate. */
const anyName = 'etcd';
/** A page of a thousand of the largest objects is far below. */
const messageBytesMax = 2 ** 31 - 1;

const serviceNames = ['KV', 'Watch', 'Lease', 'Maintenance'] as const;
type ServiceName = (typeof serviceNames)[number];
const fullName = (name: ServiceName) => `etcdserverpb.${name}` as const;

const status = { cancelled: 1, unknown: 2, invalid: 3, deadlineExceeded: 4, internal: 13, unavailable: 14 } as const;
const awayCodes: ReadonlySet<number> = new Set([status.cancelled, status.deadlineExceeded, status.internal, status.unavailable]);
/** of @grpc/grpc-js: nothing was sent */
const unsent = 'No connection established';
const waited = 'Waiting for LB pick';

export const noSpace = 'etcd has no space left (alarm NOSPACE): compact and defragment it, then disarm the alarm';

export type Call = ClientDuplexStream<object, unknown>;
type Unary = (
  request: object,
  options: { readonly deadline: number },
  answered: (error: ServiceError | null, answer: unknown) => void,
) => void;
type OpenStream = (metadata: Metadata, options: { readonly deadline?: number }) => Call;

interface Member {
  readonly server: string;
  readonly services: Readonly<Record<ServiceName, GrpcClient>>;
}

export interface RequestOptions {
  /** Asking twice does no harm. */
  readonly isRead: boolean;
}

export async function createEtcdClient(given: EtcdServers): Promise<EtcdClient> {
  const [grpc, descriptor] = await Promise.all([import('@grpc/grpc-js'), import('./data/etcd-v3.json', { with: { type: 'json' } })]);
  const constructors = await loadServices(descriptor.default, serviceNames.map(fullName), String);
  const channelOptions = {
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_send_message_length': messageBytesMax,
    'grpc.initial_reconnect_backoff_ms': reconnectMsMin,
    'grpc.max_reconnect_backoff_ms': reconnectMsMax,
    'grpc.keepalive_time_ms': aliveMs,
    'grpc.keepalive_timeout_ms': aliveWaitMs,
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
  };
  const file = (path: string | undefined): Buffer | null => (path === undefined ? null : readFileSync(path));
  const secure = (host: string): ChannelCredentials =>
    grpc.credentials.createSsl(file(given.cafile), file(given.keyfile), file(given.certfile), {
      checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
    });
  const members = given.servers.map((server) => {
    const { protocol, host, hostname } = new URL(server);
    const name = hostname.replace(/^\[|\]$/g, '');
    const credentials = protocol === 'https:' ? secure(name) : grpc.credentials.createInsecure();
    const options = { ...channelOptions, ...(isIP(name) && { 'grpc.ssl_target_name_override': anyName }) };
    const of = (name: ServiceName): GrpcClient => new constructors[fullName(name)](host, credentials, options);
    return { server, services: { KV: of('KV'), Watch: of('Watch'), Lease: of('Lease'), Maintenance: of('Maintenance') } };
  });
  const needsLeader = new grpc.Metadata();
  needsLeader.set('hasleader', 'true');
  return new EtcdClient(members, needsLeader);
}

export class EtcdClient implements Disposable {
  readonly #members: readonly Member[];
  /** A member that has lost the others ends a stream, instead of keeping silent. */
  readonly #needsLeader: Metadata;
  #current = 0;
  /** ended when another member is the current one */
  #tenure = new AbortController();

  constructor(members: readonly Member[], needsLeader: Metadata) {
    this.#members = members;
    this.#needsLeader = needsLeader;
  }

  unary<Answer>(service: ServiceName, method: string, request: object, options: RequestOptions): Promise<Answer> {
    return this.#attempts(options, ({ services }, deadline) => {
      const client = services[service];
      const call = Reflect.get(client, method) as Unary;
      return new Promise<Answer>((resolve, reject) => {
        call.call(client, request, { deadline }, (error, answer) => (error ? reject(error) : resolve(answer as Answer)));
      });
    });
  }

  /** One message there, one back, where etcd has but a stream for it. */
  exchange<Answer>(service: ServiceName, method: string, request: object, options: RequestOptions): Promise<Answer> {
    return this.#attempts(options, async (member, deadline) => {
      const call = this.#open(member, service, method, { deadline });
      call.write(request);
      try {
        for await (const answer of call) return answer as Answer;
      } finally {
        call.cancel();
      }
      throw new StoreUnavailableError(`${member.server} ended ${method} without an answer`);
    });
  }

  /** At the current member; `left` aborts when it is no longer that, `failed` says that it is of no use. */
  stream(service: ServiceName, method: string): { readonly call: Call; readonly left: AbortSignal; failed(): void } {
    const member = this.#member;
    return { call: this.#open(member, service, method, {}), left: this.#tenure.signal, failed: () => this.#leave(member) };
  }

  [Symbol.dispose](): void {
    for (const { services } of this.#members) for (const client of Object.values(services)) client.close();
  }

  get #member(): Member {
    return this.#members[this.#current] as Member;
  }

  #open({ services }: Member, service: ServiceName, method: string, options: { readonly deadline?: number }): Call {
    const client = services[service];
    const call = (Reflect.get(client, method) as OpenStream).call(client, this.#needsLeader, options);
    // Its reader gets the error; one that comes after him is nobody's.
    call.on('error', () => undefined);
    return call;
  }

  async #attempts<Answer>({ isRead }: RequestOptions, ask: (member: Member, deadline: number) => Promise<Answer>): Promise<Answer> {
    const endsAtMs = realClock.now() + requestMsMax;
    /** What the last one said; that the time is over says less. */
    let reason: ServiceError | undefined;
    for (let attempt = 1; ; attempt++) {
      const member = this.#member;
      const attemptMs = this.#members.length > 1 ? memberMsMax[isRead ? 'read' : 'write'] : requestMsMax;
      try {
        return await ask(member, Math.min(endsAtMs, realClock.now() + attemptMs));
      } catch (thrown) {
        const error = thrown as ServiceError;
        if (!isAway(error)) throw storeErrorOf(error);
        this.#leave(member);
        const wasSent = !error.details.startsWith(unsent) && !error.details.endsWith(waited);
        if (!reason || error.code !== status.deadlineExceeded) reason = error;
        if (realClock.now() >= endsAtMs || (wasSent && !isRead)) throw awayError(member, { cause: reason, isUnknown: wasSent && !isRead });
      }
      if (attempt % this.#members.length === 0) await realClock.sleep(reconnectMsMin);
    }
  }

  #leave(member: Member): void {
    if (member !== this.#member || this.#members.length === 1) return;
    this.#current = (this.#current + 1) % this.#members.length;
    this.#tenure.abort();
    this.#tenure = new AbortController();
  }
}

const isAway = ({ code, details = '' }: ServiceError): boolean => awayCodes.has(code) && !details.includes('database space exceeded');

function awayError({ server }: Member, { cause, isUnknown }: { cause: ServiceError; isUnknown: boolean }): StoreUnavailableError {
  const unknown = isUnknown ? '; whether it has made this write is not known' : '';
  return new StoreUnavailableError(`etcd at ${server} does not answer (${cause.details})${unknown}`, { cause });
}

const meanings: readonly { readonly words: string; error(words: string, options: ErrorOptions): Error }[] = [
  { words: 'required revision has been compacted', error: (_, options) => new CompactedError('the revision has been compacted', options) },
  {
    words: 'required revision is a future revision',
    error: (_, options) => new FutureRevisionError('the revision is not yet there', options),
  },
  { words: 'lease not found', error: (_, options) => new LeaseNotFoundError('there is no such lease', options) },
  { words: 'database space exceeded', error: (_, options) => new StoreUnavailableError(noSpace, options) },
];

function storeErrorOf(cause: ServiceError): Error {
  const { details, code } = cause;
  if (details === undefined) return cause; // none of gRPC's
  const meaning = meanings.find(({ words }) => details.includes(words));
  if (meaning) return meaning.error(details, { cause });
  // What etcd finds wrong with a request is the writer's; the rest (not allowed, overloaded, damaged) is etcd's.
  return code === status.invalid ? new Error(details, { cause }) : new StoreUnavailableError(`etcd refuses: ${details}`, { cause });
}
