/** An operator as its author writes it, with what the package exports alone, against a cluster in the same process. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  type Controller,
  createLog,
  defineController,
  findKind,
  type Informer,
  isNotFound,
  kinds,
  type Log,
  parseKey,
  type RunOptions,
  runAsLeader,
  runControllers,
  seededRandom,
  startCluster,
  VirtualClock,
  watched,
} from '../../src/index.ts';

/** Keeps a ConfigMap `menu` in every namespace that is labelled as a bakery. */
const menus: Controller = defineController({
  name: 'menus',
  watches: [
    watched(kinds.Namespace),
    watched(kinds.ConfigMap, ({ metadata: { name, namespace = '' } }) => (name === 'menu' ? [namespace] : [])),
  ],
  async reconcile(key, { client, events, clock }) {
    const { name } = parseKey(key);
    const namespace = client.informer(kinds.Namespace).get(name);
    if (namespace?.metadata.labels?.['bakery'] !== 'yes') return;
    try {
      await client.get(kinds.ConfigMap, { namespace: name, name: 'menu' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const menu = { metadata: { namespace: name, name: 'menu' }, data: { at: new Date(clock.now()).toISOString() } };
      events.event(await client.create(kinds.ConfigMap, menu), 'Normal', 'Written', 'the menu is written');
    }
  },
});

it('an operator leads, follows, writes, tells, and ends with its signal', async () => {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const lines: string[] = [];
  const log: Log = await createLog({ level: 'info', format: 'json', clock, write: (line) => lines.push(line) });
  await using cluster = await startCluster({ simulated: 1, clock, random });
  const { client } = cluster;
  const stop = new AbortController();
  const { signal } = stop;
  const options: RunOptions = { client, clock, random, log, signal };
  const leading = runAsLeader(client, { namespace: 'default', name: 'menus', identity: 'one', ...options, signal }, async (lead) => {
    await using running = runControllers([menus], { ...options, signal: lead });
    await running.started;
    await new Promise((resolve) => lead.addEventListener('abort', resolve, { once: true }));
  });
  await client.create(kinds.Namespace, { metadata: { name: 'corner', labels: { bakery: 'yes' } }, spec: {} });
  const found: Informer<kinds.ConfigMap> = client.informer(kinds.ConfigMap, { namespace: 'corner' });
  await clock.advance(60_000);
  assert.equal(found.get('corner/menu')?.data?.['at']?.slice(0, 10), '2026-01-01');
  await client.delete(kinds.ConfigMap, { namespace: 'corner', name: 'menu' });
  await clock.advance(60_000);
  assert.ok(found.get('corner/menu'), 'it is written again');
  assert.equal((await client.get(kinds.Lease, { namespace: 'default', name: 'menus' })).spec?.holderIdentity, 'one');
  const events = findKind('events') ?? assert.fail();
  const told = (await client.list(events, { namespace: 'corner' })).items as kinds.Event[];
  assert.deepEqual([...new Set(told.map(({ reason, source }) => `${reason} by ${source?.component}`))], ['Written by menus']);
  stop.abort();
  await leading;
});
