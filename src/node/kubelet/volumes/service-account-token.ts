/**
 * Tokens for pods, bound to them: asked for once, and again when 80 % of the life (or a day) is over. A token that can't
 * be renewed is used until it expires.
 * Upstream: pkg/kubelet/token/token_manager.go.
 */
import type { TokenRequest } from '../../../api/generated/authentication-v1.ts';
import type { Pod } from '../../../api/generated/core-v1.ts';
import { ServiceAccount } from '../../../api/generated/kinds.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock, Random } from '../../../client/clock.ts';

export interface TokenSpec {
  readonly audience?: string | undefined;
  readonly expirationSeconds: number;
}
export interface IssuedToken {
  readonly token: string;
  readonly refreshAtMs: number;
  readonly expiresAtMs: number;
}

const lifeMsMax = 24 * 3_600_000;
const jitterMsMax = 10_000;

export class TokenManager {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #issued = new Map<string, IssuedToken>();

  constructor(options: { readonly client: Client; readonly clock: Clock; readonly random: Random }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  async get(pod: Pod, spec: TokenSpec): Promise<IssuedToken> {
    const key = `${pod.metadata.uid} ${spec.audience ?? ''} ${spec.expirationSeconds}`;
    const old = this.#issued.get(key);
    const nowMs = this.#clock.now();
    if (old && nowMs < old.refreshAtMs) return old;
    try {
      const fresh = await this.#request(pod, spec);
      this.#issued.set(key, fresh);
      return fresh;
    } catch (error) {
      const why = messageOf(error);
      if (!old) throw new Error(`failed to fetch token: ${why}`, { cause: error });
      if (nowMs >= old.expiresAtMs) throw new Error(`token expired and refresh failed: ${why}`, { cause: error });
      return { ...old, refreshAtMs: nowMs + jitterMsMax };
    }
  }

  forget(podUID: string): void {
    for (const key of this.#issued.keys()) if (key.startsWith(`${podUID} `)) this.#issued.delete(key);
  }

  async #request(pod: Pod, { audience, expirationSeconds }: TokenSpec): Promise<IssuedToken> {
    const { name, namespace, uid } = pod.metadata;
    const at = { namespace, name: pod.spec.serviceAccountName ?? 'default' };
    const answer = await this.#client.post<TokenRequest>(ServiceAccount, at, 'token', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        audiences: audience ? [audience] : [],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    });
    const { token = '', expirationTimestamp = '' } = answer.status ?? {};
    const expiresAtMs = Date.parse(expirationTimestamp);
    const lifeMs = (answer.spec?.expirationSeconds ?? expirationSeconds) * 1000;
    const jitterMs = this.#random.next() * jitterMsMax;
    const refreshAtMs = Math.min(expiresAtMs - lifeMs * 0.2, expiresAtMs - lifeMs + lifeMsMax) - jitterMs;
    return { token, refreshAtMs, expiresAtMs };
  }
}
