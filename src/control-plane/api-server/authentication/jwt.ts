/**
 * JSON Web Tokens, signed and verified with node:crypto: the compact form, ES256 and RS256, nothing else. A token
 * without a known key id is tried with every key of its algorithm, as tokens of older clusters have none.
 * Specified in RFC 7515 and RFC 7519.
 */
import { sign, verify } from 'node:crypto';
import type { ServiceAccountKeys, VerifyingKey } from '../../pki/service-account-key.ts';

export interface JWTClaims {
  readonly iss?: string;
  readonly sub?: string;
  readonly aud?: string | readonly string[];
  readonly exp?: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly [claim: string]: unknown;
}

/** JOSE signatures of ECDSA are the two numbers side by side, not DER. */
const signatureOptions = (key: VerifyingKey) => ({ key: key.key, dsaEncoding: 'ieee-p1363' as const });
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export function signJWT(keys: ServiceAccountKeys, claims: JWTClaims): string {
  const { signing } = keys;
  const signed = `${encode({ alg: signing.algorithm, kid: signing.id })}.${encode(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), signatureOptions(signing)).toString('base64url')}`;
}

/** The claims as they stand, signature not looked at; undefined for what is no JWT. */
export function parseJWT(token: string): JWTClaims | undefined {
  const parts = token.split('.');
  return parts.length === 3 ? parseObject(parts[1]) : undefined;
}

export function isSignedBy(keys: ServiceAccountKeys, token: string): boolean {
  const end = token.lastIndexOf('.');
  const header = parseObject(token.slice(0, token.indexOf('.')));
  if (end < 0 || !header) return false;
  const known = typeof header['kid'] === 'string' ? keys.verifying.get(header['kid']) : undefined;
  const candidates = known ? [known] : [...keys.verifying.values()];
  const signed = Buffer.from(token.slice(0, end));
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  return candidates.some((key) => key.algorithm === header['alg'] && verify('sha256', signed, signatureOptions(key), signature));
}

function parseObject(part: string | undefined): JWTClaims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JWTClaims) : undefined;
  } catch {
    return undefined;
  }
}
