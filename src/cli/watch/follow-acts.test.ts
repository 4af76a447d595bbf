import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors } from '../../api/meta/status-error.ts';
import type { Act, ActStart, LostActs } from '../../client/events/acts.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { type Fate, followActs, type Told } from './follow-acts.ts';

async function* stream(lost: number, end?: Error): AsyncGenerator<Act | LostActs | ActStart> {
  yield { lost };
  if (end) throw end;
}
async function* began(start: string, isWhole: boolean, lost: number): AsyncGenerator<LostActs | ActStart> {
  yield { start, isWhole };
  yield { lost };
}
const broken = new Error('other side closed');
const refused = async (): Promise<never> => Promise.reject(broken);

async function all(told: AsyncIterable<Told>): Promise<readonly Told[]> {
  const list: Told[] = [];
  for await (const each of told) list.push(each);
  return list;
}

interface Row {
  readonly name: string;
  /** one for each time that it is opened; then nobody answers */
  readonly opens: readonly ((start: string) => AsyncIterable<Act | LostActs | ActStart> | Promise<never>)[];
  readonly fates: readonly Fate[];
  readonly want: readonly Told[];
  readonly seconds?: number;
}
const rows: readonly Row[] = [
  {
    name: 'a server that was killed is back: one note',
    opens: [() => stream(1, broken), refused, refused, refused, () => stream(2)],
    fates: ['expected', 'expected', 'expected', 'expected', 'deleted'],
    want: [{ lost: 1 }, { away: { seconds: 2, isWhole: undefined } }, { lost: 2 }, { ended: 'deleted' }],
  },
  {
    name: 'one that was stopped by hand is waited for, and comes back',
    opens: [() => stream(1), refused, () => stream(2)],
    fates: ['stopped', 'expected', 'deleted'],
    want: [{ lost: 1 }, { waiting: { seconds: 60 } }, { away: { seconds: 0, isWhole: undefined } }, { lost: 2 }, { ended: 'deleted' }],
  },
  {
    name: 'another start of it is asked for all since that began, by the start before',
    opens: [() => began('1', false, 1), (start) => began(`after ${start}`, true, 2), (start) => began(start, false, 3)],
    fates: ['expected', 'expected', 'deleted'],
    want: [
      { lost: 1 },
      { away: { seconds: 0, isWhole: true } },
      { lost: 2 },
      { away: { seconds: 0, isWhole: undefined } },
      { lost: 3 },
      { ended: 'deleted' },
    ],
  },
  {
    name: 'one that stays stopped',
    opens: [() => stream(1)],
    fates: ['stopped'],
    want: [{ lost: 1 }, { waiting: { seconds: 60 } }, { ended: 'stopped' }],
    seconds: 60,
  },
  { name: 'one that was deleted', opens: [() => stream(1)], fates: ['deleted'], want: [{ lost: 1 }, { ended: 'deleted' }], seconds: 0 },
  { name: 'nobody knows', opens: [() => stream(1)], fates: ['unknown'], want: [{ lost: 1 }, { ended: 'unknown' }], seconds: 300 },
];

for (const { name, opens, fates, want, seconds } of rows) {
  test(`acts go on: ${name}`, async () => {
    const clock = new VirtualClock();
    let [opened, asked] = [0, 0];
    const told: Told[] = [];
    const following = (async () => {
      const { signal } = new AbortController();
      const open = async (start: string): Promise<AsyncIterable<Act | LostActs | ActStart>> => (opens[opened++] ?? refused)(start);
      const fate = async (): Promise<Fate> => fates[Math.min(asked++, fates.length - 1)] ?? 'deleted';
      for await (const each of followActs({ clock, signal, open, fate })) told.push(each);
      return clock.monotonic() / 1000;
    })();
    await clock.advance(400_000);
    const took = await following;
    assert.deepEqual(told, want);
    if (seconds !== undefined) assert.ok(took >= seconds && took < seconds + 5, `${took} s`);
  });
}

test('acts go on: not after a refusal', async () => {
  const opens = [async () => stream(1), async () => Promise.reject(errors.unauthorized())];
  const open = async (): Promise<AsyncIterable<Act | LostActs | ActStart>> => (opens.shift() ?? refused)();
  const { signal } = new AbortController();
  const told = followActs({ clock: new VirtualClock(), signal, open, fate: async () => 'expected' });
  await assert.rejects(all(told), { code: 401 });
});

test('acts go on: not when nobody reads them', async () => {
  const gone = new AbortController();
  async function* one(): AsyncGenerator<LostActs> {
    yield { lost: 1 };
    gone.abort();
  }
  const told = followActs({ clock: new VirtualClock(), signal: gone.signal, open: async () => one(), fate: async () => 'expected' });
  assert.deepEqual(await all(told), [{ lost: 1 }]);
});
