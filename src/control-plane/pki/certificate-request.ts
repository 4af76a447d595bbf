/** Reads PKCS #10 certificate requests, with the X.509 library (imported when the first one comes). */
import type { CertificateSubject } from './certificate.ts';

/** Whom a certificate is asked for; undefined when the text is no certificate request. */
export async function requestedSubject(pem: string): Promise<CertificateSubject | undefined> {
  if (!pem.includes('-----BEGIN CERTIFICATE REQUEST-----')) return undefined;
  await import('reflect-metadata');
  const { Pkcs10CertificateRequest } = await import('@peculiar/x509');
  try {
    const subject = new Pkcs10CertificateRequest(pem).subjectName;
    return { commonName: subject.getField('CN').at(-1) ?? '', organizations: subject.getField('O') };
  } catch {
    return undefined;
  }
}
