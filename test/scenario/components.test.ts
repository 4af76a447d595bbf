/** Components of one cluster in several processes: here several calls, which meet by HTTPS alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lease, Node, Pod, Service, ServiceAccount } from '../../src/api/generated/kinds.ts';
import type { KindRef, KubeObject } from '../../src/api/meta/object.ts';
import type { Client } from '../../src/client/client.ts';
import { accessOf, parseKubeconfig } from '../../src/client/files/kubeconfig.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import type { ComponentName } from '../../src/cluster/component-names.ts';
import { startCluster } from '../../src/index.ts';

const timeoutMs = 20_000;

/** The first object of which it is true. */
async function seen<T extends KubeObject>(client: Client, kind: KindRef<T>, isIt: (object: T) => boolean): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs);
  for await (const { type, object } of client.watch(kind, { signal })) if (type !== 'BOOKMARK' && isIt(object as T)) return object as T;
  throw new Error(`no such ${kind.kind}`);
}

async function beside(cluster: Cluster, components: readonly ComponentName[], name: string): Promise<Cluster> {
  const access = await accessOf(await parseKubeconfig(cluster.kubeconfig));
  return startCluster({ components, access, name, simulated: 2 });
}

const holderOf = async (client: Client, name: string): Promise<string | undefined> =>
  (await client.get(Lease, { namespace: 'kube-system', name })).spec?.holderIdentity;

test('a cluster without components is served by those of other processes, which take turns', async () => {
  await using home = await startCluster({ components: ['api-server', 'controllers'], name: 'home' });
  const { client } = home;
  assert.deepEqual((await client.list(Node)).items, []);
  assert.equal(await holderOf(client, 'kube-controller-manager'), 'timonier_home');
  await client.create(Pod, { metadata: { name: 'early', namespace: 'default' }, spec: { containers: [{ name: 'a', image: 'a' }] } });

  await using nodes = await beside(home, ['kubelet', 'dns'], 'far');
  assert.deepEqual(
    { nodes: nodes.nodes, simulated: nodes.simulated, server: nodes.server },
    { nodes: 0, simulated: 2, server: home.server },
  );
  assert.deepEqual((await client.list(Node)).items.map(({ metadata }) => metadata.name).sort(), ['far-simulated-1', 'far-simulated-2']);
  assert.ok(await client.get(Service, { namespace: 'kube-system', name: 'kube-dns' }));

  const first = await beside(home, ['scheduler'], 'first');
  await seen(client, Pod, ({ metadata, status }) => metadata.name === 'early' && status.phase === 'Running');
  const holder = await holderOf(client, 'kube-scheduler');
  await using _second = await beside(home, ['scheduler', 'controllers'], 'second');
  assert.equal(await holderOf(client, 'kube-scheduler'), holder);
  assert.equal(await holderOf(client, 'kube-controller-manager'), 'timonier_home');

  await first.stop();
  await client.create(Pod, { metadata: { name: 'late', namespace: 'default' }, spec: { containers: [{ name: 'a', image: 'a' }] } });
  await seen(client, Pod, ({ metadata, status }) => metadata.name === 'late' && status.phase === 'Running');
  assert.notEqual(await holderOf(client, 'kube-scheduler'), holder);
});

test('what is left out does not start', async () => {
  await using cluster = await startCluster({ components: ['api-server', 'scheduler'] });
  assert.deepEqual((await cluster.client.list(ServiceAccount)).items, []);
  assert.deepEqual(
    (await cluster.client.list(Lease, { namespace: 'kube-system' })).items.map(({ metadata }) => metadata.name),
    ['kube-scheduler'],
  );
});

test('components need an API server', async () => {
  await assert.rejects(startCluster({ components: ['scheduler'] }), { code: 'bad-config' });
  const access = { server: 'https://127.0.0.1:1' };
  await assert.rejects(startCluster({ components: ['scheduler'], access }), { code: 'no-api-server' });
});
