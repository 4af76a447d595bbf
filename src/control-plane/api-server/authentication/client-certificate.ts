/**
 * Client certificates: the common name is the user, the organizations are the groups. The chain, the dates and the
 * client usage were verified in the TLS handshake. A certificate is parsed once per connection.
 * Upstream: apiserver/pkg/authentication/request/x509/x509.go (CommonNameUserConversion).
 */
import { createHash, X509Certificate } from 'node:crypto';
import { subjectOf } from '../../pki/certificate.ts';
import type { UserInfo } from '../request.ts';
import type { Authenticator } from './authenticator.ts';
import { withAuthenticatedGroup } from './user.ts';

/** Connections of one client share its UserInfo, so that what is memoized by user is found again. */
const usersMax = 10_000;

export function clientCertificates(): Authenticator {
  const byConnection = new WeakMap<Uint8Array, UserInfo | 'nobody'>();
  const byFingerprint = new Map<string, UserInfo | 'nobody'>();
  const find = (certificate: Uint8Array): UserInfo | 'nobody' => {
    const fingerprint = createHash('sha256').update(certificate).digest('base64');
    const known = byFingerprint.get(fingerprint) ?? userOf(certificate, fingerprint);
    if (byFingerprint.size >= usersMax) byFingerprint.clear();
    byFingerprint.set(fingerprint, known);
    byConnection.set(certificate, known);
    return known;
  };
  return {
    authenticate({ certificate }) {
      if (!certificate || certificate === 'unverified') return undefined;
      const user = byConnection.get(certificate) ?? find(certificate);
      return user === 'nobody' ? undefined : user;
    },
  };
}

function userOf(der: Uint8Array, fingerprint: string): UserInfo | 'nobody' {
  const { commonName, organizations } = subjectOf(new X509Certificate(der));
  if (!commonName) return 'nobody';
  const credential = `X509SHA256=${Buffer.from(fingerprint, 'base64').toString('hex')}`;
  return withAuthenticatedGroup({
    name: commonName,
    groups: organizations,
    extra: { 'authentication.kubernetes.io/credential-id': [credential] },
  });
}
