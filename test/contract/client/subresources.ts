/** Parts of objects: status, scale, binding, eviction. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConfigMap, Deployment, Pod, PodDisruptionBudget } from '../../../src/api/generated/kinds.ts';
import { configMap, describeRefusal, type Implementation, refusal } from './clients.ts';
import { deployment } from './writes.ts';

const at = { namespace: 'default', name: 'a' };
const pod = { metadata: { ...at, labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };

export function testSubresources({ start }: Implementation): void {
  it('writes status and nothing else, and everything else but status', async () => {
    await using running = await start();
    const { client } = running;
    const made = await client.create(Deployment, { ...deployment(), status: { replicas: 9 } });
    assert.equal(made.status?.replicas, undefined);
    const reported = await client.update(
      Deployment,
      { ...made, spec: { ...made.spec, replicas: 7 }, status: { replicas: 2 } },
      { subresource: 'status' },
    );
    assert.equal(reported.spec.replicas, made.spec.replicas);
    assert.equal(reported.status?.replicas, 2);
    const changed = await client.update(Deployment, { ...reported, spec: { ...reported.spec, replicas: 7 }, status: {} });
    assert.equal(changed.spec.replicas, 7);
    assert.equal(changed.status?.replicas, 2);
    assert.match(await describeRefusal(client.update(ConfigMap, configMap('a'), { subresource: 'status' })), /^404/);
  });

  it('scales', async () => {
    await using running = await start();
    const { client } = running;
    await client.create(Deployment, deployment());
    const scaled = await client.patch(Deployment, at, { type: 'merge', body: { spec: { replicas: 4 } } }, { subresource: 'scale' });
    assert.equal(scaled.kind, 'Scale');
    assert.deepEqual(scaled.spec, { replicas: 4 });
    const scale: { spec?: unknown } = await client.get(Deployment, at, { subresource: 'scale' });
    assert.deepEqual([scaled.kind, scale.spec], ['Scale', { replicas: 4 }]);
    assert.equal((await client.get(Deployment, at)).spec.replicas, 4);
    const negative = client.patch(Deployment, at, { type: 'merge', body: { spec: { replicas: -1 } } }, { subresource: 'scale' });
    assert.match(
      await describeRefusal(negative),
      /^422 Invalid: Scale.autoscaling "a" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0/,
    );
  });

  it('binds a pod once', async () => {
    await using running = await start();
    const { client } = running;
    await client.create(Pod, pod);
    const bind = (node: string) => client.post(Pod, at, 'binding', { metadata: at, target: { kind: 'Node', name: node } });
    await bind('one');
    const bound = await client.get(Pod, at);
    assert.equal(bound.spec.nodeName, 'one');
    assert.equal(bound.status?.conditions?.find((c) => c.type === 'PodScheduled')?.status, 'True');
    assert.equal(
      await describeRefusal(bind('two')),
      '409 Conflict: Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "one"',
    );
  });

  it('evicts as far as the budget goes', async () => {
    await using running = await start();
    const { client } = running;
    await client.create(Pod, { ...pod, spec: { ...pod.spec, nodeName: 'n' } });
    const running_ = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await client.patch(Pod, at, { type: 'merge', body: { status: running_ } }, { subresource: 'status' });
    const budget = await client.create(PodDisruptionBudget, {
      metadata: at,
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'a' } } },
    });
    const status = {
      observedGeneration: budget.metadata.generation ?? 1,
      disruptionsAllowed: 0,
      currentHealthy: 1,
      desiredHealthy: 1,
      expectedPods: 1,
    };
    await client.patch(PodDisruptionBudget, at, { type: 'merge', body: { status } }, { subresource: 'status' });
    const evict = () => client.post(Pod, at, 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: at });
    const refused = await refusal(evict());
    assert.equal(refused.code, 429);
    assert.deepEqual(refused.status.details?.causes, [
      { reason: 'DisruptionBudget', message: 'The disruption budget a needs 1 healthy pods and has 1 currently' },
    ]);
    await client.patch(PodDisruptionBudget, at, { type: 'merge', body: { status: { disruptionsAllowed: 1 } } }, { subresource: 'status' });
    await evict();
    const evicted = await client.get(Pod, at);
    assert.ok(evicted.metadata.deletionTimestamp);
    assert.equal(evicted.status?.conditions?.find((c) => c.type === 'DisruptionTarget')?.reason, 'EvictionByEvictionAPI');
    const spent = await client.get(PodDisruptionBudget, at);
    assert.equal(spent.status?.disruptionsAllowed, 0);
    assert.deepEqual(Object.keys(spent.status?.disruptedPods ?? {}), ['a']);
  });
}
