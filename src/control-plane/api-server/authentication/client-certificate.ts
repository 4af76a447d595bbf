/**
 * Client certificates: the common name is the user, the organizations are the groups. The chain, the dates by the
 * machine's clock and the client usage were verified in the TLS handshake. That it has not expired by the cluster's clock
 * is looked at with every request: connections live long. A certificate is parsed once per connection.
 * Upstream: apiserver/pkg/authentication/request/x509/x509.go (CommonNameUserConversion).
 */
import { createHash, X509Certificate } from 'node:crypto';
import type { Clock } from '../../../client/clock.ts';
import { subjectOf } from '../../pki/certificate.ts';
import type { UserInfo } from '../request/request.ts';
import { withAuthenticatedGroup } from '../request/user.ts';
import type { Authenticator } from './authenticator.ts';
import type { FrontProxies } from './request-header.ts';

/** Connections of one client share its UserInfo, so that what is memoized by user is found again. */
const usersMax = 10_000;

export function clientCertificates(clock: Clock, proxies?: FrontProxies): Authenticator {
  const byConnection = new WeakMap<Uint8Array, Owner>();
  const byFingerprint = new Map<string, Owner>();
  const find = (certificate: Uint8Array): Owner => {
    const fingerprint = createHash('sha256').update(certificate).digest('base64');
    const known = byFingerprint.get(fingerprint) ?? ownerOf(certificate, fingerprint);
    if (byFingerprint.size >= usersMax) byFingerprint.clear();
    byFingerprint.set(fingerprint, known);
    byConnection.set(certificate, known);
    return known;
  };
  return {
    authenticate({ certificate }) {
      if (!certificate || certificate === 'unverified' || proxies?.nameIn(certificate) !== undefined) return undefined;
      const { user, untilMs } = byConnection.get(certificate) ?? find(certificate);
      return clock.now() <= untilMs ? user : undefined;
    },
  };
}

interface Owner {
  /** undefined: nobody */
  readonly user: UserInfo | undefined;
  readonly untilMs: number;
}

function ownerOf(der: Uint8Array, fingerprint: string): Owner {
  const certificate = new X509Certificate(der);
  const { commonName, organizations } = subjectOf(certificate);
  const untilMs = certificate.validToDate.getTime();
  if (!commonName) return { user: undefined, untilMs };
  const credential = `X509SHA256=${Buffer.from(fingerprint, 'base64').toString('hex')}`;
  const extra = { 'authentication.kubernetes.io/credential-id': [credential] };
  return { user: withAuthenticatedGroup({ name: commonName, groups: organizations, extra }), untilMs };
}
