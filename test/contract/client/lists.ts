/** Lists: selectors, pages, states of the past. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConfigMap, Pod } from '../../../src/api/generated/kinds.ts';
import { isExpired } from '../../../src/api/meta/status-error.ts';
import type { ListOptions } from '../../../src/client/client.ts';
import { configMap, describeRefusal, type Implementation, type Running, refusal } from './clients.ts';

async function withObjects({ client }: Running): Promise<void> {
  await client.create(ConfigMap, configMap('a', { labels: { tier: 'x' } }));
  await client.create(ConfigMap, configMap('b', { labels: { tier: 'y' } }));
  await client.create(ConfigMap, configMap('c', { namespace: 'other' }));
}

const rows: readonly { readonly name: string; readonly given: ListOptions; readonly want: readonly string[] }[] = [
  { name: 'everything', given: {}, want: ['default/a', 'default/b', 'other/c'] },
  { name: 'one namespace', given: { namespace: 'default' }, want: ['default/a', 'default/b'] },
  { name: 'by label', given: { labelSelector: 'tier=x' }, want: ['default/a'] },
  { name: 'by labels that are not there', given: { labelSelector: '!tier' }, want: ['other/c'] },
  { name: 'by name', given: { fieldSelector: 'metadata.name=b' }, want: ['default/b'] },
  { name: 'by name in a namespace', given: { namespace: 'other', fieldSelector: 'metadata.name=b' }, want: [] },
  { name: 'by namespace as a field', given: { fieldSelector: 'metadata.namespace!=default' }, want: ['other/c'] },
];

const refused: readonly { readonly given: ListOptions; readonly want: RegExp }[] = [
  { given: { labelSelector: 'a===b' }, want: /^400 BadRequest: unable to parse requirement: found '=', expected: identifier/ },
  { given: { fieldSelector: 'spec.x=b' }, want: /^400 BadRequest: "spec.x" is not a known field selector/ },
  { given: { continue: 'abc' }, want: /^400 BadRequest: invalid continue token/ },
  {
    given: { resourceVersionMatch: 'Exact' },
    want: /^422 Invalid: .*resourceVersionMatch is forbidden unless resourceVersion is provided/,
  },
];

export function testLists({ start }: Implementation): void {
  it('selects by namespace, label and field, in order of names', async () => {
    await using running = await start();
    await withObjects(running);
    for (const { name, given, want } of rows) {
      const { items } = await running.client.list(ConfigMap, given);
      assert.deepEqual(
        items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
        want,
        name,
      );
    }
    for (const { given, want } of refused) assert.match(await describeRefusal(running.client.list(ConfigMap, given)), want);
  });

  it('gives pages of one state, whatever is written meanwhile', async () => {
    await using running = await start();
    const { client } = running;
    for (let i = 0; i < 7; i++) await client.create(ConfigMap, configMap(`a${i}`));
    const first = await client.list(ConfigMap, { limit: 3 });
    assert.equal(first.metadata.remainingItemCount, 4);
    await client.create(ConfigMap, configMap('a35'));
    await client.delete(ConfigMap, { namespace: 'default', name: 'a4' });
    const names = first.items.map((item) => item.metadata.name);
    let token = first.metadata.continue;
    while (token) {
      const page = await client.list(ConfigMap, { limit: 3, continue: token });
      assert.equal(page.metadata.resourceVersion, first.metadata.resourceVersion);
      names.push(...page.items.map((item) => item.metadata.name));
      token = page.metadata.continue;
    }
    assert.deepEqual(names, ['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6']);
  });

  it('shows the past while it is kept, and says so when it is not', async () => {
    await using running = await start();
    const { client, storage } = running;
    const made = await client.create(ConfigMap, configMap('a', {}, { k: '1' }));
    await client.update(ConfigMap, { ...made, data: { k: '2' } });
    const resourceVersion = made.metadata.resourceVersion ?? '';
    const past = await client.list(ConfigMap, { resourceVersion, resourceVersionMatch: 'Exact' });
    assert.deepEqual(
      past.items.map((item) => item.data),
      [{ k: '1' }],
    );
    for (const name of ['b', 'c']) await client.create(ConfigMap, configMap(name));
    const page = await client.list(ConfigMap, { limit: 1 });
    await client.create(ConfigMap, configMap('d'));
    await storage.compact(await storage.latestRevision());
    assert.ok(isExpired(await refusal(client.list(ConfigMap, { resourceVersion, resourceVersionMatch: 'Exact' }))));
    const expired = await refusal(client.list(ConfigMap, { limit: 5, continue: page.metadata.continue ?? '' }));
    assert.ok(isExpired(expired));
    const rest = await client.list(ConfigMap, { continue: expired.status.metadata?.continue ?? '' });
    assert.deepEqual(
      rest.items.map((item) => item.metadata.name),
      ['b', 'c', 'd'],
    );
  });

  it('selects pods by the fields that the kind offers', async () => {
    await using running = await start();
    const { client } = running;
    const pod = (name: string, nodeName: string) => ({
      metadata: { name, namespace: 'default' },
      spec: { nodeName, containers: [{ name: 'c', image: 'i' }] },
    });
    await client.create(Pod, pod('a', 'one'));
    await client.create(Pod, pod('b', 'two'));
    const { items } = await client.list(Pod, { fieldSelector: 'spec.nodeName=two,status.phase=Pending' });
    assert.deepEqual(
      items.map((item) => item.metadata.name),
      ['b'],
    );
    assert.match(
      await describeRefusal(client.list(Pod, { fieldSelector: 'spec.x=y' })),
      /^400 BadRequest: field label not supported: spec.x/,
    );
  });
}
