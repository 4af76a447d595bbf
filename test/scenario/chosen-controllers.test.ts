/**
 * A cluster with chosen controllers and admission plugins: what suites that were written for an API server alone
 * (envtest) count on.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap, Namespace, Pod, ReplicaSet, ResourceQuota, ServiceAccount } from '../../src/api/generated/kinds.ts';
import { isForbidden, isNotFound } from '../../src/api/meta/status-error.ts';
import { VirtualClock } from '../../src/client/virtual-clock.ts';
import type { Cluster, StartOptions } from '../../src/cluster/cluster.ts';
import { startCluster } from '../../src/index.ts';

const namespace = 'suite';
const containers = [{ name: 'a', image: 'a' }];
const minuteMs = 60_000;

async function withCluster(options: StartOptions, body: (cluster: Cluster, pass: () => Promise<void>) => Promise<void>): Promise<void> {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ nodes: 0, simulated: 0, clock, ...options });
  await cluster.client.create(Namespace, { metadata: { name: namespace }, spec: {} });
  await body(cluster, () => clock.advance(minuteMs));
}

test('without controllers a namespace stays Terminating, and nothing follows its owner', async () => {
  await withCluster({ controllers: ['none'], disableAdmissionPlugins: ['ServiceAccount'] }, async ({ client }, pass) => {
    await client.create(Pod, { metadata: { name: 'p', namespace }, spec: { containers } });
    const { spec } = await client.get(Pod, { namespace, name: 'p' });
    assert.deepEqual([spec.serviceAccountName, spec.volumes], [undefined, undefined]);
    const { metadata: owner } = await client.create(ConfigMap, { metadata: { name: 'owner', namespace } });
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: owner.name, uid: owner.uid }];
    await client.create(ConfigMap, { metadata: { name: 'owned', namespace, ownerReferences } });
    await client.delete(ConfigMap, { namespace, name: 'owner' });
    await client.delete(Namespace, { name: namespace });
    await pass();
    assert.ok(await client.get(ConfigMap, { namespace, name: 'owned' }));
    assert.equal((await client.get(Namespace, { name: namespace })).status.phase, 'Terminating');
    assert.deepEqual((await client.list(ServiceAccount)).items, []);
  });
});

test('with controllers it does not', async () => {
  await withCluster({}, async ({ client }, pass) => {
    await client.delete(Namespace, { name: namespace });
    await pass();
    await assert.rejects(client.get(Namespace, { name: namespace }), isNotFound);
  });
});

test('with the plugin ServiceAccount a pod needs its account', async () => {
  await withCluster({ controllers: [] }, async ({ client, name }, pass) => {
    assert.equal(name, 'default');
    const created = client.create(Pod, { metadata: { name: 'p', namespace }, spec: { containers } });
    created.catch(() => undefined);
    await pass(); // it is held for a moment
    await assert.rejects(created, isForbidden);
  });
});

test('some controllers run, others do not', async () => {
  await withCluster({ controllers: ['replicaset', 'serviceaccount'] }, async ({ client }, pass) => {
    const labels = { app: 'a' };
    const spec = { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } };
    await client.create(ReplicaSet, { metadata: { name: 'r', namespace }, spec });
    await pass();
    assert.equal((await client.list(Pod, { namespace })).items.length, 2);
    await client.delete(ReplicaSet, { namespace, name: 'r' }, { propagationPolicy: 'Background' });
    await pass();
    assert.equal((await client.list(Pod, { namespace })).items.length, 2);
  });
});

test('quotas hold unless their plugin is off', async () => {
  for (const disableAdmissionPlugins of [[], ['ResourceQuota']])
    await withCluster({ disableAdmissionPlugins }, async ({ client }, pass) => {
      await client.create(ResourceQuota, { metadata: { name: 'q', namespace }, spec: { hard: { 'count/configmaps': '1' } } });
      await pass(); // kube-root-ca.crt is one
      const second = client.create(ConfigMap, { metadata: { name: 'c', namespace } });
      await (disableAdmissionPlugins.length > 0 ? second : assert.rejects(second, isForbidden));
    });
});
