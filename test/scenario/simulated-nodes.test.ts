/** What a client of a cluster of simulated nodes sees of their kubelets and pods. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent, request } from 'undici';
import { EndpointSlice, Endpoints, Node, Pod } from '../../src/api/generated/kinds.ts';
import { accessOf, parseKubeconfig } from '../../src/client/kubeconfig.ts';
import { startCluster } from '../../src/index.ts';

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
