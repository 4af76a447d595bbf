/**
 * Reads certificates with node:crypto alone: is a stored one still what is wanted, and long enough valid?
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { CertificateSpec, KeyedCertificate } from './authority.ts';
import { type Clocks, isTooShort, validityOf } from './validity.ts';

/** Why a stored certificate can't be used any more; undefined when it can. */
export function staleReason(
  stored: KeyedCertificate,
  wanted: { readonly spec: CertificateSpec; readonly authorityPem: string; readonly clocks: Clocks },
): string | undefined {
  const authority = new X509Certificate(wanted.authorityPem);
  let certificate: X509Certificate;
  let key: KeyObject;
  try {
    certificate = new X509Certificate(stored.certPem);
    key = createPrivateKey(stored.keyPem);
  } catch {
    return 'it is damaged';
  }
  if (!certificate.checkPrivateKey(key)) return 'its key is another one';
  if (key.asymmetricKeyType !== (wanted.spec.keyType ?? 'ec')) return 'its key is of another type';
  if (!certificate.verify(authority.publicKey)) return 'it was signed by another authority';
  if (isTooShort(validityOf(certificate), wanted.clocks)) return 'too little of its life is left';
  if (describeSubject(subjectOf(certificate)) !== describeSubject(wanted.spec)) return 'its subject is another one';
  if (!sameNames(certificate, wanted.spec)) return 'its names are others';
  return undefined;
}

export interface CertificateSubject {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

export function subjectOf(certificate: X509Certificate): CertificateSubject {
  const { subject } = certificate.toLegacyObject();
  // The types say one string per attribute; several values of one attribute come as an array.
  const values = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : value ? [String(value)] : []);
  return { commonName: values(subject?.CN).at(-1) ?? '', organizations: values(subject?.O) };
}

const describeSubject = (subject: Pick<CertificateSpec, 'commonName' | 'organizations'>): string =>
  JSON.stringify([subject.commonName, subject.organizations ?? []]);

function sameNames(certificate: X509Certificate, spec: CertificateSpec): boolean {
  const dnsNames = spec.dnsNames ?? [];
  const ipAddresses = spec.ipAddresses ?? [];
  const has = certificate.subjectAltName ? certificate.subjectAltName.split(', ').length : 0;
  return (
    has === dnsNames.length + ipAddresses.length &&
    dnsNames.every((name) => certificate.checkHost(name.replace(/^\*/, 'x')) !== undefined) &&
    ipAddresses.every((address) => isIP(address) !== 0 && certificate.checkIP(address) !== undefined)
  );
}
