/** Reads PKCS #10 certificate requests, with the X.509 library (imported when the first one comes). */
import type { CertificateSubject } from './certificate.ts';

/** Whom a certificate is asked for, and under which further names: `{ type: 'dns', value: 'example.org' }`. */
export interface RequestedCertificate extends CertificateSubject {
  readonly names: readonly { readonly type: string; readonly value: string }[];
}

/** The text of a request, as the spec of a CertificateSigningRequest has it. */
export const requestPem = ({ request = '' }: { readonly request?: string }): string => Buffer.from(request, 'base64').toString();

/** Undefined when the text is no certificate request. */
export async function readCertificateRequest(pem: string): Promise<RequestedCertificate | undefined> {
  if (!pem.includes('-----BEGIN CERTIFICATE REQUEST-----')) return undefined;
  await import('reflect-metadata');
  const { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } = await import('@peculiar/x509');
  try {
    const { subjectName: subject, extensions } = new Pkcs10CertificateRequest(pem);
    const names = extensions.flatMap((each) => (each instanceof SubjectAlternativeNameExtension ? each.names.items : []));
    return {
      commonName: subject.getField('CN').at(-1) ?? '',
      organizations: subject.getField('O'),
      names: names.map(({ type, value }) => ({ type, value })),
    };
  } catch {
    return undefined;
  }
}
