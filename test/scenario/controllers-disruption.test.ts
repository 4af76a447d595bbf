/** Budgets of a ReplicaSet's pods. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event, PodDisruptionBudget, ReplicaSet } from '../../src/api/generated/kinds.ts';
import { disruptionController } from '../../src/control-plane/controllers/pods/disruption.ts';
import { replicaSetController } from '../../src/control-plane/controllers/workloads/replica-set.ts';
import { startControlPlane, testNode } from './control-plane.ts';

test('a budget counts what is healthy; a pod of two budgets is told of', async () => {
  await using plane = await startControlPlane([replicaSetController, disruptionController, testNode()]);
  const { client } = plane;
  const namespace = 'default';
  const selector = { matchLabels: { app: 'web' } };
  const budget = (name: string) =>
    client.create(PodDisruptionBudget, { metadata: { namespace, name }, spec: { minAvailable: 2, selector } });
  const events = async (): Promise<readonly string[]> =>
    (await client.list(Event, { namespace })).items
      .filter(({ reason }) => reason === 'MultiplePodDisruptionBudgets')
      .map((event) => event.message ?? '');
  await budget('one');
  const template = { metadata: { labels: selector.matchLabels }, spec: { containers: [{ name: 'main', image: 'web' }] } };
  await client.create(ReplicaSet, { metadata: { namespace, name: 'web' }, spec: { replicas: 3, selector, template } });
  await plane.settle();
  const { status } = await client.get(PodDisruptionBudget, { namespace, name: 'one' });
  assert.deepEqual([status?.expectedPods, status?.currentHealthy, status?.desiredHealthy, status?.disruptionsAllowed], [3, 3, 2, 1]);
  assert.deepEqual(await events(), []);
  await budget('two');
  await client.patch(ReplicaSet, { namespace, name: 'web' }, { type: 'merge', body: { spec: { replicas: 4 } } });
  await plane.settle();
  const [first = ''] = await events();
  assert.match(first, /^Pod "default"\/"web-\w{5}" matches multiple PodDisruptionBudgets\. {2}Chose "(one|two)" arbitrarily\.$/);
});
