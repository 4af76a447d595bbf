/** Ranges of nodes: given to one node only, and free again with it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Node } from '../../../api/generated/kinds.ts';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import { isConflict } from '../../../api/meta/status-error.ts';
import { seededRandom } from '../../../client/clock.ts';
import { silentLog } from '../../../client/log.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { openMemoryStore } from '../../store/memory-store.ts';
import { createApiServer } from '../api-server.ts';
import { nodeRanges } from './node-ranges.ts';

test('a range that an update gives is one node\u2019s, until it goes', async () => {
  const clock = new VirtualClock();
  await using storage = openMemoryStore({ clock });
  const random = seededRandom(1);
  const start = () =>
    createApiServer({
      storage,
      registry: builtInRegistry(),
      clock,
      random,
      log: silentLog,
      parts: ({ reader, claims }) => ({ allocators: [nodeRanges(reader, claims)] }),
    });
  await using first = await start();
  await using second = await start();
  const [one, other] = [first.loopback, second.loopback];
  const range = (podCIDR: string) => ({ podCIDR, podCIDRs: [podCIDR] });
  const give = (client: typeof one, name: string, podCIDR: string) =>
    client.patch(Node, { name }, { type: 'strategic', body: { spec: range(podCIDR) } });
  for (const name of ['a', 'b', 'c']) await one.create(Node, { metadata: { name }, spec: {} });

  const both = await Promise.allSettled([give(one, 'a', '10.1.0.0/24'), give(other, 'b', '10.1.0.0/24')]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const [winner, loser] = both[0]?.status === 'fulfilled' ? ['a', 'b'] : ['b', 'a'];
  await assert.rejects(give(one, loser, '10.1.0.0/24'), { message: /the range 10.1.0.0.24 is another node's/ });
  await give(other, loser, '10.1.1.0/24');

  // Brought by whoever makes the node: believed, and not taken from the one that has it.
  await other.create(Node, { metadata: { name: 'copy' }, spec: range('10.1.0.0/24') });
  await one.delete(Node, { name: 'copy' });
  await assert.rejects(give(other, 'c', '10.1.0.0/24'), isConflict);
  await one.delete(Node, { name: winner });
  await give(other, 'c', '10.1.0.0/24');
});
