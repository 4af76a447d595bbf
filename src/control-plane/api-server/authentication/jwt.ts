/**
 * JSON Web Tokens, signed and verified with node:crypto: the compact form, ES256 and RS256, nothing else. A token
 * without a known key id is tried with every key of its algorithm, as tokens of older clusters have none.
 * Specified in RFC 7515 and RFC 7519.
 */

import { verify } from 'node:crypto';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import type { ServiceAccountKeys, VerifyingKey } from '../../pki/service-account-key.ts';
import { type JWTClaims, readClaims } from './token-claims.ts';

/** JOSE signatures of ECDSA are the two numbers side by side, not DER. */
const signatureOptions = (key: VerifyingKey) => ({ key: key.key, dsaEncoding: 'ieee-p1363' as const });
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export function signJWT(keys: ServiceAccountKeys, claims: JWTClaims): string {
  const { signing } = keys;
  const signed = `${encode({ alg: signing.algorithm, kid: signing.id })}.${encode(claims)}`;
  return `${signed}.${keys.sign(Buffer.from(signed)).toString('base64url')}`;
}

/** The claims as they stand, signature not looked at; undefined for what is no JWT. */
export function parseJWT(token: string): JWTClaims | undefined {
  const parts = token.split('.');
  return parts.length === 3 ? readClaims(parsePart(parts[1])) : undefined;
}

export function isSignedBy(keys: ServiceAccountKeys, token: string): boolean {
  const [head, body, tail, more] = token.split('.');
  const header = parsePart(head) as { readonly alg?: unknown; readonly kid?: unknown; readonly crit?: unknown } | null | undefined;
  // A header that asks for more than is known here (RFC 7515, section 4.1.11) counts as no signature.
  if (!header || !base64url.test(tail ?? '') || more !== undefined || header.crit !== undefined) return false;
  const { kid } = header;
  if (kid !== undefined && typeof kid !== 'string') return false;
  const known = kid === undefined ? undefined : keys.verifying.get(kid);
  const candidates = known ? [known] : [...keys.verifying.values()];
  const signed = Buffer.from(`${head}.${body}`);
  const signature = Buffer.from(tail ?? '', 'base64url');
  return candidates.some((key) => key.algorithm === header.alg && verify('sha256', signed, signatureOptions(key), signature));
}

const base64url = /^[\w-]+$/;

/** JSON of any kind; undefined for what is none, or written in another alphabet. */
function parsePart(part = ''): unknown {
  if (!base64url.test(part)) return undefined;
  try {
    return parseJSON(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined;
  }
}
