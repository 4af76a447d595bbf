/**
 * A certificate authority: makes and signs the certificates of one cluster, ECDSA P-256 but for keys that are given away.
 *
 * Guarantees: a leaf never outlives its authority; serial numbers are random; every leaf carries the authority's key
 * identifier. With a seed the authority and what it signs for others come out the same every time: its key follows from
 * the seed, and is Ed25519, whose signatures have no chance in them. Whoever knows the seed has the key. The X.509 library (60 ms) is imported when the first certificate is made, so a start that finds its
 * certificates on disk does not pay for it.
 * What it does not do: revocation, intermediate authorities.
 * Upstream: cmd/kubeadm/app/util/pkiutil/pki_helpers.go for lifetimes, usages and subjects;
 * pkg/controller/certificates/authority for what a signing request gets.
 */

import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import type * as X509 from '@peculiar/x509';
import { own } from '../../api/meta/words.ts';
import { ed25519, immediateCrypto, seededAuthorityKeys } from './seeded-keys.ts';
import { backdateMs, type Clocks, isTooShort, ownValidity, signedValidity, type Validity, validityOf } from './validity.ts';

type CertificateUsage = 'server' | 'client';

/** Whom a certificate is for. For clients the common name is the user, the organizations are the groups. */
export interface CertificateSpec {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usages: readonly CertificateUsage[];
  /** default `ec`; `rsa` takes 40 ms, and is what every client can read: fabric8's can't read EC keys by itself */
  readonly keyType?: 'ec' | 'rsa';
  /** default: a year */
  readonly validDays?: number;
}

export interface KeyedCertificate {
  readonly certPem: string;
  /** PKCS#8, RSA keys PKCS#1 */
  readonly keyPem: string;
}

/** What a certificate may be used for, by the API's names of usages, and for how long. */
export interface SigningTerms {
  readonly usages: readonly string[];
  /** at most a year */
  readonly lifeSeconds?: number;
}

export interface Authority extends KeyedCertificate {
  issue(spec: CertificateSpec): Promise<KeyedCertificate>;
  /** The certificate, in PEM, that a PKCS #10 request asks for: its subject, names and key. Its signature was checked. */
  sign(requestPem: string, terms: SigningTerms): Promise<string>;
}

const leafValidDaysDefault = 365;
const authorityValidDaysDefault = 3650;
const dayMs = 86_400_000;
/** Shorter lives are not shortened by what they are backdated. */
const shortLifeMs = 8 * 3600_000;
const signedLifeMsMax = leafValidDaysDefault * dayMs;
const serialBytes = 16;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const rsa = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' } as const;

const importX509 = async (): Promise<typeof X509> => {
  await import('reflect-metadata');
  return await import('@peculiar/x509');
};

export interface AuthorityOptions extends Clocks {
  /** for clusters whose history has to be the same every time, and that nobody else can reach */
  readonly seed?: number | undefined;
}

export async function createAuthority(
  options: AuthorityOptions & { readonly commonName: string; readonly validDays?: number },
): Promise<Authority> {
  const { commonName, seed, validDays = authorityValidDaysDefault } = options;
  const x509 = await importX509();
  const keys =
    seed === undefined ? await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) : seededAuthorityKeys(seed, commonName);
  const usage = x509.KeyUsageFlags;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(seed === undefined ? undefined : `${seed} ${commonName}`),
    name: new x509.Name([{ CN: [commonName] }]),
    ...datesOf(ownValidity(options, validDays * dayMs)),
    signingAlgorithm: seed === undefined ? algorithm : ed25519,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(usage.digitalSignature | usage.keyEncipherment | usage.keyCertSign | usage.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return loadAuthority({ certPem: pem(certificate), keyPem: await privateKeyPem(keys.privateKey) }, options);
}

/** An authority from what was stored. Its key may also be RSA, when the user brought their own. */
export function loadAuthority({ certPem, keyPem }: KeyedCertificate, options: AuthorityOptions): Authority {
  const issuer = (): Issuer => ({ ...options, certPem, key: createPrivateKey(keyPem) });
  return { certPem, keyPem, issue: (spec) => issue(issuer(), spec), sign: (request, terms) => sign(issuer(), request, terms) };
}

/**
 * The same authority, key and names, for as long as a clock of its own may go; as it is, if it reaches so far or was
 * signed by somebody else. Whoever trusts the old certificate trusts what it signs.
 */
export async function extendAuthority(stored: KeyedCertificate, clocks: Clocks): Promise<KeyedCertificate> {
  const read = new X509Certificate(stored.certPem);
  if (!isTooShort(validityOf(read), clocks) || !read.verify(read.publicKey)) return stored;
  const x509 = await importX509();
  const old = new x509.X509Certificate(read.raw);
  const key = createPrivateKey(stored.keyPem);
  const signing = signingAlgorithmOf(key);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: old.subjectName,
    ...datesOf(ownValidity(clocks, authorityValidDaysDefault * dayMs)),
    signingAlgorithm: signing,
    keys: { privateKey: key.toCryptoKey(signing, false, ['sign']), publicKey: createPublicKey(key).toCryptoKey(signing, true, ['verify']) },
    extensions: old.extensions,
  });
  return { certPem: pem(certificate), keyPem: stored.keyPem };
}

interface Issuer extends AuthorityOptions {
  readonly certPem: string;
  readonly key: KeyObject;
}

