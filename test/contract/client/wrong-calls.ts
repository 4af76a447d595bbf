/** Calls that no type allows, and a program without types makes all the same: refused alike, by what is missing; nothing happens. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConfigMap, Pod } from '../../../src/api/generated/kinds.ts';
import type { KindRef } from '../../../src/api/meta/object.ts';
import type { Client, Patch } from '../../../src/client/client.ts';
import { configMap, describeRefusal, type Implementation } from './clients.ts';

const wrong = <T>(value: unknown): T => value as T;
const at = { namespace: 'default', name: 'a' };

const calls: readonly { readonly name: string; call(client: Client): Promise<unknown>; readonly want: string }[] = [
  ...[{}, { metadata: undefined }, { metadata: null }, { metadata: 5 }, { metadata: [] }].map((object) => ({
    name: `to create ${JSON.stringify(object)}`,
    call: (client: Client) => client.create(ConfigMap, wrong(object)),
    want: 'ConfigMap: metadata is expected to be an object, not ',
  })),
  ...[null, undefined, 5, [], 'a'].map((object) => ({
    name: `to create ${JSON.stringify(object)}`,
    call: (client: Client) => client.create(ConfigMap, wrong(object)),
    want: 'ConfigMap: an object is expected, not ',
  })),
  { name: 'to update null', call: (client) => client.update(ConfigMap, wrong(null)), want: 'ConfigMap: an object is expected, not null' },
  {
    name: 'to update what has no name',
    call: (client) => client.update(ConfigMap, wrong({ metadata: { namespace: 'default' } })),
    want: 'configmaps: the name is undefined',
  },
  {
    name: 'to get nothing',
    call: (client) => client.get(ConfigMap, wrong(undefined)),
    want: 'configmaps: { namespace, name } is expected, not undefined',
  },
  {
    name: 'to get by a text',
    call: (client) => client.get(ConfigMap, wrong('a')),
    want: 'configmaps: { namespace, name } is expected, not a string',
  },
  {
    name: 'to get without a name',
    call: (client) => client.get(ConfigMap, wrong({ namespace: 'default' })),
    want: 'configmaps: the name is undefined',
  },
  {
    name: 'to delete without a name, which is not all',
    call: (client) => client.delete(ConfigMap, wrong({ namespace: 'default' })),
    want: 'configmaps: the name is undefined',
  },
  {
    name: 'to delete an empty name, which is not all',
    call: (client) => client.delete(ConfigMap, { namespace: 'default', name: '' }),
    want: 'configmaps: the name is an empty text',
  },
  {
    name: 'to delete in no text of a namespace',
    call: (client) => client.delete(ConfigMap, wrong({ namespace: 5, name: 'a' })),
    want: 'configmaps: the namespace is a number',
  },
  {
    name: 'to delete a selection that is not given',
    call: (client) => client.deleteCollection(ConfigMap, wrong(undefined)),
    want: 'ConfigMap: a selection is expected, not undefined',
  },
  {
    name: 'to patch by nothing',
    call: (client) => client.patch(ConfigMap, at, wrong<Patch>(undefined)),
    want: 'ConfigMap: a patch is { type, body }',
  },
  {
    name: 'to patch by an unknown type',
    call: (client) => client.patch(ConfigMap, at, wrong<Patch>({ type: 'x', body: {} })),
    want: 'ConfigMap: a patch is { type, body }',
  },
  { name: 'to post to no object', call: (client) => client.post(Pod, wrong({}), 'binding', {}), want: 'pods: the name is undefined' },
  { name: 'to read no path', call: (client) => client.raw(wrong(undefined)), want: 'a path begins with /' },
  ...[undefined, null, {}, 'configmaps'].flatMap((kind) => {
    const [none, want] = [wrong<KindRef<ConfigMap>>(kind), 'a kind is expected, such as kinds.Pod, not '];
    return [
      { name: `to create ${JSON.stringify(kind)}`, call: (client: Client) => client.create(none, configMap('b')), want },
      { name: `to list ${JSON.stringify(kind)}`, call: (client: Client) => client.list(none), want },
      { name: `to watch ${JSON.stringify(kind)}`, call: async (client: Client) => client.watch(none)[Symbol.asyncIterator]().next(), want },
      { name: `an informer of ${JSON.stringify(kind)}`, call: async (client: Client) => client.informer(none), want },
    ];
  }),
];

export function testWrongCalls({ start }: Implementation): void {
  it('refuses what no type allows, and does nothing', async () => {
    await using running = await start();
    const { client } = running;
    const made = await client.create(ConfigMap, configMap('a'));
    for (const { name, call, want } of calls) {
      const refusal = await describeRefusal(call(client));
      assert.ok(refusal.startsWith(`400 BadRequest: ${want}`), `${name}: ${refusal}`);
    }
    assert.deepEqual((await client.list(ConfigMap)).items, [made]);
  });
}
