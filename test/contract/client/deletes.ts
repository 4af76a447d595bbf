/** Deletes: at once, by grace, by finalizers, by selection. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConfigMap, Job, Namespace, Pod } from '../../../src/api/generated/kinds.ts';
import type { KubeObject, New } from '../../../src/api/meta/object.ts';
import { configMap, describeRefusal, type Implementation } from './clients.ts';

const at = { namespace: 'default', name: 'a' };

export function testDeletes({ start }: Implementation): void {
  it('deletes at once, and says what', async () => {
    await using running = await start();
    const { client } = running;
    const made = await client.create(ConfigMap, configMap('a'));
    const status = (await client.delete(ConfigMap, at)) as { status?: string; details?: object };
    assert.equal(status.status, 'Success');
    assert.deepEqual(status.details, { name: 'a', kind: 'configmaps', uid: made.metadata.uid });
    assert.match(await describeRefusal(client.delete(ConfigMap, at)), /^404 NotFound: configmaps "a" not found/);
  });

  it('deletes only what was meant', async () => {
    await using running = await start();
    const { client } = running;
    await client.create(ConfigMap, configMap('a'));
    assert.match(
      await describeRefusal(client.delete(ConfigMap, at, { preconditions: { uid: 'x' } })),
      /^409 Conflict: .*the UID in the precondition \(x\) does not match the UID in record/,
    );
    assert.match(
      await describeRefusal(client.delete(ConfigMap, at, { preconditions: { resourceVersion: '1' } })),
      /^409 Conflict: .*the ResourceVersion in the precondition \(1\) does not match/,
    );
  });

  it('keeps what has finalizers until the last is gone', async () => {
    await using running = await start();
    const { client } = running;
    await client.create(ConfigMap, configMap('a', { finalizers: ['example.com/one', 'example.com/two'] }));
    const dying = (await client.delete(ConfigMap, at)) as KubeObject;
    assert.ok(dying.metadata.deletionTimestamp);
    assert.equal(dying.metadata.deletionGracePeriodSeconds, 0);
    const set = (finalizers: readonly string[]) => client.patch(ConfigMap, at, { type: 'merge', body: { metadata: { finalizers } } });
    assert.match(await describeRefusal(set(['example.com/three'])), /no new finalizers can be added if the object is being deleted/);
    assert.match(
      await describeRefusal(client.create(ConfigMap, configMap('a'))),
      /^409 AlreadyExists: object is being deleted: configmaps "a" already exists/,
    );
    await set(['example.com/one']);
    await set([]);
    assert.match(await describeRefusal(client.get(ConfigMap, at)), /^404/);
  });

  it('sets the finalizers of the garbage collector by the propagation policy', async () => {
    await using running = await start();
    const { client } = running;
    const job: New<Job> = {
      metadata: at,
      spec: { template: { metadata: {}, spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
    };
    for (const [options, want] of [
      [{ propagationPolicy: 'Foreground' }, ['foregroundDeletion']],
      [{ propagationPolicy: 'Orphan' }, ['orphan']],
      [{}, ['orphan']],
    ] as const) {
      await client.create(Job, job);
      const dying = (await client.delete(Job, at, options)) as KubeObject;
      assert.deepEqual(dying.metadata.finalizers, want);
      await client.patch(Job, at, { type: 'merge', body: { metadata: { finalizers: null } } });
    }
    await client.create(Job, job);
    await client.delete(Job, at, { propagationPolicy: 'Background' });
    assert.match(await describeRefusal(client.get(Job, at)), /^404/);
  });

  it('gives pods on a node their grace period', async () => {
    await using running = await start();
    const { client } = running;
    const pod = { metadata: at, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } };
    await client.create(Pod, pod);
    const dying = (await client.delete(Pod, at)) as Pod;
    assert.equal(dying.metadata.deletionGracePeriodSeconds, 30);
    const shorter = (await client.delete(Pod, at, { gracePeriodSeconds: 5 })) as Pod;
    assert.equal(shorter.metadata.deletionGracePeriodSeconds, 5);
    const longer = (await client.delete(Pod, at, { gracePeriodSeconds: 50 })) as Pod;
    assert.equal(longer.metadata.resourceVersion, shorter.metadata.resourceVersion);
    await client.delete(Pod, at, { gracePeriodSeconds: 0 });
    assert.match(await describeRefusal(client.get(Pod, at)), /^404/);
  });

  it('marks namespaces, and lets them go when they are finalized', async () => {
    await using running = await start();
    const { client } = running;
    await client.create(Namespace, { metadata: { name: 'a' }, spec: {} });
    const dying = (await client.delete(Namespace, { name: 'a' })) as Namespace;
    assert.equal(dying.status?.phase, 'Terminating');
    assert.deepEqual(dying.spec?.finalizers, ['kubernetes']);
    await client.update(Namespace, { ...dying, spec: { finalizers: [] } }, { subresource: 'finalize' });
    assert.match(await describeRefusal(client.get(Namespace, { name: 'a' })), /^404/);
  });

  it('deletes collections', async () => {
    await using running = await start();
    const { client } = running;
    for (let i = 0; i < 40; i++) await client.create(ConfigMap, configMap(`a${i}`, { labels: { odd: String(i % 2) } }));
    await client.deleteCollection(ConfigMap, { namespace: 'default', labelSelector: 'odd=1' });
    const { items } = await client.list(ConfigMap);
    assert.equal(items.length, 20);
    assert.ok(items.every((item) => item.metadata.labels?.['odd'] === '0'));
  });
}
