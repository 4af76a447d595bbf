/** Add-ons over the life of a cluster: what they bring is put right at each start, and goes when they are switched off. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ClusterRole, ClusterRoleBinding, Service } from '../../src/api/generated/kinds.ts';
import { isNotFound } from '../../src/api/meta/status-error.ts';
import {
  accessOf,
  type Cluster,
  createHTTPClient,
  parseKubeconfig,
  realClock,
  realRandom,
  type StartOptions,
  silentLog,
  startCluster,
} from '../../src/index.ts';

const kubeDNS = { namespace: 'kube-system', name: 'kube-dns' };
const role = { name: 'system:timonier:dns' };

describe('add-ons', () => {
  const home = mkdtempSync(join(tmpdir(), 'timonier-addons-'));
  after(() => rmSync(home, { recursive: true, force: true }));
  let cluster: Cluster;
  const start = async (options: StartOptions = {}): Promise<void> => {
    cluster = await startCluster({ name: 'addons', port: 0, dataDir: join(home, 'a'), ...options });
  };
  before(() => start());
  after(() => cluster.stop());

  async function restart(options?: StartOptions): Promise<void> {
    await cluster.stop();
    await start(options);
  }
  const isOn = (): boolean | undefined => cluster.addons.find(({ name }) => name === 'dns')?.on;
  async function isThere(): Promise<boolean[]> {
    const asked = [
      cluster.client.get(Service, kubeDNS),
      cluster.client.get(ClusterRole, role),
      cluster.client.get(ClusterRoleBinding, role),
    ];
    const answers = await Promise.allSettled<unknown>(asked);
    for (const each of answers) assert.ok(each.status === 'fulfilled' || isNotFound(each.reason));
    return answers.map(({ status }) => status === 'fulfilled');
  }

  it('bring their objects and rights, as theirs', async () => {
    assert.deepEqual([isOn(), await isThere()], [true, [true, true, true]]);
    await using client = createHTTPClient({
      ...(await accessOf(await parseKubeconfig(cluster.kubeconfig))),
      clock: realClock,
      random: realRandom,
      log: silentLog,
    });
    const { metadata } = await client.get(Service, kubeDNS);
    assert.equal(metadata.labels?.['timonier.dev/addon'], 'dns');
    assert.ok(metadata.managedFields?.some(({ manager, operation }) => manager === 'timonier-addon-dns' && operation === 'Apply'));
  });

  it('put right at each start what another release, or somebody, has made of them; what others added stays', async () => {
    const [ports, rules] = [(await cluster.client.get(Service, kubeDNS)).spec.ports, (await cluster.client.get(ClusterRole, role)).rules];
    const changed = { metadata: { labels: { team: 'a', 'k8s-app': 'other' } }, spec: { ports: [{ name: 'a', port: 1, protocol: 'UDP' }] } };
    await cluster.client.patch(Service, kubeDNS, { type: 'merge', body: changed });
    await cluster.client.patch(ClusterRole, role, { type: 'merge', body: { rules: [] } });
    await restart();
    const { metadata, spec } = await cluster.client.get(Service, kubeDNS);
    assert.deepEqual([metadata.labels?.['team'], metadata.labels?.['k8s-app']], ['a', 'kube-dns']);
    assert.deepEqual(
      spec.ports?.filter(({ port }) => port !== 1),
      ports,
    );
    assert.deepEqual((await cluster.client.get(ClusterRole, role)).rules, rules);
  });

  it('write nothing at a start that finds them as they are', async () => {
    const version = async (): Promise<unknown> => (await cluster.client.get(Service, kubeDNS)).metadata.resourceVersion;
    const before = await version();
    await restart();
    assert.equal(await version(), before);
  });

  it('that fail do not keep the cluster from its start, and say why', async () => {
    await cluster.client.patch(Service, kubeDNS, { type: 'merge', body: { spec: { ports: [{ port: 1, protocol: 'UDP' }] } } });
    await restart();
    assert.match(cluster.addons[0]?.problem ?? '', /spec\.ports\[0\]\.name: Required value/);
    await assert.rejects(cluster.disableAddons([]), /Required value/);
    await cluster.client.delete(Service, kubeDNS);
    await cluster.disableAddons([]);
    assert.deepEqual([isOn(), cluster.addons[0]?.problem, await isThere()], [true, undefined, [true, true, true]]);
  });

  it('go, with what they brought, while the cluster runs, and come back', async () => {
    await cluster.disableAddons(['dns']);
    assert.deepEqual([isOn(), await isThere()], [false, [false, false, false]]);
    await cluster.disableAddons([]);
    assert.deepEqual([isOn(), await isThere()], [true, [true, true, true]]);
  });

  it('do not come where the settings say that they are off, and what an earlier start brought goes', async () => {
    await restart({ disable: ['dns'] });
    assert.deepEqual([isOn(), await isThere()], [false, [false, false, false]]);
  });

  it('leave what somebody else has put in their place, and say so', async () => {
    const selector = { app: 'my-dns' };
    const spec = { clusterIP: '10.96.0.10', selector, ports: [{ port: 53, protocol: 'UDP' as const }] };
    const { metadata } = await cluster.client.create(Service, { metadata: kubeDNS, spec });
    await restart({ disable: ['dns'] });
    assert.deepEqual(await isThere(), [true, false, false]);
    await assert.rejects(cluster.disableAddons([]), /Service kube-system\/kube-dns is somebody else's: delete it, or switch dns off/);
    await cluster.disableAddons(['dns']);
    const { metadata: now, spec: left } = await cluster.client.get(Service, kubeDNS);
    assert.deepEqual([now.uid, left.selector, left.ports?.length], [metadata.uid, selector, 1]);
    await cluster.client.delete(Service, kubeDNS);
    await cluster.disableAddons([]);
    assert.deepEqual(await isThere(), [true, true, true]);
  });

  it('bring back what somebody deletes', async () => {
    const { metadata } = await cluster.client.get(Service, kubeDNS);
    const seen = Promise.withResolvers<void>();
    const added = ({ metadata: { name, uid } }: Service): void => {
      if (name === kubeDNS.name && uid !== metadata.uid) seen.resolve();
    };
    using _handler = cluster.client.informer(Service).on({ added });
    await cluster.client.patch(Service, kubeDNS, { type: 'merge', body: { metadata: { finalizers: ['a.b/c'] } } });
    await cluster.disableAddons(['dns']);
    await cluster.disableAddons([]);
    await cluster.client.patch(Service, kubeDNS, { type: 'merge', body: { metadata: { finalizers: null } } });
    await seen.promise;
    assert.deepEqual([isOn(), cluster.addons[0]?.problem], [true, undefined]);
  });

  it('are known by their names', async () => {
    await assert.rejects(async () => cluster.disableAddons(['nginx']), /there is no add-on "nginx"/);
    await assert.rejects(startCluster({ disable: ['nginx'] }), {
      message: /disable: there is no add-on "nginx"/,
      fix: /^the add-ons are: dns, /,
    });
  });
});
