import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterRole, ClusterRoleBinding, Node, Pod } from '../../api/generated/kinds.ts';
import type { StatusError } from '../../api/meta/status-error.ts';
import { controlEndpoints } from '../api-server/control-endpoints.ts';
import { isNodeNameOf } from '../identities.ts';
import { startCluster } from '../start-cluster.ts';
import { planGoneNodes } from './gone-nodes.ts';

const node = (name: string, kubeletVersion = 'v1.36.3'): Node =>
  ({ metadata: { name }, status: { nodeInfo: { kubeletVersion } } }) as unknown as Node;

const rows: readonly { name: string; given: Node; gone: boolean }[] = [
  { name: 'a real one that it has', given: node('a-1'), gone: false },
  { name: 'a real one that it had', given: node('a-2'), gone: true },
  { name: 'a simulated one that it has', given: node('a-simulated-1'), gone: false },
  { name: 'a simulated one that it had', given: node('a-simulated-2'), gone: true },
  { name: 'one by the older name of simulated ones', given: node('a-hollow-1'), gone: true },
  { name: 'another cluster’s', given: node('b-2'), gone: false },
  { name: 'another machine’s', given: node('a-2-simulated-3'), gone: false },
  { name: 'one called at will', given: node('a-zone'), gone: false },
  { name: 'a number that is none of its', given: node('a-02'), gone: false },
  { name: 'one that somebody wrote by hand', given: node('a-2', ''), gone: false },
  { name: 'one that says nothing', given: { metadata: { name: 'a-2' } } as unknown as Node, gone: false },
];
for (const { name, given, gone } of rows) {
  test(`a node is gone? ${name}`, () => {
    const own = new Set(['a-1', 'a-simulated-1']);
    const isOwn = (each: string): boolean => isNodeNameOf('a', each);
    assert.deepEqual(planGoneNodes([given], { own, isOwn }), gone ? [given.metadata.name] : []);
  });
}

test('simulated nodes come and go; those that go take their pods with them', async () => {
  await using cluster = await startCluster({ name: 'g', nodes: 0, simulated: 2 });
  const names = async (): Promise<string[]> => (await cluster.client.list(Node)).items.map(({ metadata }) => metadata.name);
  const pod = (name: string, nodeName: string) => ({
    metadata: { name, namespace: 'default' },
    spec: { nodeName, terminationGracePeriodSeconds: 3600, containers: [{ name: 'c', image: 'i' }] },
  });
  await cluster.setSimulated(4);
  assert.deepEqual([cluster.simulated, await names()], [4, ['g-simulated-1', 'g-simulated-2', 'g-simulated-3', 'g-simulated-4']]);
  for (const [name, nodeName] of [
    ['stays', 'g-simulated-1'],
    ['goes', 'g-simulated-3'],
  ] as const)
    await cluster.client.create(Pod, pod(name, nodeName));
  await Promise.all([cluster.setSimulated(3), cluster.setSimulated(1), cluster.setSimulated(2)]);
  assert.deepEqual([cluster.simulated, await names()], [2, ['g-simulated-1', 'g-simulated-2']]);
  const pods = await cluster.client.list(Pod, { namespace: 'default' });
  assert.deepEqual(
    pods.items.map(({ metadata }) => metadata.name),
    ['stays'],
  );
});

test('what a running cluster is told is for the administrator alone', async () => {
  const resized: number[] = [];
  const [endpoint = assert.fail()] = controlEndpoints({ simulatedNodes: { count: 7, resize: async (count) => void resized.push(count) } });
  const admin = { name: 'a', groups: ['system:masters'] };
  await using cluster = await startCluster({ name: 'g', nodes: 0, simulated: 1 });
  const path = '/timonier.dev/v1/simulated-nodes';
  assert.deepEqual(await cluster.client.raw(path), { count: 1 });
  const any = { apiGroup: 'rbac.authorization.k8s.io', name: 'any' };
  await cluster.client.create(ClusterRole, { metadata: { name: 'any' }, rules: [{ nonResourceURLs: ['*'], verbs: ['*'] }] });
  await cluster.client.create(ClusterRoleBinding, {
    metadata: { name: 'any' },
    roleRef: { ...any, kind: 'ClusterRole' },
    subjects: [{ ...any, kind: 'User', name: 'somebody' }],
  });
  const somebody = cluster.clientFor({ name: 'somebody' });
  for (;;) {
    if (await somebody.raw('/version').then(Boolean, () => false)) break; // the role is known
  }
  await assert.rejects(
    somebody.raw(path),
    (error: StatusError) => error.status.code === 403 && /is for administrators/.test(error.message),
  );
  const told = (count: string, method = 'PUT') =>
    endpoint.handle({ type: 'nonResource', method, path, query: new URLSearchParams({ count }), headers: {} }, { user: admin });
  for (const count of ['', '-1', '1.5', 'many', '20001'])
    await assert.rejects(async () => told(count), /is not a whole number from 0 to 20000/, count);
  await assert.rejects(async () => told('1', 'DELETE'), { code: 405 });
  assert.deepEqual([JSON.parse(String((await told('7')).body)), resized], [{ count: 7 }, [7]]);
});
