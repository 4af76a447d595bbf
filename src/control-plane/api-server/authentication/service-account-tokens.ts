/**
 * Service account tokens: issues them, and says who presents one.
 *
 * Guarantees: a token counts only while its service account, and the pod, secret or node that it is bound to, are there
 * with the same uid; this is asked on every request, so a deleted pod's token ends at once. The signature is checked
 * once per token, and the answer kept (bounded). One token gives the same UserInfo object every time.
 * The endless tokens of Secrets of type kubernetes.io/service-account-token count while that Secret holds them.
 * What it does not do: note in such a Secret when its token was last used.
 * Upstream: pkg/serviceaccount/{claims,jwt,legacy}.go, apiserver/pkg/authentication/serviceaccount/util.go.
 */

import { Node, Pod, Secret, ServiceAccount } from '../../../api/generated/kinds.ts';
import type { KindRef, KubeObject, ObjectName } from '../../../api/meta/object.ts';
import { parseTime } from '../../../api/meta/time.ts';
import type { Clock, Random } from '../../../client/clock.ts';
import type { ServiceAccountKeys } from '../../pki/service-account-key.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { UserInfo } from '../request/request.ts';
import { groups, serviceAccountGroups, serviceAccountUsername } from '../request/user.ts';
import { isSignedBy, parseJWT, signJWT } from './jwt.ts';
import {
  type JWTClaims,
  type KubernetesClaim,
  kubernetesClaimName,
  readKubernetesClaim,
  secretTokenClaim,
  secretTokenIssuer,
  type TokenRef,
} from './token-claims.ts';

export interface TokenBinding {
  readonly pod?: KubeObject;
  readonly secret?: KubeObject;
  /** of the pod, or what the token itself is bound to */
  readonly node?: { readonly metadata: { readonly name?: string; readonly uid?: string } };
}

export interface IssueRequest {
  readonly account: ServiceAccount;
  readonly binding: TokenBinding;
  readonly audiences: readonly string[];
  readonly lifeSeconds: number;
  /** after this long the token is to have been replaced, though it still works */
  readonly warnAfterSeconds?: number | undefined;
}

export interface TokenIdentity {
  readonly user: UserInfo;
  /** those of the token that were asked for */
  readonly audiences: readonly string[];
}

interface KnownToken {
  readonly claims: JWTClaims;
  readonly kubernetes: KubernetesClaim;
  readonly user: UserInfo;
}

/** Why a bearer token is refused, in upstream's words. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
}

const knownTokensMax = 4096;
const tokenLengthMax = 16_384;
const leewaySeconds = 60;

/** The endless token that a Secret of type kubernetes.io/service-account-token holds. */
export function issueSecretToken(keys: ServiceAccountKeys, { metadata }: ServiceAccount, secretName: string): string {
  const { namespace, name, uid } = metadata;
  return signJWT(keys, {
    iss: secretTokenIssuer,
    [`${secretTokenClaim}/namespace`]: namespace,
    [`${secretTokenClaim}/secret.name`]: secretName,
    [`${secretTokenClaim}/service-account.name`]: name,
    [`${secretTokenClaim}/service-account.uid`]: uid,
    sub: serviceAccountUsername(namespace, name),
  });
}

export class ServiceAccountTokens {
  readonly issuer: string;
  readonly keys: ServiceAccountKeys;
  /** for whom tokens are that do not say */
  readonly audiences: readonly string[];
  readonly #reader: ObjectReader;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #known = new Map<string, KnownToken>();

