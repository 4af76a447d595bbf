/** Clients that bind and evict the same pods on both servers at once. */
import assert from 'node:assert/strict';
import { Pod, PodDisruptionBudget } from '../../../src/api/generated/kinds.ts';
import { attempt, type World } from './world.ts';

const namespace = 'default';
const conflict = /^409 Conflict: /;
const tooMany = /^429 TooManyRequests: Cannot evict pod as it would violate the pod's disruption budget/;

/** Two schedulers want one pod: one gets it, and it stays where it is. */
export async function bindTwice(world: World, name: string): Promise<void> {
  const { here, there } = world.pick();
  const at = { namespace, name };
  const labels = { app: name };
  await here.create(Pod, { metadata: { ...at, labels }, spec: { containers: [{ name: 'c', image: 'i' }] } });
  const bind = async (client: typeof here, node: string): Promise<string | undefined> => {
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: at, target: { kind: 'Node', name: node } };
    return (await attempt(client.post<object>(Pod, at, 'binding', body), conflict)) && node;
  };
  const bound = (await Promise.all([bind(there, 'one'), bind(here, 'two'), bind(there, 'three')])).filter((node) => node !== undefined);
  assert.equal(bound.length, 1, `bound to ${bound.join()}`);
  for (const client of world.clients) assert.equal((await client.get(Pod, at)).spec.nodeName, bound[0]);
}

/** A budget that allows one disruption, and evictions of all its pods at once. */
export async function evictMany(world: World, name: string): Promise<void> {
  const { here } = world.pick();
  const podsMax = 4;
  const labels = { app: name };
  const names = Array.from({ length: podsMax }, (_, i) => `${name}-${i}`);
  for (const pod of names) {
    const at = { namespace, name: pod };
    await here.create(Pod, { metadata: { ...at, labels }, spec: { nodeName: 'one', containers: [{ name: 'c', image: 'i' }] } });
    const conditions = [{ type: 'Ready', status: 'True' }];
    await here.patch(Pod, at, { type: 'merge', body: { status: { phase: 'Running', conditions } } }, { subresource: 'status' });
  }
  const spec = { minAvailable: podsMax - 1, selector: { matchLabels: labels } };
  const budget = await here.create(PodDisruptionBudget, { metadata: { namespace, name }, spec });
  const status = {
    disruptionsAllowed: 1,
    currentHealthy: podsMax,
    desiredHealthy: podsMax - 1,
    expectedPods: podsMax,
    observedGeneration: budget.metadata.generation ?? 0,
  };
  await here.update(PodDisruptionBudget, { ...budget, status }, { subresource: 'status' });
  const evict = async (pod: string): Promise<string | undefined> => {
    const at = { namespace, name: pod };
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: at, deleteOptions: { gracePeriodSeconds: 0 } };
    return (await attempt(world.pick().here.post<object>(Pod, at, 'eviction', eviction), tooMany)) && pod;
  };
  const evicted = (await Promise.all(names.map(evict))).filter((pod) => pod !== undefined);
  assert.equal(evicted.length, 1, `evicted ${evicted.join()}`);
  for (const client of world.clients) {
    const { items } = await client.list(Pod, { namespace, labelSelector: `app=${name}` });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      names.filter((pod) => pod !== evicted[0]),
    );
    const { disruptionsAllowed, disruptedPods } = (await client.get(PodDisruptionBudget, { namespace, name })).status;
    assert.deepEqual([disruptionsAllowed, Object.keys(disruptedPods ?? {})], [0, evicted]);
  }
}
