/** Credentials as tests ask for them, and what the API says to whoever shows them over HTTPS. */
import { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { Agent, request } from 'undici';
import { accessOf, parseKubeconfig } from '../../src/client/files/kubeconfig.ts';
import type { Cluster } from '../../src/index.ts';

export type Shown = { readonly token: string } | { readonly cert: string; readonly key: string };

/** Code, and message where it refuses. */
export async function askAs(cluster: Cluster, who: Shown): Promise<{ readonly code: number; readonly message: string }> {
  const { ca } = await accessOf(await parseKubeconfig(cluster.kubeconfig));
  const dispatcher = new Agent({ connect: { ...(ca && { ca }), ...('cert' in who && who) } });
  const headers = 'token' in who ? { authorization: `Bearer ${who.token}` } : {};
  const answer = await request(`${cluster.server}/api/v1/nodes`, { dispatcher, headers });
  const { message } = (await answer.body.json()) as { message?: string };
  await dispatcher.close();
  return { code: answer.statusCode, message: message ?? '' };
}

/** A certificate request, as the spec of a CertificateSigningRequest has it, and its key. */
export async function makeRequest(name: string): Promise<{ readonly key: string; readonly base64: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const pem = (await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm })).toString('pem');
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return { key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`, base64: Buffer.from(pem).toString('base64') };
}