  constructor(options: {
    readonly issuer: string;
    readonly keys: ServiceAccountKeys;
    readonly audiences: readonly string[];
    readonly reader: ObjectReader;
    readonly clock: Clock;
    readonly random: Random;
  }) {
    this.issuer = options.issuer;
    this.keys = options.keys;
    this.audiences = options.audiences;
    this.#reader = options.reader;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  issue(request: IssueRequest): string {
    const { account, binding } = request;
    const { namespace, name } = account.metadata;
    const nowSeconds = Math.floor(this.#clock.now() / 1000);
    const kubernetes: KubernetesClaim = {
      namespace,
      ...(binding.node && { node: refTo(binding.node) }),
      ...(binding.pod && { pod: refTo(binding.pod) }),
      ...(binding.secret && { secret: refTo(binding.secret) }),
      serviceaccount: refTo(account),
      ...(request.warnAfterSeconds !== undefined && { warnafter: nowSeconds + request.warnAfterSeconds }),
    };
    return signJWT(this.keys, {
      aud: request.audiences,
      exp: nowSeconds + request.lifeSeconds,
      iat: nowSeconds,
      iss: this.issuer,
      jti: this.#random.uuid(),
      [kubernetesClaimName]: kubernetes,
      nbf: nowSeconds,
      sub: serviceAccountUsername(namespace, name),
    });
  }

  /** Who presents this token; undefined when it is none of ours; throws TokenError when it is, and does not count. */
  identify(token: string, audiences: readonly string[]): TokenIdentity | undefined {
    const known = this.#known.get(token) ?? this.#learn(token);
    if (!known) return undefined;
    const isSecretToken = known.claims.iss === secretTokenIssuer;
    const named = typeof known.claims.aud === 'string' ? [known.claims.aud] : (known.claims.aud ?? []);
    const own = isSecretToken ? this.audiences : named;
    const shared = audiences.filter((audience) => own.includes(audience));
    if (shared.length === 0) {
      throw new TokenError(
        `token audiences ${JSON.stringify(own).replaceAll(',', ' ')} is invalid for the target audiences ${JSON.stringify(audiences).replaceAll(',', ' ')}`,
      );
    }
    if (isSecretToken) this.#checkSecret(known.kubernetes, token);
    else this.#checkTimes(known.claims);
    this.#checkObjects(known.kubernetes);
    return { user: known.user, audiences: shared };
  }

  #learn(token: string): KnownToken | undefined {
    if (token.length > tokenLengthMax) return undefined;
    const claims = parseJWT(token);
    if (!claims || (claims.iss !== this.issuer && claims.iss !== secretTokenIssuer)) return undefined;
    if (!isSignedBy(this.keys, token)) throw new TokenError('go-jose/go-jose: error in cryptographic primitive');
    const kubernetes = readKubernetesClaim(claims);
    if (!kubernetes) throw new TokenError('token is not one of a service account');
    const known = { claims, kubernetes, user: userOf(kubernetes, claims.jti) };
    if (this.#known.size >= knownTokensMax) this.#forgetOldest();
    this.#known.set(token, known);
    return known;
  }

  #forgetOldest(): void {
    for (const token of this.#known.keys()) {
      this.#known.delete(token);
      if (this.#known.size < knownTokensMax / 2) return;
    }
  }

  #checkTimes({ exp, nbf, iat }: JWTClaims): void {
    const nowSeconds = this.#clock.now() / 1000;
    if (exp === undefined || nowSeconds - leewaySeconds > exp) throw new TokenError('service account token has expired');
    if (nbf !== undefined && nowSeconds + leewaySeconds < nbf) throw new TokenError('service account token is not valid yet');
    if (iat !== undefined && nowSeconds + leewaySeconds < iat) throw new TokenError('service account token is issued in the future');
  }

  #checkSecret({ namespace = '', secret }: KubernetesClaim, token: string): void {
    const holder = this.#reader.get(Secret, { namespace, name: secret?.name ?? '' });
    if (!holder || holder.metadata.deletionTimestamp) throw new TokenError('Token has been invalidated');
    const held = Buffer.from(holder.data?.['token'] ?? '', 'base64').toString();
    if (held !== token) throw new TokenError("Token does not match server's copy");
  }

  #checkObjects({ namespace = '', serviceaccount, secret, pod, node }: KubernetesClaim): void {
    const name = serviceaccount?.name ?? '';
    const account = this.#reader.get(ServiceAccount, { namespace, name });
    if (!account) throw new TokenError(`serviceaccounts ${JSON.stringify(name)} not found`);
    if (account.metadata.uid !== serviceaccount?.uid) {
      throw new TokenError(`service account UID (${account.metadata.uid}) does not match claim (${serviceaccount?.uid ?? ''})`);
    }
    if (this.#isLongDeleted(account)) throw new TokenError(`service account ${namespace}/${name} has been deleted`);
    if (secret?.uid !== undefined) this.#checkBound(Secret, { namespace }, secret);
    if (pod) this.#checkBound(Pod, { namespace }, pod);
    else if (node) this.#checkBound(Node, {}, node);
  }

  #checkBound(kind: KindRef, scope: Pick<ObjectName, 'namespace'>, ref: TokenRef): void {
    const object = this.#reader.get(kind, { ...scope, name: ref.name ?? '' });
    if (!object || this.#isLongDeleted(object)) throw new TokenError('service account token has been invalidated');
    if (object.metadata.uid === ref.uid) return;
    const what = `service account ${kind.kind.toLowerCase()} ref claim`;
    throw new TokenError(
      `${kind.kind === 'Pod' ? 'pod' : kind.kind.toLowerCase()} UID (${object.metadata.uid ?? ''}) does not match ${what} (${ref.uid ?? ''})`,
    );
  }

  #isLongDeleted({ metadata }: KubeObject): boolean {
    if (!metadata.deletionTimestamp) return false;
    return (parseTime(metadata.deletionTimestamp) ?? 0) < this.#clock.now() - leewaySeconds * 1000;
  }
}

const refTo = ({ metadata }: { readonly metadata: { readonly name?: string; readonly uid?: string } }): TokenRef => ({
  ...(metadata.name && { name: metadata.name }),
  ...(metadata.uid && { uid: metadata.uid }),
});

function userOf({ namespace = '', serviceaccount, pod, node }: KubernetesClaim, tokenID: string | undefined): UserInfo {
  const prefix = 'authentication.kubernetes.io';
  return {
    name: serviceAccountUsername(namespace, serviceaccount?.name ?? ''),
    uid: serviceaccount?.uid ?? '',
    groups: [...serviceAccountGroups(namespace), groups.authenticated],
    extra: {
      ...(pod && { [`${prefix}/pod-name`]: [pod.name ?? ''], [`${prefix}/pod-uid`]: [pod.uid ?? ''] }),
      ...(tokenID && { [`${prefix}/credential-id`]: [`JTI=${tokenID}`] }),
      ...(node?.name && { [`${prefix}/node-name`]: [node.name] }),
      ...(node?.uid && { [`${prefix}/node-uid`]: [node.uid] }),
    },
  };
}
