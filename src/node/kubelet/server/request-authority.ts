/**
 * Who asks the kubelet, and may they? A client certificate of the cluster's CA, or a bearer token that the API server
 * knows; then the API server is asked about `nodes/<subresource>`. Answers are remembered for a while.
 * Upstream: pkg/kubelet/server/auth.go, apiserver/pkg/authentication/token/cache, plugin/pkg/authorizer/webhook.
 */

import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { SubjectAccessReview, TokenReview } from '../../../api/generated/kinds.ts';
import { own } from '../../../api/meta/words.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock } from '../../../client/clock.ts';

export interface Requester {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
}

const rememberMs = { token: 120_000, allowed: 300_000, denied: 30_000 } as const;
const rememberedMax = 1000;

interface Remembered<T> {
  readonly value: T;
  readonly untilMs: number;
}

export class RequestAuthority {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #nodeName: string;
  readonly #tokens = new Map<string, Remembered<Requester | undefined>>();
  readonly #verdicts = new Map<string, Remembered<boolean>>();

  constructor(options: { readonly client: Client; readonly clock: Clock; readonly nodeName: string }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#nodeName = options.nodeName;
  }

  /** undefined: nobody that is known */
  async authenticate(request: IncomingMessage): Promise<Requester | undefined> {
    const byCertificate = certificateUser(request.socket as TLSSocket);
    if (byCertificate) return byCertificate;
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    return token ? await this.#reviewToken(token) : undefined;
  }

  /** One of the subresources is enough. */
  async allows(who: Requester, verb: string, path: string): Promise<boolean> {
    for (const subresource of subresourcesOf(path)) if (await this.#review(who, verb, subresource)) return true;
    return false;
  }

  async #reviewToken(token: string): Promise<Requester | undefined> {
    const nowMs = this.#clock.now();
    const known = this.#tokens.get(token);
    if (known && nowMs < known.untilMs) return known.value;
    const { status } = await this.#client.create(TokenReview, { metadata: {}, spec: { token } });
    const user = status?.user;
    const value = status?.authenticated && user?.username ? { name: user.username, groups: user.groups ?? [], uid: user.uid } : undefined;
    remember(this.#tokens, token, { value, untilMs: nowMs + rememberMs.token });
    return value;
  }

  async #review(who: Requester, verb: string, subresource: string): Promise<boolean> {
    const nowMs = this.#clock.now();
    const key = JSON.stringify([who, verb, subresource]);
    const known = this.#verdicts.get(key);
    if (known && nowMs < known.untilMs) return known.value;
    const { status } = await this.#client.create(SubjectAccessReview, {
      metadata: {},
      spec: {
        user: who.name,
        groups: who.groups,
        ...(who.uid && { uid: who.uid }),
        resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: this.#nodeName },
      },
    });
    const value = status?.allowed ?? false;
    remember(this.#verdicts, key, { value, untilMs: nowMs + (value ? rememberMs.allowed : rememberMs.denied) });
    return value;
  }
}

function remember<T>(map: Map<string, Remembered<T>>, key: string, value: Remembered<T>): void {
  if (map.size >= rememberedMax) map.clear();
  map.set(key, value);
}

function certificateUser(socket: TLSSocket): Requester | undefined {
  if (!socket.authorized) return undefined;
  const subject = socket.getPeerCertificate().subject as { readonly CN?: string; readonly O?: string | readonly string[] } | undefined;
  if (!subject?.CN) return undefined;
  const groups = subject.O === undefined ? [] : typeof subject.O === 'string' ? [subject.O] : subject.O;
  return { name: subject.CN, groups: [...groups, 'system:authenticated'] };
}

/** Streams run commands in containers, in whatever method a WebSocket is asked for (k/k#83465: upstream takes `get`). */
export const verbOf = ({ method = 'GET', headers }: IncomingMessage): string => (headers.upgrade ? 'create' : (own(verbs, method) ?? ''));

const verbs: Readonly<Record<string, string>> = { POST: 'create', GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** What has to be allowed for a path, the finer first. */
export function subresourcesOf(path: string): readonly string[] {
  const [first = ''] = path.split('/').filter((p) => p !== '');
  switch (first.toLowerCase()) {
    case 'pods':
    case 'runningpods':
      return ['pods', 'proxy'];
    case 'healthz':
      return ['healthz', 'proxy'];
    case 'configz':
      return ['configz', 'proxy'];
    case 'flagz':
      return ['configz'];
    case 'statusz':
      return ['statusz'];
    case 'stats':
      return ['stats'];
    case 'metrics':
      return ['metrics'];
    case 'logs':
      return ['log'];
    default:
      return ['proxy'];
  }
}
