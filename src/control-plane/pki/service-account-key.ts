/**
 * The keys that sign and verify service account tokens: ES256 for keys made here (a P-256 key costs nothing to make,
 * and signs ten times faster than RSA), RS256 for an RSA key that the user brought. Several public keys may verify, so
 * that a key can be replaced while its tokens still live.
 * Upstream: pkg/serviceaccount/jwt.go (algorithms and key ids).
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

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
}

export function createServiceAccountKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

export function loadServiceAccountKeys(privatePem: string, olderPublicPems: readonly string[] = []): ServiceAccountKeys {
  const key = createPrivateKey(privatePem);
  const own = verifyingKey(createPublicKey(privatePem));
  const verifying = [own, ...olderPublicPems.map((pem) => verifyingKey(createPublicKey(pem)))];
  return { signing: { ...own, key }, verifying: new Map(verifying.map((each) => [each.id, each])) };
}

function verifyingKey(key: KeyObject): VerifyingKey {
  const der = key.export({ format: 'der', type: 'spki' });
  const id = createHash('sha256').update(der).digest('base64url');
  if (key.asymmetricKeyType === 'rsa') return { id, algorithm: 'RS256', key };
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return { id, algorithm: 'ES256', key };
  throw new Error(`a service account key is RSA or EC P-256, this one is ${key.asymmetricKeyType ?? 'unknown'}`);
}
