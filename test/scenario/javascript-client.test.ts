/** The official JavaScript client, unmodified, against a cluster in this process, over HTTPS with its kubeconfig. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Pod,
  type V1Status,
  VersionApi,
} from '@kubernetes/client-node';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { startCluster } from '../../src/cluster/start-cluster.ts';

const namespace = 'default';

/** A stream that keeps what it is given. */
function collector(): { readonly sink: Writable; said(): string } {
  let text = '';
  const sink = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  return { sink, said: () => text };
}

describe('the JavaScript client', () => {
  let cluster: Cluster;
  const config = new KubeConfig();
  before(async () => {
    cluster = await startCluster({ simulated: 1 });
    config.loadFromString(cluster.kubeconfig);
  });
  after(() => cluster.stop());

  it('knows the version', async () => {
    assert.match((await config.makeApiClient(VersionApi).getCode()).gitVersion, /^v1\.36\./);
  });

  it('creates, reads, patches and deletes, and is told what is wrong', async () => {
    const core = config.makeApiClient(CoreV1Api);
    const created = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'menu' }, data: { bread: 'fresh' } } });
    assert.ok(created.metadata?.creationTimestamp instanceof Date);
    const patched = await core.patchNamespacedConfigMap(
      { namespace, name: 'menu', body: { data: { cake: 'sweet' } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    assert.deepEqual(patched.data, { bread: 'fresh', cake: 'sweet' });
    await assert.rejects(core.replaceNamespacedConfigMap({ namespace, name: 'menu', body: created }), (error) => {
      assert.ok(error instanceof ApiException);
      assert.equal(error.code, 409);
      assert.match(String(error.body), /the object has been modified; please apply your changes to the latest version and try again/);
      return true;
    });
    assert.equal((await core.deleteNamespacedConfigMap({ namespace, name: 'menu' })).status, 'Success');
    await assert.rejects(core.readNamespacedConfigMap({ namespace, name: 'menu' }), { code: 404 });
  });

  it('finds kinds by discovery', async () => {
    const objects = KubernetesObjectApi.makeApiClient(config);
    const spec = {
      selector: { matchLabels: { app: 'front' } },
      template: { metadata: { labels: { app: 'front' } }, spec: { containers: [{ name: 'front', image: 'bakery' }] } },
    };
    await objects.create({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'front', namespace }, spec } as object);
    const apps = config.makeApiClient(AppsV1Api);
    assert.equal((await apps.readNamespacedDeployment({ namespace, name: 'front' })).spec?.replicas, 1);
  });

  it('watches with an informer, and reads the log of the pod that it saw become ready', async () => {
    const core = config.makeApiClient(CoreV1Api);
    const list = () => core.listNamespacedPod({ namespace });
    const informer = makeInformer<V1Pod>(config, `/api/v1/namespaces/${namespace}/pods`, list);
    const { promise, resolve } = Promise.withResolvers<V1Pod>();
    const look = (pod: V1Pod): void => {
      if (pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) resolve(pod);
    };
    informer.on('add', look);
    informer.on('update', look);
    await informer.start();
    const pod = await promise;
    await informer.stop();
    const { sink, said } = collector();
    const ended = once(sink, 'finish');
    await new Log(config).log(namespace, pod.metadata?.name ?? '', 'front', sink, { follow: false });
    await ended;
    assert.ok(said().length > 0);
  });

  it('runs commands, with input and exit code', async () => {
    const core = config.makeApiClient(CoreV1Api);
    const [pod] = (await core.listNamespacedPod({ namespace })).items;
    const run = async (command: readonly string[], stdin: Readable | null): Promise<string> => {
      const { sink, said } = collector();
      const { promise, resolve } = Promise.withResolvers<V1Status>();
      await new Exec(config).exec(namespace, pod?.metadata?.name ?? '', 'front', [...command], sink, null, stdin, false, resolve);
      const { status, details } = await promise;
      return `${said()} ${status} ${details?.causes?.[0]?.message ?? ''}`.trim();
    };
    assert.equal(await run(['cat'], Readable.from(['flour'])), 'flour Success');
    assert.equal(await run(['sh', '-c', 'exit 3'], null), 'Failure 3');
  });

  it('follows a list in pages', async () => {
    const core = config.makeApiClient(CoreV1Api);
    for (const name of ['a', 'b', 'c']) {
      await core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels: { page: 'yes' } } } });
    }
    const found: V1ConfigMap[] = [];
    let next: string | undefined;
    do {
      const { items, metadata } = await core.listNamespacedConfigMap({
        namespace,
        labelSelector: 'page',
        limit: 2,
        ...(next && { _continue: next }),
      });
      found.push(...items);
      next = metadata?._continue;
    } while (next);
    assert.deepEqual(
      found.map((item) => item.metadata?.name),
      ['a', 'b', 'c'],
    );
  });
});
