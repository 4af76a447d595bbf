/**
 * The keys that sign and verify service account tokens: ES256 for keys made here (a P-256 key costs nothing to make,
 * and signs ten times faster than RSA), RS256 for an RSA key that the user brought. Several public keys may verify, so
 * that a key can be replaced while its tokens still live.
 * Upstream: pkg/serviceaccount/jwt.go (algorithms and key ids).
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { seededTokenKey, signES256 } from './seeded-keys.ts';

export type TokenAlgorithm = 'ES256' | 'RS256';

export interface VerifyingKey {
  readonly id: string;
  readonly algorithm: TokenAlgorithm;
  readonly key: KeyObject;
}

export interface ServiceAccountKeys {
  readonly signing: VerifyingKey;
  /** by key id; the signing key's public half is one of them */
  readonly verifying: ReadonlyMap<string, VerifyingKey>;
  /** with the signing key; every message has one signature where the key follows from a seed */
  sign(data: Buffer): Buffer;
}

export function createServiceAccountKeyPem(seed?: number): string {
  const privateKey = seed === undefined ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey : seededTokenKey(seed);
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

interface LoadOptions {
  readonly olderPublicPems?: readonly string[];
  /** the key follows from a seed */
  readonly isSeeded?: boolean;
}

export function loadServiceAccountKeys(
  privatePem: string,
  { olderPublicPems = [], isSeeded = false }: LoadOptions = {},
): ServiceAccountKeys {
  const key = createPrivateKey(privatePem);
  const own = verifyingKey(createPublicKey(privatePem));
  const verifying = [own, ...olderPublicPems.map((pem) => verifyingKey(createPublicKey(pem)))];
  // JOSE signatures of ECDSA are the two numbers side by side, not DER.
  const signNow = (data: Buffer): Buffer => (isSeeded ? signES256(key, data) : sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }));
  return { signing: { ...own, key }, sign: signNow, verifying: new Map(verifying.map((each) => [each.id, each])) };
}

function verifyingKey(key: KeyObject): VerifyingKey {
  const der = key.export({ format: 'der', type: 'spki' });
  const id = createHash('sha256').update(der).digest('base64url');
  if (key.asymmetricKeyType === 'rsa') return { id, algorithm: 'RS256', key };
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return { id, algorithm: 'ES256', key };
  throw new Error(`a service account key is RSA or EC P-256, this one is ${key.asymmetricKeyType ?? 'unknown'}`);
}
