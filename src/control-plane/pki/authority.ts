/**
 * A certificate authority: makes and signs the certificates of one cluster, all ECDSA P-256.
 *
 * Guarantees: a leaf never outlives its authority; serial numbers are random; every leaf carries the authority's key
 * identifier. The X.509 library (60 ms) is imported when the first certificate is made, so a start that finds its
 * certificates on disk does not pay for it.
 * What it does not do: revocation, intermediate authorities, certificate signing requests.
 * Upstream: cmd/kubeadm/app/util/pkiutil/pki_helpers.go for lifetimes, usages and subjects.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import type * as X509 from '@peculiar/x509';
import type { Clock } from '../../client/clock.ts';

type CertificateUsage = 'server' | 'client';

/** Whom a certificate is for. For clients the common name is the user, the organizations are the groups. */
export interface CertificateSpec {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usages: readonly CertificateUsage[];
  /** default: a year */
  readonly validDays?: number;
}

export interface KeyedCertificate {
  readonly certPem: string;
  /** PKCS#8 */
  readonly keyPem: string;
}

export interface Authority extends KeyedCertificate {
  issue(spec: CertificateSpec): Promise<KeyedCertificate>;
}

const leafValidDaysDefault = 365;
const authorityValidDaysDefault = 3650;
const dayMs = 86_400_000;
/** Certificates are valid from a little before they are made: clocks of clients differ. */
const backdateMs = 5 * 60_000;
const serialBytes = 16;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const importX509 = async (): Promise<typeof X509> => {
  await import('reflect-metadata');
  return await import('@peculiar/x509');
};

export async function createAuthority(options: {
  readonly commonName: string;
  readonly clock: Clock;
  readonly validDays?: number;
}): Promise<Authority> {
  const x509 = await importX509();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const nowMs = options.clock.now();
  const usage = x509.KeyUsageFlags;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: new x509.Name([{ CN: [options.commonName] }]),
    notBefore: new Date(nowMs - backdateMs),
    notAfter: new Date(nowMs + (options.validDays ?? authorityValidDaysDefault) * dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(usage.digitalSignature | usage.keyEncipherment | usage.keyCertSign | usage.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return loadAuthority({ certPem: pem(certificate), keyPem: await privateKeyPem(keys.privateKey), clock: options.clock });
}

/** An authority from what was stored. Its key may also be RSA, when the user brought their own. */
export function loadAuthority(options: { readonly certPem: string; readonly keyPem: string; readonly clock: Clock }): Authority {
  const { certPem, keyPem, clock } = options;
  return { certPem, keyPem, issue: (spec) => issue({ certPem, key: createPrivateKey(keyPem), nowMs: clock.now() }, spec) };
}

async function issue(
  issuer: { readonly certPem: string; readonly key: KeyObject; readonly nowMs: number },
  spec: CertificateSpec,
): Promise<KeyedCertificate> {
  const x509 = await importX509();
  const authority = new X509Certificate(issuer.certPem);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const signing = signingAlgorithmOf(issuer.key);
  const wantedEndMs = issuer.nowMs + (spec.validDays ?? leafValidDaysDefault) * dayMs;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: new x509.Name([...(spec.organizations ?? []).map((group) => ({ O: [group] })), { CN: [spec.commonName] }]),
    issuer: new x509.X509Certificate(authority.raw).subjectName,
    notBefore: new Date(issuer.nowMs - backdateMs),
    notAfter: new Date(Math.min(wantedEndMs, authority.validToDate.getTime())),
    publicKey: keys.publicKey,
    signingKey: issuer.key.toCryptoKey(signing, false, ['sign']),
    signingAlgorithm: signing,
    extensions: await leafExtensions(x509, authority, spec),
  });
  return { certPem: pem(certificate), keyPem: await privateKeyPem(keys.privateKey) };
}

async function leafExtensions(x509: typeof X509, authority: X509Certificate, spec: CertificateSpec): Promise<X509.Extension[]> {
  const usage = x509.KeyUsageFlags;
  const purposes = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth };
  const names = [
    ...(spec.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(spec.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(usage.digitalSignature | usage.keyEncipherment, true),
    new x509.ExtendedKeyUsageExtension(spec.usages.map((name) => purposes[name])),
    await x509.AuthorityKeyIdentifierExtension.create(new x509.X509Certificate(authority.raw)),
    ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
  ];
}

function signingAlgorithmOf(key: KeyObject): { name: string; namedCurve?: string; hash: string } {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const curves: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };
  const namedCurve = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (!namedCurve) throw new Error(`a certificate authority needs an RSA or an EC key, this one is ${key.asymmetricKeyType ?? 'unknown'}`);
  return { name: 'ECDSA', namedCurve, hash: 'SHA-256' };
}

/** Positive and without a leading zero byte, in hex. */
function serialNumber(): string {
  const bytes = randomBytes(serialBytes);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

const pem = (certificate: X509.X509Certificate): string => `${certificate.toString('pem').trimEnd()}\n`;

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** The public half of a private or public key in PEM, as PEM. */
export const publicKeyPem = (keyPem: string): string => createPublicKey(keyPem).export({ format: 'pem', type: 'spki' }).toString();