interface Leaf {
  readonly subject: X509.Name;
  readonly names: X509.JsonGeneralNames;
  readonly publicKey: X509.PublicKeyType;
  /** by the API's names */
  readonly usages: readonly string[];
  readonly validity: Validity;
  /** random, if it does not follow from anything */
  readonly serialSource?: string | undefined;
}

async function issue(issuer: Issuer, spec: CertificateSpec): Promise<KeyedCertificate> {
  const x509 = await importX509();
  const keys = await webcrypto.subtle.generateKey(spec.keyType === 'rsa' ? rsa : algorithm, true, ['sign', 'verify']);
  const certPem = await certify(x509, issuer, {
    subject: new x509.Name([...(spec.organizations ?? []).map((group) => ({ O: [group] })), { CN: [spec.commonName] }]),
    names: [
      ...(spec.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
      ...(spec.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
    ],
    publicKey: keys.publicKey,
    usages: ['digital signature', 'key encipherment', ...spec.usages.map((name) => `${name} auth`)],
    validity: ownValidity(issuer, (spec.validDays ?? leafValidDaysDefault) * dayMs),
  });
  return { certPem, keyPem: await privateKeyPem(keys.privateKey) };
}

async function sign(issuer: Issuer, requestPem: string, { usages, lifeSeconds }: SigningTerms): Promise<string> {
  const x509 = await importX509();
  const request = new x509.Pkcs10CertificateRequest(requestPem);
  const names = request.extensions.find((each) => each instanceof x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
  const lifeMs = Math.min((lifeSeconds ?? Number.POSITIVE_INFINITY) * 1000, signedLifeMsMax);
  const validity = signedValidity(issuer, lifeMs - (lifeMs < shortLifeMs ? 0 : backdateMs));
  const serialSource = issuer.seed === undefined ? undefined : `${issuer.seed} ${issuer.clock.now()} ${requestPem}`;
  return certify(x509, issuer, { subject: request.subjectName, names, publicKey: request.publicKey, usages, validity, serialSource });
}

async function certify(x509: typeof X509, issuer: Issuer, leaf: Leaf): Promise<string> {
  const authority = new X509Certificate(issuer.certPem);
  const signing = signingAlgorithmOf(issuer.key);
  const keyUsage = leaf.usages.reduce((flags, name) => flags | (own(keyUsages, name) ?? 0), 0);
  const purposes = leaf.usages.flatMap((name) => own(purposeIds, name) ?? []);
  const crypto = issuer.seed === undefined ? undefined : immediateCrypto;
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(leaf.serialSource),
      subject: leaf.subject,
      issuer: new x509.X509Certificate(authority.raw).subjectName,
      ...datesOf({ ...leaf.validity, toMs: Math.min(leaf.validity.toMs, authority.validToDate.getTime()) }),
      publicKey: leaf.publicKey,
      signingKey: issuer.key.toCryptoKey(signing, crypto !== undefined, ['sign']), // immediateCrypto takes it out again
      signingAlgorithm: signing,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        ...(keyUsage > 0 ? [new x509.KeyUsagesExtension(keyUsage, true)] : []),
        ...(purposes.length > 0 ? [new x509.ExtendedKeyUsageExtension(purposes)] : []),
        await x509.AuthorityKeyIdentifierExtension.create(new x509.X509Certificate(authority.raw), false, crypto),
        ...(leaf.names.length > 0 ? [new x509.SubjectAlternativeNameExtension(leaf.names)] : []),
      ],
    },
    crypto,
  );
  return pem(certificate);
}

/** The bits of RFC 5280, 4.2.1.3, by the API's names of usages. */
const keyUsages: Readonly<Record<string, number>> = {
  signing: 1,
  'digital signature': 1,
  'content commitment': 2,
  'key encipherment': 4,
  'data encipherment': 8,
  'key agreement': 16,
  'cert sign': 32,
  'crl sign': 64,
  'encipher only': 128,
  'decipher only': 256,
};

/** The purposes of RFC 5280, 4.2.1.12, and two older ones. */
const purposeIds: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};

function signingAlgorithmOf(key: KeyObject): { name: string; namedCurve?: string; hash?: string } {
  if (key.asymmetricKeyType === 'ed25519') return ed25519;
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const curves: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };
  const namedCurve = own(curves, key.asymmetricKeyDetails?.namedCurve ?? '');
  if (!namedCurve) throw new Error(`a certificate authority needs an RSA or an EC key, this one is ${key.asymmetricKeyType ?? 'unknown'}`);
  return { name: 'ECDSA', namedCurve, hash: 'SHA-256' };
}

/** Positive and without a leading zero byte, in hex. What follows from a source is the same every time. */
function serialNumber(source?: string): string {
  const bytes = source === undefined ? randomBytes(serialBytes) : createHash('sha256').update(source).digest().subarray(0, serialBytes);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

const datesOf = ({ fromMs, toMs }: Validity): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(fromMs),
  notAfter: new Date(toMs),
});

const pem = (certificate: X509.X509Certificate): string => `${certificate.toString('pem').trimEnd()}\n`;

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  const type = key.algorithm.name === rsa.name ? 'pkcs1' : 'pkcs8';
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type }).toString();
}

/** The public half of a private or public key in PEM, as PEM. */
export const publicKeyPem = (keyPem: string): string => createPublicKey(keyPem).export({ format: 'pem', type: 'spki' }).toString();
