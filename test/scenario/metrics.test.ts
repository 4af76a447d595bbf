/** What nodes and pods use, as clients read it from metrics.k8s.io and autoscalers go by it; on simulated nodes. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  APIService,
  ClusterRole,
  Deployment,
  HorizontalPodAutoscaler,
  NodeMetrics,
  Pod,
  PodMetrics,
} from '../../src/api/generated/kinds.ts';
import { isNotFound } from '../../src/api/meta/status-error.ts';
import { bundledKubectl } from '../../src/cli/bundled-kubectl.ts';
import { type Cluster, seededRandom, startCluster, VirtualClock } from '../../src/index.ts';
import { invoke, type Outcome } from '../host/own-cluster.ts';

const namespace = 'default';
const api = { name: 'v1beta1.metrics.k8s.io' };
const runs = { apiVersion: 'v1', kind: 'Pod' } as const;

const twoContainers = (name: string, annotations: Record<string, string>) => ({
  ...runs,
  metadata: { name, namespace, labels: { app: name }, annotations },
  spec: { containers: ['main', 'side'].map((each) => ({ name: each, image: 'app' })) },
});

async function isRunning({ client }: Cluster, name: string): Promise<void> {
  for await (const { object } of client.watch(Pod, { namespace, fieldSelector: `metadata.name=${name}` }))
    if ((object as Pod).status.phase === 'Running') return;
}

describe('the metrics API, asked by kubectl', () => {
  let cluster: Cluster;
  let dir: string;
  const kubectl = async (...args: readonly string[]): Promise<Outcome> =>
    invoke((await bundledKubectl()) ?? '', args, { env: { KUBECONFIG: join(dir, 'kubeconfig') } });
  const lines = async (...args: readonly string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await kubectl(...args);
    assert.equal(code, 0, stderr);
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.trimEnd().replace(/ {2,}/g, ' | '));
  };

  before(async () => {
    cluster = await startCluster({ simulated: 2 });
    dir = await mkdtemp(join(tmpdir(), 'metrics-'));
    await writeFile(join(dir, 'kubeconfig'), cluster.kubeconfig);
    const { client } = cluster;
    await client.create(Pod, twoContainers('busy', { 'timonier.dev/cpu.main': '250m', 'timonier.dev/memory.main': '64Mi' }));
    await client.create(Pod, twoContainers('idle', {}));
    await isRunning(cluster, 'busy');
    await isRunning(cluster, 'idle');
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  it('tells at the first question what pods, their containers and nodes use', async () => {
    assert.deepEqual(await lines('top', 'pods', '--containers'), [
      'POD | NAME | CPU(cores) | MEMORY(bytes)',
      'busy | main | 250m | 64Mi',
      'busy | side | 1m | 8Mi',
      'idle | main | 1m | 8Mi',
      'idle | side | 1m | 8Mi',
    ]);
    assert.deepEqual(await lines('top', 'pods', '-l', 'app=busy'), ['NAME | CPU(cores) | MEMORY(bytes)', 'busy | 251m | 72Mi']);
    assert.deepEqual(await lines('top', 'pod', '--field-selector', 'metadata.name=idle', '--no-headers'), ['idle | 2m | 16Mi']);
    const [head, ...nodes] = await lines('top', 'nodes', '--sort-by=cpu');
    assert.match(head ?? '', /^NAME \| CPU\(cores\) \| CPU\(%\) \| MEMORY\(bytes\) \| MEMORY\(%\)$/);
    assert.equal(nodes.length, 2);
    assert.match(nodes[0] ?? '', /^default-simulated-\d \| 27\dm \| /);
  });

  it('is a resource like others: a table, one object, a fault for what is not there', async () => {
    assert.match((await lines('get', 'podmetrics'))[0] ?? '', /^NAME \| CPU \| MEMORY \| WINDOW$/);
    assert.match((await lines('get', 'nodemetrics', '--no-headers'))[0] ?? '', /^default-simulated-1 \| \d+[mun] \| /);
    const { metadata, containers } = await cluster.client.get(PodMetrics, { namespace, name: 'busy' });
    assert.deepEqual([metadata.labels, containers.length], [{ app: 'busy' }, 2]);
    assert.match(
      (await kubectl('get', '--raw', '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/none')).stderr,
      /pods "none" not found/,
    );
    assert.match((await kubectl('get', 'podmetrics', '-w')).stderr, /the server does not allow this method on the requested resource/);
    assert.match((await kubectl('explain', 'podmetrics.containers.usage')).stdout, /FIELD: usage/);
    assert.match((await lines('get', 'apiservice', api.name, '--no-headers'))[0] ?? '', /Local \| True/);
  });

  it('is for whoever may read it', async () => {
    const { rules = [] } = await cluster.client.get(ClusterRole, { name: 'view' });
    assert.ok(rules?.some(({ apiGroups, resources }) => apiGroups?.includes('metrics.k8s.io') && resources?.includes('pods')));
    assert.match((await kubectl('top', 'pods', '--as=jane')).stderr, /pods\.metrics\.k8s\.io is forbidden: User "jane" cannot list/);
  });

  it('goes with its add-on, and comes back', async () => {
    await cluster.disableAddons(['metrics']);
    assert.match((await kubectl('top', 'nodes')).stderr, /Metrics API not available/);
    await assert.rejects(cluster.client.list(NodeMetrics), isNotFound);
    await cluster.disableAddons([]);
    assert.equal((await lines('top', 'nodes', '--no-headers')).length, 2);
  });

  it('is left to a metrics server that somebody brings, and taken back when that goes', async () => {
    const { client } = cluster;
    const spec = { service: { name: 'metrics-server', namespace: 'kube-system', port: 443 }, insecureSkipTLSVerify: true };
    await client.patch(APIService, api, { type: 'merge', body: { spec } });
    assert.match((await kubectl('get', '--raw', '/apis/metrics.k8s.io/v1beta1/nodes')).stderr, /currently unable to handle the request/);
    await cluster.disableAddons(['metrics']);
    await cluster.disableAddons([]);
    assert.deepEqual(
      [cluster.addons.find(({ name }) => name === 'metrics')?.problem, (await client.get(APIService, api)).spec.service],
      [undefined, spec.service],
    );
    const back = Promise.withResolvers<void>();
    using _seen = client
      .informer(APIService)
      .on({ added: ({ metadata, spec: { service } }) => metadata.name === api.name && !service && back.resolve() });
    await client.delete(APIService, api);
    await back.promise;
    assert.equal((await lines('top', 'nodes', '--no-headers')).length, 2);
  });
});

describe('an autoscaler on a cluster in virtual time', () => {
  it('has more replicas for more load, and fewer when it is gone for five minutes', async () => {
    const clock = new VirtualClock();
    await using cluster = await startCluster({ simulated: 3, clock, random: seededRandom(1) });
    const { client } = cluster;
    const at = { namespace, name: 'shop' };
    const labels = { app: 'shop' };
    const annotations = { 'timonier.dev/load': 'series 0s=50m,5m=800m,20m=50m' };
    const containers = [{ name: 'main', image: 'shop', resources: { requests: { cpu: '200m' } } }];
    await client.create(Deployment, {
      metadata: at,
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels, annotations }, spec: { containers } } },
    });
    const target = { type: 'Utilization', averageUtilization: 50 };
    await client.create(HorizontalPodAutoscaler, {
      metadata: at,
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
        maxReplicas: 10,
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
      },
    });
    const seen: number[] = [];
    for (let minute = 0; minute < 30; minute++) {
      await clock.advance(60_000);
      seen.push((await client.get(Deployment, at)).spec.replicas ?? 0);
    }
    const { status } = await client.get(HorizontalPodAutoscaler, at);
    assert.deepEqual([seen[3], seen[18], seen[29]], [1, 8, 1], `${seen} ${JSON.stringify(status, undefined, 1)}`);
  });
});
