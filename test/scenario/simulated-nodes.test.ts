/** What a client of a cluster of simulated nodes sees of their kubelets and pods. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent, request } from 'undici';
import type { Container, NodeCondition, PodSpec, Volume } from '../../src/api/generated/core-v1.ts';
import { ConfigMap, EndpointSlice, Endpoints, Event, Node, Pod, Secret } from '../../src/api/generated/kinds.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import { accessOf, parseKubeconfig } from '../../src/client/files/kubeconfig.ts';
import { startCluster, VirtualClock } from '../../src/index.ts';

test('simulated pods have logs, and nothing is sent to their addresses', async () => {
  await using cluster = await startCluster({ simulated: 1 });
  const { server, ca, cert, key } = await accessOf(await parseKubeconfig(cluster.kubeconfig));
  await using stack = new AsyncDisposableStack();
  const dispatcher = new Agent({ connect: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } });
  stack.defer(() => dispatcher.close());
  const ask = async (path: string): Promise<string> => (await request(`${server}${path}`, { dispatcher })).body.text();

  const at = { name: 'talker', namespace: 'default' };
  const containers = [{ name: 'main', image: 'busybox', command: ['sh', '-c', 'echo one; echo two; sleep 1h'] }];
  await cluster.client.create(Pod, { metadata: at, spec: { containers } });
  for await (const { object } of cluster.client.watch(Pod, { namespace: at.namespace })) {
    if ((object as Pod).status.phase === 'Running') break;
  }
  const pod = '/api/v1/namespaces/default/pods/talker';
  assert.equal(await ask(`${pod}/log`), 'one\ntwo\n');
  assert.equal(await ask(`${pod}/log?tailLines=1`), 'two\n');
  assert.match(await ask(`${pod}/proxy/`), /"message":"pod \\"talker\\" is on a simulated node: nothing listens there"/);
  assert.match(await ask('/readyz?verbose'), /^\[\+\]poststarthook\/rbac\/bootstrap-roles ok$/m);
  const node = '/api/v1/nodes/default-simulated-1';
  assert.equal(await ask(`${node}/proxy/healthz`), 'ok');
  assert.equal(await ask(`${node}:10250/proxy/healthz`), 'ok');
  assert.match(await ask(`${node}:9100/proxy/`), /port 9100 is on a simulated node: nothing listens there/);
});

test('the Service of the API has its endpoint', async () => {
  await using cluster = await startCluster({ simulated: 1 });
  const at = { namespace: 'default', name: 'kubernetes' };
  const { subsets } = await cluster.client.get(Endpoints, at);
  const { endpoints, ports } = await cluster.client.get(EndpointSlice, at);
  // a place on paper, like the pods that would go there: it is the same in every run
  assert.deepEqual([subsets?.[0]?.ports?.[0]?.port, ports?.[0]?.port], [6443, 6443]);
  assert.deepEqual(
    subsets?.[0]?.addresses?.map(({ ip }) => ip),
    endpoints?.[0]?.addresses,
  );
});

test('what somebody says that a node has can be asked for', async () => {
  await using cluster = await startCluster({ simulated: 1 });
  const { client } = cluster;
  const resource = 'example.com/dongle';
  const [node] = (await client.list(Node)).items;
  const say = (count: string | null) =>
    client.patch(
      Node,
      { name: node?.metadata.name ?? '' },
      { type: 'merge', body: { status: { capacity: { [resource]: count } } } },
      { subresource: 'status' },
    );
  await say('3');
  const resources = { requests: { [resource]: '3' }, limits: { [resource]: '3' } };
  const containers = [{ name: 'main', image: 'busybox', resources }];
  await client.create(Pod, { metadata: { name: 'asking', namespace: 'default' }, spec: { containers } });
  for await (const { object } of client.watch(Pod, { namespace: 'default' })) if ((object as Pod).status.phase === 'Running') break;
  await say(null);
  for await (const { object } of client.watch(Node)) if ((object as Node).status.allocatable?.[resource] === undefined) break;
});

test('a pod waits for the ConfigMaps and Secrets that it names', async (t) => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ simulated: 1, clock });
  const { client } = cluster;
  const withEnv = (more: Partial<Container>): PodSpec => ({ containers: [{ name: 'main', image: 'i', ...more }] });
  const variable = (valueFrom: NonNullable<Container['env']>[number]['valueFrom']): PodSpec =>
    withEnv({ env: [{ name: 'A', ...(valueFrom && { valueFrom }) }] });
  const mounting = (source: Partial<Volume>): PodSpec => ({
    ...withEnv({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
    volumes: [{ name: 'v', ...source }],
  });
  const config = (message: string) => ({ reason: 'CreateContainerConfigError', event: `Failed: Error: ${message}` });
  const mount = (message: string) => ({
    reason: 'ContainerCreating',
    event: `FailedMount: MountVolume.SetUp failed for volume "v" : ${message}`,
  });
  const items = [{ key: 'k', path: 'k' }];
  const optional = true;
  const rows: readonly { readonly name: string; readonly spec: PodSpec; readonly waits?: ReturnType<typeof config> }[] = [
    { name: 'cm-key', spec: variable({ configMapKeyRef: { name: 'cm-key', key: 'k' } }), waits: config('configmap "cm-key" not found') },
    { name: 's-key', spec: variable({ secretKeyRef: { name: 's-key', key: 'k' } }), waits: config('secret "s-key" not found') },
    { name: 'cm-all', spec: withEnv({ envFrom: [{ configMapRef: { name: 'cm-all' } }] }), waits: config('configmap "cm-all" not found') },
    { name: 's-all', spec: withEnv({ envFrom: [{ secretRef: { name: 's-all' } }] }), waits: config('secret "s-all" not found') },
    { name: 'cm-files', spec: mounting({ configMap: { name: 'cm-files' } }), waits: mount('configmap "cm-files" not found') },
    { name: 's-files', spec: mounting({ secret: { secretName: 's-files' } }), waits: mount('secret "s-files" not found') },
    {
      name: 'cm-mix',
      spec: mounting({ projected: { sources: [{ configMap: { name: 'cm-mix' } }] } }),
      waits: mount('configmap "cm-mix" not found'),
    },
    {
      name: 's-mix',
      spec: mounting({ projected: { sources: [{ secret: { name: 's-mix' } }] } }),
      waits: mount('secret "s-mix" not found'),
    },
    {
      name: 'cm-one-file',
      spec: mounting({ configMap: { name: 'has-nothing', items } }),
      waits: mount('configmap references non-existent config key: k'),
    },
    {
      name: 's-one-key',
      spec: variable({ secretKeyRef: { name: 'has-nothing', key: 'k' } }),
      waits: config("couldn't find key k in Secret default/has-nothing"),
    },
    { name: 'may-lack-a-key', spec: variable({ configMapKeyRef: { name: 'never', key: 'k', optional } }) },
    { name: 'may-lack-variables', spec: withEnv({ envFrom: [{ secretRef: { name: 'never', optional } }] }) },
    { name: 'may-lack-files', spec: mounting({ configMap: { name: 'never', optional } }) },
    { name: 'mounts-nothing', spec: { ...withEnv({}), volumes: [{ name: 'v', configMap: { name: 'never' } }] } },
    { name: 'pulls-without', spec: { ...withEnv({}), imagePullSecrets: [{ name: 'never' }] } },
    {
      name: 'other-volumes',
      spec: { ...mounting({ hostPath: { path: '/nowhere', type: 'Directory' } }), ...{ serviceAccountName: 'default' } },
    },
  ];
  await client.create(ConfigMap, { metadata: { name: 'has-nothing', namespace: 'default' } });
  await client.create(Secret, { metadata: { name: 'has-nothing', namespace: 'default' } });
  for (const { name, spec } of rows) await client.create(Pod, { metadata: { name, namespace: 'default' }, spec });
  await clock.advance(2_000);
  const events = (await client.list(Event, { namespace: 'default' })).items;
  const waiting = async (name: string): Promise<string | undefined> => {
    const { status } = await client.get(Pod, { namespace: 'default', name });
    return status.containerStatuses?.[0]?.state?.waiting?.reason ?? status.phase;
  };
  for (const { name, waits } of rows)
    await t.test(name, async () => {
      assert.equal(await waiting(name), waits?.reason ?? 'Running');
      const told = events.filter((e) => e.involvedObject.name === name).map((e) => `${e.reason}: ${e.message}`);
      assert.ok(!waits || told.includes(waits.event), told.join('\n'));
    });
  for (const { name, waits } of rows) {
    if (!waits || name.includes('-one-')) continue;
    const object = { metadata: { name, namespace: 'default' }, data: { k: 'eA==' } };
    if (name.startsWith('cm')) await client.create(ConfigMap, object);
    else await client.create(Secret, object);
  }
  const filled = { type: 'merge', body: { data: { k: 'eA==' } } } as const;
  await client.patch(ConfigMap, { name: 'has-nothing', namespace: 'default' }, filled);
  await client.patch(Secret, { name: 'has-nothing', namespace: 'default' }, filled);
  await clock.advance(15_000);
  const left = await Promise.all(rows.map(async ({ name }) => `${name} ${await waiting(name)}`));
  assert.deepEqual(
    left.filter((line) => !line.endsWith(' Running')),
    [],
    'all start when it comes',
  );
});

test('a kubelet writes again what others wrote into the status of its node, and leaves alone what is theirs', async () => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ simulated: 2, clock });
  const { client } = cluster;
  const name = 'default-simulated-2';
  const ready = async (): Promise<string> => {
    const { status, reason } = findCondition((await client.get(Node, { name })).status.conditions, 'Ready') ?? {};
    return `${status} ${reason}`;
  };
  const say = async (status: unknown) => client.patch(Node, { name }, { type: 'strategic', body: { status } }, { subresource: 'status' });
  const condition = (type: string, status: NodeCondition['status']) => ({ type, status, reason: 'SaidSo' });
  await clock.advance(60_000);
  const rows: readonly { readonly status: NodeCondition['status'] }[] = [{ status: 'False' }, { status: 'Unknown' }, { status: 'True' }];
  for (const { status } of rows) {
    await say({ conditions: [condition('Ready', status)] });
    assert.equal(await ready(), `${status} SaidSo`);
    await clock.advance(11_000);
    assert.equal(await ready(), 'True KubeletReady');
  }
  await say({ capacity: { pods: '1' }, addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] });
  const taints = [{ key: 'theirs', effect: 'NoSchedule' }];
  await client.patch(Node, { name }, { type: 'merge', body: { metadata: { labels: { theirs: 'yes' } }, spec: { taints } } });
  await say({ conditions: [condition('Theirs', 'True'), condition('MemoryPressure', 'True')], capacity: { 'example.com/gpu': '2' } });
  await clock.advance(11_000);
  const { metadata, spec, status } = await client.get(Node, { name });
  assert.deepEqual(
    [status.capacity?.['pods'], status.addresses?.[0]?.address, findCondition(status.conditions, 'MemoryPressure')?.status],
    ['110', '198.18.0.2', 'False'],
  );
  assert.deepEqual(
    [status.capacity?.['example.com/gpu'], findCondition(status.conditions, 'Theirs')?.status, spec.taints, metadata.labels?.['theirs']],
    ['2', 'True', taints, 'yes'],
  );
  const { resourceVersion } = metadata;
  await clock.advance(60_000);
  assert.equal((await client.get(Node, { name })).metadata.resourceVersion, resourceVersion, 'nothing is written while nothing changes');
});
