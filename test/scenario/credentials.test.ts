/** Credentials that the control plane hands out through the API: signed certificate requests, and tokens in Secrets. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CertificateSigningRequest, ClusterRoleBinding, Secret, ServiceAccount } from '../../src/api/generated/kinds.ts';
import type { KindRef, KubeObject, ObjectName } from '../../src/api/meta/object.ts';
import type { Client } from '../../src/client/client.ts';
import { certificateCleaner } from '../../src/control-plane/controllers/access/certificate-cleaner.ts';
import { startCluster } from '../../src/index.ts';
import { askAs, makeRequest } from '../kit/credentials.ts';
import { startControlPlane } from './control-plane.ts';

/** The object as soon as it is so; undefined: as soon as it is gone. */
async function until<T extends KubeObject>(client: Client, kind: KindRef<T>, at: ObjectName, isSo: (object: T | undefined) => boolean) {
  const options = { ...(at.namespace && { namespace: at.namespace }), fieldSelector: `metadata.name=${at.name}`, sendInitialEvents: true };
  for await (const { type, object } of client.watch(kind, {
    ...options,
    allowWatchBookmarks: true,
  })) {
    if (type === 'BOOKMARK') continue;
    const seen = type === 'DELETED' ? undefined : (object as T);
    if (isSo(seen)) return seen;
  }
  throw new Error('the watch ended');
}

const usages = ['digital signature', 'client auth'] as const;
const isOver = (csr: CertificateSigningRequest | undefined): boolean =>
  csr?.status.certificate !== undefined || csr?.status.conditions?.some(({ type }) => type === 'Failed') === true;

describe('credentials', () => {
  it('signs an approved request, and what is signed is good for the API', async () => {
    await using cluster = await startCluster({ simulated: 1 });
    const { client } = cluster;
    const { key, base64 } = await makeRequest('CN=jane,O=bakers');
    const spec = { request: base64, signerName: 'kubernetes.io/kube-apiserver-client', usages, expirationSeconds: 3600 };
    const made = await client.create(CertificateSigningRequest, { metadata: { name: 'jane' }, spec });
    const conditions = [{ type: 'Approved', status: 'True' as const, reason: 'Test' }];
    await client.update(CertificateSigningRequest, { ...made, status: { conditions } }, { subresource: 'approval' });
    const signed = await until(client, CertificateSigningRequest, { name: 'jane' }, isOver);
    const cert = Buffer.from(signed?.status.certificate ?? '', 'base64').toString();
    const { code, message } = await askAs(cluster, { cert, key });
    assert.deepEqual([code, message.includes('User "jane" cannot list resource "nodes"')], [403, true], message);

    const bad = { ...spec, usages: ['server auth'] as const };
    const other = await client.create(CertificateSigningRequest, { metadata: { name: 'bad' }, spec: bad });
    await client.update(CertificateSigningRequest, { ...other, status: { conditions } }, { subresource: 'approval' });
    const failed = await until(client, CertificateSigningRequest, { name: 'bad' }, isOver);
    assert.deepEqual(failed?.status.conditions?.map(({ type, reason, message: text }) => [type, reason, text]).at(-1), [
      'Failed',
      'SignerValidationFailure',
      'invalid usage for client certificate: server auth',
    ]);
  });

  it('approves the certificates of kubelets for who may have one', async () => {
    await using cluster = await startCluster({ simulated: 1 });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: '' };
    for (const [who, name] of [
      ['system:node-bootstrapper', 'make'],
      ['system:certificates.k8s.io:certificatesigningrequests:nodeclient', 'have'],
    ] as const)
      await cluster.client.create(ClusterRoleBinding, {
        metadata: { name },
        roleRef: { ...roleRef, name: who },
        subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:bootstrappers' }],
      });
    const joining = cluster.clientFor({ name: 'joining', groups: ['system:bootstrappers'] });
    const { base64 } = await makeRequest('CN=system:node:new,O=system:nodes');
    const spec = { request: base64, signerName: 'kubernetes.io/kube-apiserver-client-kubelet', usages };
    await joining.create(CertificateSigningRequest, { metadata: { name: 'new' }, spec });
    const signed = await until(cluster.client, CertificateSigningRequest, { name: 'new' }, isOver);
    assert.equal(signed?.status.conditions?.[0]?.message, 'Auto approving kubelet client certificate after SubjectAccessReview.');
    assert.ok(signed?.status.certificate);
  });

  it('forgets requests when their time is over', async () => {
    await using plane = await startControlPlane([certificateCleaner]);
    const { base64 } = await makeRequest('CN=jane');
    const spec = { request: base64, signerName: 'example.com/own', usages };
    await plane.client.create(CertificateSigningRequest, { metadata: { name: 'waiting' }, spec });
    const denied = await plane.client.create(CertificateSigningRequest, { metadata: { name: 'denied' }, spec });
    const conditions = [{ type: 'Denied', status: 'True' as const, reason: 'Test' }];
    await plane.client.update(CertificateSigningRequest, { ...denied, status: { conditions } }, { subresource: 'approval' });
    const names = async (): Promise<string[]> =>
      (await plane.client.list(CertificateSigningRequest)).items.map(({ metadata }) => metadata.name);
    const pass = async (hours: number): Promise<string[]> => {
      await plane.settle();
      await plane.clock.advance(hours * 3_600_000);
      await plane.settle();
      return names();
    };
    assert.deepEqual([await names(), await pass(2), await pass(21), await pass(2)], [['denied', 'waiting'], ['waiting'], ['waiting'], []]);
  });

  it('fills Secrets with tokens of their accounts, and takes them away with those', async () => {
    await using cluster = await startCluster({ simulated: 1 });
    const { client } = cluster;
    const namespace = 'default';
    await client.create(ServiceAccount, { metadata: { namespace, name: 'robot' }, secrets: [{ name: 'first' }, { name: 'other' }] });
    const annotations = { 'kubernetes.io/service-account.name': 'robot' };
    const type = 'kubernetes.io/service-account-token';
    for (const name of ['first', 'second']) await client.create(Secret, { metadata: { namespace, name, annotations }, type });
    const tokenOf = async (name: string): Promise<string> => {
      const filled = await until(client, Secret, { namespace, name }, (secret) => secret?.data?.['token'] !== undefined);
      assert.deepEqual(Object.keys(filled?.data ?? {}).sort(), ['ca.crt', 'namespace', 'token']);
      return Buffer.from(filled?.data?.['token'] ?? '', 'base64').toString();
    };
    const [first, second] = [await tokenOf('first'), await tokenOf('second')];
    const allowed = await askAs(cluster, { token: first });
    assert.deepEqual([allowed.code, allowed.message.includes('system:serviceaccount:default:robot')], [403, true], allowed.message);

    await client.delete(Secret, { namespace, name: 'first' });
    assert.equal((await askAs(cluster, { token: first })).code, 401);
    await until(client, ServiceAccount, { namespace, name: 'robot' }, (account) => account?.secrets?.length === 1);
    assert.equal((await askAs(cluster, { token: second })).code, 403);
    await client.delete(ServiceAccount, { namespace, name: 'robot' });
    await until(client, Secret, { namespace, name: 'second' }, (secret) => secret === undefined);
    assert.equal((await askAs(cluster, { token: second })).code, 401);
  });
});
