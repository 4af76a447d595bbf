/**
 * What a service account token says, read by type: a claim of a wrong type makes the whole token no token, as it does
 * where claims are decoded into structs. Null counts as absent.
 * Upstream: pkg/serviceaccount/{claims,legacy}.go; RFC 7519, section 4.1.
 */
import { own } from '../../../api/meta/words.ts';

/** The registered claims, in the types that they have. */
export interface JWTClaims {
  readonly iss?: string;
  readonly sub?: string;
  readonly aud?: string | readonly string[];
  /** in seconds */
  readonly exp?: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly [claim: string]: unknown;
}

export interface TokenRef {
  readonly name?: string;
  readonly uid?: string;
}

/** The claim `kubernetes.io`. */
export interface KubernetesClaim {
  readonly namespace?: string;
  readonly serviceaccount?: TokenRef;
  readonly pod?: TokenRef;
  readonly secret?: TokenRef;
  readonly node?: TokenRef;
  readonly warnafter?: number;
}

export const kubernetesClaimName = 'kubernetes.io';
export const secretTokenIssuer = 'kubernetes/serviceaccount';
export const secretTokenClaim = 'kubernetes.io/serviceaccount';

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isAudience: Check = (value) => isText(value) || (Array.isArray(value) && value.every(isText));
const isRef: Check = (value) => isObject(value) && fit(value, { name: isText, uid: isText });

const registered = { iss: isText, sub: isText, aud: isAudience, exp: isNumber, nbf: isNumber, iat: isNumber, jti: isText };
const ofKubernetes = { namespace: isText, serviceaccount: isRef, pod: isRef, secret: isRef, node: isRef, warnafter: isNumber };
const secretParts = ['namespace', 'secret.name', 'service-account.name', 'service-account.uid'] as const;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every field that is there is of its type. */
function fit(fields: Fields, checks: Readonly<Record<string, Check>>): boolean {
  return Object.entries(checks).every(([name, check]) => own(fields, name) === undefined || check(own(fields, name)));
}

/** The registered claims; undefined when one is of another type. */
export function readClaims(value: unknown): JWTClaims | undefined {
  const claims = withoutNulls(value);
  return isObject(claims) && fit(claims, registered) ? claims : undefined;
}

/** What the token says of its account, in the form of its kind; undefined when a part is missing or of another type. */
export function readKubernetesClaim(claims: JWTClaims): (KubernetesClaim & { readonly namespace: string }) | undefined {
  const claim = claims.iss === secretTokenIssuer ? secretTokenParts(claims) : claims[kubernetesClaimName];
  if (!isObject(claim) || !fit(claim, ofKubernetes)) return undefined;
  const found = claim as KubernetesClaim;
  return found.namespace && found.serviceaccount?.name ? { ...found, namespace: found.namespace } : undefined;
}

function secretTokenParts(claims: JWTClaims): unknown {
  const [namespace, secretName, name, uid] = secretParts.map((part) => claims[`${secretTokenClaim}/${part}`] ?? '');
  return { namespace, secret: { name: secretName }, serviceaccount: { name, uid } };
}

function withoutNulls(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([name, item]) => [name, withoutNulls(item)]),
  );
}
