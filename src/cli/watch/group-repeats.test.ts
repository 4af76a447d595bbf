import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Act } from '../../client/events/acts.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { groupRepeats } from './group-repeats.ts';

const refusal = { code: 403, reason: 'Forbidden', message: 'exceeded quota', resource: 'pods', by: 'ResourceQuota' };
const refused = (name: string, more: Partial<Act> = {}): Act => ({
  time: '2026-01-01T00:00:00.000Z',
  component: 'replicaset',
  user: 'system:serviceaccount:kube-system:replicaset-controller',
  verb: 'create',
  did: 'refused',
  object: { kind: 'pod', group: '', namespace: 'n', name },
  refusal,
  ...more,
});
const user = { component: undefined, user: 'jane' };
const warning = (name: string, message: string): Act =>
  refused(name, { did: 'told', event: { type: 'Warning', reason: 'BackOff', message, count: 1 } });
const changed = refused('a', { did: 'changed' });

/** Acts, and between them the milliseconds that pass. */
type Course = readonly (Act | number)[];
const rows: readonly { name: string; given: Course; want: readonly string[] }[] = [
  {
    name: 'the same of many pods',
    given: [refused('a'), 1000, refused('b'), refused('c'), 9500, refused('d'), 10_000],
    want: ['a', '2 times c in 10 s', '1 times d in 10 s'],
  },
  { name: 'what comes later than that is new', given: [refused('a'), 10_500, refused('b')], want: ['a', 'b'] },
  { name: 'the rest is told at the end', given: [refused('a'), refused('b'), 2000], want: ['a', '1 times b in 2 s'] },
  { name: 'another reason', given: [refused('a'), refused('b', { refusal: { ...refusal, code: 409 } })], want: ['a', 'b'] },
  { name: 'another verb', given: [refused('a'), refused('b', { verb: 'delete' })], want: ['a', 'b'] },
  { name: 'another owner', given: [refused('a'), refused('b', { owners: ['x/y'] })], want: ['a', 'b'] },
  { name: 'a user means each', given: [refused('a', user), refused('b', user)], want: ['a', 'b'] },
  { name: 'and may try again', given: [refused('a', user), refused('a', user)], want: ['a', '1 times a in 1 s'] },
  { name: 'a warning', given: [warning('a', 'm'), warning('a', 'm'), warning('b', 'm')], want: ['a', 'b', '1 times a in 1 s'] },
  { name: 'what has an effect is told each time', given: [changed, changed], want: ['a', 'a'] },
];

test('repeats: a count stands at the time of what came last, whatever that was', async () => {
  const at = (name: string, seconds: string): Act => refused(name, { time: `2026-01-01T00:00:${seconds}.000Z` });
  async function* course(): AsyncGenerator<Act> {
    yield* [at('a', '01'), at('b', '02'), { ...at('c', '09'), did: 'changed' as const }];
  }
  const times: string[] = [];
  for await (const each of groupRepeats(course(), new VirtualClock()))
    times.push(('repeated' in each ? each.repeated : each).time.slice(17, 19));
  assert.deepEqual(times, ['01', '09', '09']);
});

for (const { name, given, want } of rows) {
  test(`repeats: ${name}`, async () => {
    const clock = new VirtualClock();
    async function* course(): AsyncGenerator<Act> {
      for (const each of given) {
        if (typeof each === 'number') await clock.sleep(each);
        else yield each;
      }
    }
    const told: string[] = [];
    const telling = (async () => {
      for await (const each of groupRepeats(course(), clock)) {
        told.push('repeated' in each ? `${each.times} times ${each.repeated.object.name} in ${each.seconds} s` : each.object.name);
      }
    })();
    await clock.advance(60_000);
    await telling;
    assert.deepEqual(told, want);
  });
}
