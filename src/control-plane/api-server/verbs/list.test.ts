/** How long a paged list can be continued. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConfigMap } from '../../../api/generated/kinds.ts';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import { isStatusError } from '../../../api/meta/status-error.ts';
import { seededRandom } from '../../../client/clock.ts';
import { silentLog } from '../../../client/log.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { openMemoryStore } from '../../store/memory-store.ts';
import { createApiServer } from '../api-server.ts';
import { continueMsMax } from './continue-token.ts';

it('a consistent list goes on for a while, then only an inconsistent one', async () => {
  const clock = new VirtualClock();
  await using storage = openMemoryStore({ clock });
  await using server = await createApiServer({ storage, registry: builtInRegistry(), clock, random: seededRandom(1), log: silentLog });
  const client = server.loopback;
  for (const name of ['a', 'b', 'c']) await client.create(ConfigMap, { metadata: { name, namespace: 'default' } });
  const next = (token: string | undefined) => client.list(ConfigMap, { limit: 1, continue: token ?? '' });

  const first = await client.list(ConfigMap, { limit: 1 });
  await clock.advance(continueMsMax);
  const second = await next(first.metadata.continue);
  assert.equal(second.items[0]?.metadata.name, 'b');
  await clock.advance(1);
  const expired = await next(second.metadata.continue).catch((error: unknown) => error);
  assert.ok(isStatusError(expired) && expired.reason === 'Expired', 'a page takes over the age of the first');
  const rest = await next(expired.status.metadata?.continue);
  assert.equal(rest.items[0]?.metadata.name, 'c');
});
