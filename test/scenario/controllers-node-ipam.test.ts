/** Pod ranges of nodes: distinct however many come at once, given again, and refused when none is left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event, Node } from '../../src/api/generated/kinds.ts';
import type { Client } from '../../src/client/client.ts';
import { nodeIPAM } from '../../src/control-plane/controllers/nodes/node-ipam.ts';
import { startControlPlane } from './control-plane.ts';

const add = (client: Client, name: string) => client.create(Node, { metadata: { name } } as never);

async function rangesOf(client: Client): Promise<Record<string, string | undefined>> {
  const { items } = await client.list(Node);
  return Object.fromEntries(items.map(({ metadata, spec }) => [metadata.name, spec.podCIDR]));
}

test('nodes get ranges of their own, and removed ones leave theirs to others', async () => {
  await using plane = await startControlPlane([nodeIPAM({ clusterCIDR: '10.1.0.0/22' })]);
  const { client } = plane;
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => add(client, name)));
  await plane.settle();
  const ranges = await rangesOf(client);
  assert.deepEqual(Object.values(ranges).toSorted(), ['10.1.0.0/24', '10.1.1.0/24', '10.1.2.0/24', '10.1.3.0/24']);
  await add(client, 'e');
  await plane.settle();
  assert.equal((await rangesOf(client))['e'], undefined);
  const { items } = await client.list(Event);
  assert.deepEqual(
    items.map((event) => [event.reason, event.involvedObject.name]),
    [['CIDRNotAvailable', 'e']],
  );
  await client.delete(Node, { name: 'b' });
  await add(client, 'f');
  await plane.settle();
  assert.equal((await rangesOf(client))['f'], ranges['b']);
});
