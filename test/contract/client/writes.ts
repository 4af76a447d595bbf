/** Create, get, update: identity, names, optimistic locking, dry runs. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConfigMap, Deployment, Lease, Pod } from '../../../src/api/generated/kinds.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../../src/api/meta/status-error.ts';
import { configMap, describeRefusal, type Implementation, takeEvents } from './clients.ts';

const at = { namespace: 'default', name: 'a' };

export function testWrites({ start }: Implementation): void {
  it('creates an object with an identity, and gives the same one back', async () => {
    await using running = await start();
    const made = await running.client.create(ConfigMap, configMap('a', {}, { k: 'v' }));
    assert.match(made.metadata.uid ?? '', /^[0-9a-f-]{36}$/);
    assert.match(made.metadata.creationTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.ok(Number(made.metadata.resourceVersion) > 0);
    assert.deepEqual(
      { kind: made.kind, apiVersion: made.apiVersion, data: made.data },
      { kind: 'ConfigMap', apiVersion: 'v1', data: { k: 'v' } },
    );
    assert.deepEqual(await running.client.get(ConfigMap, at), made);
  });

  it('generates names that are free', async () => {
    await using running = await start();
    const made = await Promise.all(
      Array.from({ length: 20 }, () => running.client.create(ConfigMap, { metadata: { generateName: 'a-', namespace: 'default' } })),
    );
    const names = new Set(made.map((object) => object.metadata.name));
    assert.equal(names.size, 20);
    for (const name of names) assert.match(name ?? '', /^a-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    const long = await running.client.create(ConfigMap, { metadata: { generateName: 'x'.repeat(70), namespace: 'default' } });
    assert.equal(long.metadata.name?.length, 63);
  });

  it('refuses what is not there, there already, or wrong, in known words', async () => {
    await using running = await start();
    const { client } = running;
    await client.create(ConfigMap, configMap('a'));
    const rows: readonly (readonly [Promise<unknown>, string])[] = [
      [client.get(ConfigMap, { ...at, name: 'b' }), '404 NotFound: configmaps "b" not found'],
      [client.create(ConfigMap, configMap('a')), '409 AlreadyExists: configmaps "a" already exists'],
      [client.update(ConfigMap, configMap('b')), '404 NotFound: configmaps "b" not found'],
      [
        client.create(ConfigMap, { metadata: { namespace: 'default' } }),
        '422 Invalid: ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
      ],
      [client.get({ ...ConfigMap, resource: 'nothings' }, at), '404 NotFound: the server could not find the requested resource'],
    ];
    for (const [given, want] of rows) assert.equal(await describeRefusal(given), want);
  });

  it('updates only what the writer saw', async () => {
    await using running = await start();
    const { client } = running;
    const first = await client.create(ConfigMap, configMap('a', {}, { k: '1' }));
    const second = await client.update(ConfigMap, { ...first, data: { k: '2' } });
    assert.notEqual(second.metadata.resourceVersion, first.metadata.resourceVersion);
    assert.equal(second.metadata.uid, first.metadata.uid);
    assert.equal(
      await describeRefusal(client.update(ConfigMap, { ...first, data: { k: '3' } })),
      '409 Conflict: Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    );
    const unconditional = await client.update(ConfigMap, configMap('a', {}, { k: '4' }));
    assert.deepEqual(unconditional.data, { k: '4' });
  });

  it('writes nothing when nothing changes', async () => {
    await using running = await start();
    const { client } = running;
    const made = await client.create(ConfigMap, configMap('a', { labels: { x: 'y' } }, { k: '1' }));
    const again = await client.update(ConfigMap, { ...made, data: { k: '1' } });
    assert.equal(again.metadata.resourceVersion, made.metadata.resourceVersion);
  });

  it('creates by update where the kind says so, and wants a version where it says that', async () => {
    await using running = await start();
    const { client } = running;
    const made = await client.update(Lease, lease({ holderIdentity: 'x' }));
    assert.ok(made.metadata.uid);
    assert.equal(
      await describeRefusal(client.update(Lease, lease({}))),
      '422 Invalid: leases.coordination.k8s.io "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
  });

  it('counts changes of the spec as generations, and of nothing else', async () => {
    await using running = await start();
    const { client } = running;
    const made = await client.create(Deployment, deployment());
    assert.equal(made.metadata.generation, 1);
    const labelled = await client.update(Deployment, { ...made, metadata: { ...made.metadata, labels: { x: 'y' } } });
    assert.equal(labelled.metadata.generation, 1);
    const scaled = await client.update(Deployment, { ...labelled, spec: { ...labelled.spec, replicas: 3 } });
    assert.equal(scaled.metadata.generation, 2);
  });

  it('tries writes out without doing them', async () => {
    await using running = await start();
    const { client } = running;
    const tried = await client.create(ConfigMap, configMap('a'), { dryRun: true });
    assert.ok(tried.metadata.uid);
    assert.equal(tried.metadata.resourceVersion, undefined);
    assert.match(await describeRefusal(client.get(ConfigMap, at)), /^404/);
    const made = await client.create(ConfigMap, configMap('a'));
    const updated = await client.update(ConfigMap, { ...made, data: { k: 'v' } }, { dryRun: true });
    assert.deepEqual(updated.data, { k: 'v' });
    await client.delete(ConfigMap, at, { dryRun: true });
    assert.deepEqual(await client.get(ConfigMap, at), made);
  });

  it('loses no update of many writers, and tells watchers each of them', async () => {
    await using running = await start();
    const { client } = running;
    const made = await client.create(ConfigMap, configMap('a', {}, { n: '0' }));
    const watching = takeEvents(client.watch(ConfigMap, { resourceVersion: made.metadata.resourceVersion ?? '' }), 80);
    const increment = async (): Promise<void> => {
      for (;;) {
        const now = await client.get(ConfigMap, at);
        try {
          await client.update(ConfigMap, { ...now, data: { n: String(Number(now.data?.['n']) + 1) } });
          return;
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
      }
    };
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let i = 0; i < 10; i++) await increment();
      }),
    );
    const seen = (await watching).map(({ object }) => (object as ConfigMap).data?.['n']);
    assert.deepEqual(
      seen,
      Array.from({ length: 80 }, (_, i) => String(i + 1)),
    );
  });

  it('creates and deletes the same name by turns, as fast as it can', async () => {
    await using running = await start();
    const { client } = running;
    const turns = async (): Promise<number> => {
      let done = 0;
      for (let i = 0; i < 20; i++) {
        const made = await client
          .create(ConfigMap, configMap('a'))
          .catch((error: unknown) => (isAlreadyExists(error) ? undefined : Promise.reject(error)));
        if (made) done++;
        await client.delete(ConfigMap, at).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)));
      }
      return done;
    };
    const done = await Promise.all(Array.from({ length: 4 }, turns));
    assert.ok(done.reduce((sum, n) => sum + n, 0) >= 20);
    assert.match(await describeRefusal(client.get(ConfigMap, at)), /^404/);
  });

  it('refuses what is too large for a store', async () => {
    await using running = await start();
    const { client } = running;
    const lease = (bytes: number) => ({ metadata: at, spec: { holderIdentity: 'x'.repeat(bytes) } });
    const made = await client.create(Lease, lease(1_500_000));
    const want = '500 : etcdserver: request is too large';
    assert.equal(await describeRefusal(client.update(Lease, { ...made, spec: lease(1_600_000).spec })), want);
    assert.equal(await describeRefusal(client.create(Lease, { ...lease(1_600_000), metadata: { ...at, name: 'b' } })), want);
    assert.equal((await client.get(Lease, at)).spec?.holderIdentity?.length, 1_500_000);
  });

  it('leaves what the caller passed as it was', async () => {
    await using running = await start();
    const given = { metadata: { name: 'a', namespace: 'default', labels: { x: 'y' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const before = structuredClone(given);
    await running.client.create(Pod, given);
    assert.deepEqual(given, before);
    assert.equal(Object.isFrozen(given.metadata.labels), false);
  });
}

const lease = (spec: Lease['spec']): Lease => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: at, spec }) as Lease;

export const deployment = () => ({
  metadata: { name: 'a', namespace: 'default' },
  spec: {
    selector: { matchLabels: { app: 'a' } },
    template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});
