import assert from 'node:assert/strict';
import { KeyObject, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { realClock } from '../../client/clock.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import type { CertificateSpec } from './authority.ts';
import { subjectOf } from './certificate.ts';
import { directoryFiles, memoryFiles, openClusterPKI, type PEMFiles } from './cluster-pki.ts';

const dayMs = 86_400_000;
const server: CertificateSpec = {
  commonName: 'kube-apiserver',
  dnsNames: ['localhost', 'kubernetes.default.svc'],
  ipAddresses: ['127.0.0.1', '::1'],
  usages: ['server'],
};
const admin: CertificateSpec = { commonName: 'system:node:a', organizations: ['system:nodes', 'b,c=d'], usages: ['client'] };

for (const keyType of ['ec', 'rsa'] as const)
  test(`certificates are good for TLS in both directions: ${keyType}`, () => handshake(keyType));

async function handshake(keyType: 'ec' | 'rsa'): Promise<void> {
  const pki = await openClusterPKI({ files: memoryFiles(), clock: realClock });
  const [serving, client] = [await pki.certificate('apiserver', server), await pki.certificate('admin', { ...admin, keyType })];
  const listener = createServer(
    { cert: serving.certPem, key: serving.keyPem, ca: pki.authority.certPem, requestCert: true, rejectUnauthorized: true },
    (socket) => socket.end(JSON.stringify(subjectOf(socket.getPeerX509Certificate() as X509Certificate))),
  ).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const socket = connect({
    port: (listener.address() as AddressInfo).port,
    host: '127.0.0.1',
    servername: 'kubernetes.default.svc',
    ca: pki.authority.certPem,
    cert: client.certPem,
    key: client.keyPem,
  });
  let text = '';
  for await (const chunk of socket) text += chunk;
  listener.close();
  assert.deepEqual(JSON.parse(text), { commonName: 'system:node:a', organizations: ['system:nodes', 'b,c=d'] });
  assert.match(client.keyPem, keyType === 'rsa' ? /^-----BEGIN RSA PRIVATE KEY-----/ : /^-----BEGIN PRIVATE KEY-----/);
}

const renewals: readonly { name: string; afterDays: number; spec: CertificateSpec; kept: boolean }[] = [
  { name: 'kept while fresh', afterDays: 1, spec: server, kept: true },
  { name: 'kept before a third is left', afterDays: 240, spec: server, kept: true },
  { name: 'renewed in its last third', afterDays: 250, spec: server, kept: false },
  { name: 'renewed for another name', afterDays: 1, spec: { ...server, dnsNames: ['localhost'] }, kept: false },
  { name: 'renewed for another address', afterDays: 1, spec: { ...server, ipAddresses: ['127.0.0.1', '::2'] }, kept: false },
  { name: 'renewed for another type of key', afterDays: 1, spec: { ...server, keyType: 'rsa' }, kept: false },
  { name: 'renewed for another group', afterDays: 1, spec: { ...server, organizations: ['g'] }, kept: false },
];
for (const { name, afterDays, spec, kept } of renewals) {
  test(`a stored certificate is ${name}`, async () => {
    const clock = new VirtualClock();
    const files = memoryFiles();
    const clocks = { clock, machine: clock };
    const first = await (await openClusterPKI({ files, ...clocks })).certificate('apiserver', server);
    await clock.advance(afterDays * dayMs);
    const second = await (await openClusterPKI({ files, ...clocks })).certificate('apiserver', spec);
    assert.equal(second.certPem === first.certPem, kept);
  });
}

test('a leaf that the disk has no room for is used all the same, and made anew later; an authority is not', async () => {
  const files = memoryFiles();
  let isFull = false;
  const small: PEMFiles = {
    ...files,
    write(name, text) {
      if (isFull) throw new Error(name, { cause: Object.assign(new Error('write'), { code: 'ENOSPC' }) });
      files.write(name, text);
    },
  };
  const pki = await openClusterPKI({ files: small, clock: realClock });
  isFull = true;
  const spec = { commonName: 'x', usages: ['client' as const] };
  assert.match((await pki.certificate('x', spec)).certPem, /BEGIN CERTIFICATE/);
  assert.equal(files.read('x.crt'), undefined);
  await assert.rejects(pki.frontProxyAuthority(), /front-proxy-ca/);
});

test('files are private, and a second opening reads the same', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pki-'));
  try {
    const first = await openClusterPKI({ files: directoryFiles(directory), clock: realClock });
    const second = await openClusterPKI({ files: directoryFiles(directory), clock: realClock });
    assert.equal(second.authority.certPem, first.authority.certPem);
    assert.equal(second.serviceAccountKeys.signing.id, first.serviceAccountKeys.signing.id);
    for (const file of ['ca.key', 'ca.crt', 'sa.key', 'sa.pub']) assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

const damages: readonly { name: string; damage: (files: PEMFiles) => PEMFiles; want: RegExp | 'made anew' }[] = [
  {
    name: 'ca.crt that is no certificate',
    damage: (files) => overlay(files, { 'ca.crt': 'hello' }),
    want: /^ca\.crt is damaged: it is no certificate$/,
  },
  { name: 'ca.crt that is empty', damage: (files) => overlay(files, { 'ca.crt': '' }), want: /^ca\.crt is damaged/ },
  {
    name: 'ca.crt that is cut off',
    damage: (files) => overlay(files, { 'ca.crt': files.read('ca.crt')?.slice(0, 200) }),
    want: /^ca\.crt is damaged/,
  },
  {
    name: 'ca.crt that is gone',
    damage: (files) => overlay(files, { 'ca.crt': undefined }),
    want: /^ca\.crt is gone, and its key is there$/,
  },
  {
    name: 'ca.key that is no key',
    damage: (files) => overlay(files, { 'ca.key': 'hello' }),
    want: /^ca\.key is damaged: it is no private key$/,
  },
  { name: 'ca.key that is gone', damage: (files) => overlay(files, { 'ca.key': undefined }), want: /^ca\.key is gone/ },
  {
    name: 'ca.key of another authority',
    damage: (files) => overlay(files, { 'ca.key': files.read('sa.key') }),
    want: /^ca\.key is not the key of ca\.crt$/,
  },
  {
    name: 'sa.key that is no key',
    damage: (files) => overlay(files, { 'sa.key': 'hello' }),
    want: /^sa\.key is damaged: it is no private key$/,
  },
  { name: 'a leaf that is no certificate', damage: (files) => overlay(files, { 'apiserver.crt': 'hello' }), want: 'made anew' },
  { name: 'a leaf’s key that is none', damage: (files) => overlay(files, { 'apiserver.key': '' }), want: 'made anew' },
];
const overlay = (files: PEMFiles, texts: Readonly<Record<string, string | undefined>>): PEMFiles => ({
  ...files,
  read: (name) => (name in texts ? texts[name] : files.read(name)),
});
for (const { name, damage, want } of damages) {
  test(`${name} ${want === 'made anew' ? 'is made anew' : 'is refused by name'}`, async () => {
    const files = memoryFiles();
    const before = await (await openClusterPKI({ files, clock: realClock })).certificate('apiserver', server);
    const opened = openClusterPKI({ files: damage(files), clock: realClock });
    if (want !== 'made anew') return assert.rejects(opened, { name: 'DamagedKeyError', code: 'key-damaged', message: want });
    assert.notEqual((await (await opened).certificate('apiserver', server)).certPem, before.certPem);
  });
}

test('an RSA authority that the user brought signs too', async () => {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const keys = await crypto.subtle.generateKey(rsa, true, ['sign', 'verify']);
  const extensions = [new x509.BasicConstraintsExtension(true, undefined, true)];
  const own = await x509.X509CertificateGenerator.createSelfSigned({ name: 'CN=own', keys, signingAlgorithm: rsa, extensions });
  const keyPem = KeyObject.from(keys.privateKey).export({ format: 'pem', type: 'pkcs8' }).toString();
  const files = memoryFiles();
  files.write('ca.crt', own.toString('pem'));
  files.write('ca.key', keyPem);
  const pki = await openClusterPKI({ files, clock: realClock });
  const leaf = new X509Certificate((await pki.certificate('apiserver', server)).certPem);
  assert.ok(leaf.verify(new X509Certificate(own.toString('pem')).publicKey));
  assert.ok(leaf.validToDate <= own.notAfter);
});
