/** What the server tells to readers that read from the server before it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Act, ActFilter, ActStart, LostActs } from '../../../client/events/acts.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import type { ServedKinds } from '../cache/served-kinds.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { ActChannel } from './act-channel.ts';

const noKinds = { registry: { byKind: () => undefined, list: () => [] } } as unknown as ServedKinds;
const start = '2026-01-01T00:00:00.000Z';

function write(channel: ActChannel, name: string): void {
  if (!channel.isWatched) return;
  const request = { verb: 'create', user: { name: 'jane', groups: [] }, target: { kind: { kind: 'ConfigMap', group: '' } } };
  channel.changed(request as unknown as ResourceRequest, undefined, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } } as never);
}

async function read(channel: ActChannel, after: string | undefined, filter: ActFilter = {}): Promise<(string | boolean)[]> {
  using reader = channel.subscribe(filter, after);
  write(channel, 'now');
  channel.end();
  const told: (string | boolean)[] = [];
  const tell = (each: Act | LostActs | ActStart) =>
    'start' in each ? [each.start, each.isWhole] : 'lost' in each ? ['lost'] : [each.object.name];
  for await (const each of reader) told.push(...tell(each));
  return told;
}

const rows: readonly {
  name: string;
  keepsFirst?: boolean;
  after?: string;
  afterMs?: number;
  writes?: number;
  want: readonly (string | boolean)[];
}[] = [
  { name: 'that names no start', want: ['now'] },
  { name: 'that was nowhere before', after: '', want: [start, false, 'now'] },
  { name: 'of the server before', after: 'before', want: [start, true, 'early-0', 'now'] },
  { name: 'of this very server, whose connection broke', after: start, want: [start, false, 'now'] },
  { name: 'that comes late', after: 'before', afterMs: 10_001, want: [start, false, 'now'] },
  { name: 'that comes after too much', after: 'before', writes: 2000, want: [start, false, 'now'] },
  { name: 'where nothing outlives a server', after: 'before', keepsFirst: false, want: [start, false, 'now'] },
];
for (const { name, keepsFirst = true, after, afterMs = 0, writes = 1, want } of rows) {
  test(`what a server tells first to a reader ${name}`, async () => {
    const clock = new VirtualClock();
    const channel = new ActChannel(clock, noKinds, { keepsFirst });
    for (let i = 0; i < writes; i++) write(channel, `early-${i}`);
    await clock.advance(afterMs);
    assert.deepEqual(await read(channel, after), want);
  });
}

test('after the first seconds, nothing is kept, and a write without a reader costs nothing', async () => {
  const clock = new VirtualClock();
  const channel = new ActChannel(clock, noKinds, { keepsFirst: true });
  assert.equal(channel.isWatched, true);
  await clock.advance(10_001);
  write(channel, 'late');
  assert.equal(channel.isWatched, false);
});

test('what was kept is filtered as what happens', async () => {
  const channel = new ActChannel(new VirtualClock(), noKinds, { keepsFirst: true });
  write(channel, 'early');
  assert.deepEqual(await read(channel, 'before', { users: ['john'] }), [start, true]);
});
