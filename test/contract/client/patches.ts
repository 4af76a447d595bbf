/** PATCH of each kind. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConfigMap, Deployment } from '../../../src/api/generated/kinds.ts';
import { configMap, describeRefusal, type Implementation } from './clients.ts';
import { deployment } from './writes.ts';

const at = { namespace: 'default', name: 'a' };

export function testPatches({ start }: Implementation): void {
  it('applies merge, JSON and strategic merge patches', async () => {
    await using running = await start();
    const { client } = running;
    await client.create(ConfigMap, configMap('a', {}, { k: '1', l: '2' }));
    const merged = await client.patch(ConfigMap, at, { type: 'merge', body: { data: { k: null, m: '3' } } });
    assert.deepEqual(merged.data, { l: '2', m: '3' });
    const patched = await client.patch(ConfigMap, at, { type: 'json', body: [{ op: 'replace', path: '/data/l', value: '4' }] });
    assert.deepEqual(patched.data, { l: '4', m: '3' });
    await client.create(Deployment, deployment());
    const template = { spec: { containers: [{ name: 'd', image: 'j' }] } };
    const strategic = await client.patch(Deployment, at, { type: 'strategic', body: { spec: { template } } });
    assert.deepEqual(strategic.spec.template.spec?.containers.map((c) => c.name).sort(), ['c', 'd']);
  });

  it('retries lost races, unless the patch names a version', async () => {
    await using running = await start();
    const { client } = running;
    const made = await client.create(ConfigMap, configMap('a'));
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => client.patch(ConfigMap, at, { type: 'merge', body: { data: { [`k${i}`]: 'v' } } })),
    );
    assert.equal(Object.keys((await client.get(ConfigMap, at)).data ?? {}).length, 20);
    const { resourceVersion } = made.metadata;
    assert.match(
      await describeRefusal(client.patch(ConfigMap, at, { type: 'merge', body: { metadata: { resourceVersion } } })),
      /^409 Conflict/,
    );
  });

  it('refuses what can not be patched', async () => {
    await using running = await start();
    const { client } = running;
    await client.create(ConfigMap, configMap('a'));
    const rows: readonly (readonly [Promise<unknown>, RegExp])[] = [
      [client.patch(ConfigMap, { ...at, name: 'b' }, { type: 'merge', body: {} }), /^404 NotFound: configmaps "b" not found/],
      [
        client.patch(ConfigMap, at, { type: 'merge', body: { metadata: { name: 'b' } } }),
        /^400 BadRequest: the name of the object \(b\) does not match/,
      ],
      [
        client.patch(ConfigMap, at, { type: 'json', body: [{ op: 'remove', path: '/data/x' }] }),
        /^422 Invalid: the server rejected our request/,
      ],
      [client.patch(ConfigMap, at, { type: 'merge', body: { data: 5 } }), /^422 Invalid: {2}"" is invalid: patch: Invalid value/],
      [client.patch(ConfigMap, at, { type: 'apply', body: {} }, { fieldManager: 'x' }), /^400 BadRequest: invalid object type: \/, Kind=$/],
      [client.patch(ConfigMap, at, { type: 'apply', body: configMap('a') }), /^422 Invalid: .* fieldManager: Required value/],
    ];
    for (const [given, want] of rows) assert.match(await describeRefusal(given), want);
  });
}
