/**
 * The certificates that hosts are shown: of Secrets, as Ingresses name them, read anew when a Secret is another object; and a
 * self-made one, for a year, for every other name. One that is malformed, or whose key is another's, counts as none.
 */
import { randomBytes, webcrypto } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Secret } from '../../api/generated/kinds.ts';
import { messageOf } from '../../api/meta/status-error.ts';
import { own } from '../../api/meta/words.ts';

interface Loaded {
  readonly context?: SecureContext;
  readonly problem?: string;
}

export interface SelfMade {
  readonly cert: string;
  readonly key: string;
  readonly context: SecureContext;
}

const loaded = new WeakMap<Secret, Loaded>();

/** Why it is none. */
export const secretProblem = (secret: Secret): string | undefined => load(secret).problem;

function load(secret: Secret): Loaded {
  let found = loaded.get(secret);
  if (!found) {
    found = read(secret);
    loaded.set(secret, found);
  }
  return found;
}

function read({ data }: Secret): Loaded {
  const [cert, key] = ['tls.crt', 'tls.key'].map((name) => Buffer.from(own(data, name) ?? '', 'base64').toString());
  if (!cert || !key) return { problem: 'has no tls.crt or no tls.key' };
  try {
    return { context: createSecureContext({ cert, key, minVersion: 'TLSv1.2' }) };
  } catch (error) {
    return { problem: `has no certificate with its key: ${messageOf(error)}` };
  }
}

/** A host's own, else its wildcard's, else none. */
export function contextOf(name: string, secretOf: (host: string) => Secret | undefined): SecureContext | undefined {
  const dot = name.indexOf('.');
  const secret = secretOf(name) ?? (dot > 0 ? secretOf(`*${name.slice(dot)}`) : undefined);
  return secret && load(secret).context;
}

const yearMs = 365 * 86_400_000;
const backdateMs = 3_600_000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Nobody trusts it, but who looks away. The library is loaded when it is needed: it takes a tenth of a second. */
export async function makeSelfSigned(nowMs: number): Promise<SelfMade> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: `01${randomBytes(15).toString('hex')}`,
    name: 'CN=timonier ingress default certificate',
    notBefore: new Date(nowMs - backdateMs),
    notAfter: new Date(nowMs + yearMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }]),
    ],
  });
  const exported = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${exported}\n-----END PRIVATE KEY-----\n`;
  const cert = certificate.toString('pem');
  return { cert, key, context: createSecureContext({ cert, key, minVersion: 'TLSv1.2' }) };
}
