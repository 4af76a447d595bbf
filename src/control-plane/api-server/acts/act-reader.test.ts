import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Act, ActFilter } from '../../../client/events/acts.ts';
import { ActReader, isWanted } from './act-reader.ts';

const act = (more: Partial<Act> = {}): Act => ({
  time: '2026-01-01T00:00:00.000Z',
  component: 'scheduler',
  user: 'system:kube-scheduler',
  verb: 'create',
  did: 'changed',
  object: { kind: 'pod', group: '', namespace: 'bakery', name: 'front-1' },
  owners: ['replicaset/front', 'deployment/front'],
  ...more,
});

const rows: readonly { name: string; given?: Act; filter: ActFilter; want: boolean }[] = [
  { name: 'no filter', filter: {}, want: true },
  { name: 'its namespace', filter: { namespace: 'bakery' }, want: true },
  { name: 'another namespace', filter: { namespace: 'default' }, want: false },
  {
    name: 'the namespace itself',
    given: act({ object: { kind: 'namespace', group: '', name: 'bakery' } }),
    filter: { namespace: 'bakery' },
    want: true,
  },
  { name: 'itself', filter: { objects: ['pod/front-1'] }, want: true },
  { name: 'what owns it', filter: { objects: ['service/x', 'deployment/front'] }, want: true },
  { name: 'another object', filter: { objects: ['pod/front'] }, want: false },
  { name: 'its component', filter: { components: ['kubelet', 'scheduler'] }, want: true },
  { name: 'another component', filter: { components: ['kubelet'] }, want: false },
  { name: 'a user', given: act({ component: undefined, user: 'jane' }), filter: { users: ['jane'] }, want: true },
  {
    name: 'a user who is called like a component',
    given: act({ component: undefined, user: 'scheduler' }),
    filter: { components: ['scheduler'] },
    want: false,
  },
  { name: 'a component where a user is wanted', filter: { users: ['system:kube-scheduler'] }, want: false },
  { name: 'routine', given: act({ isRoutine: true }), filter: {}, want: false },
  { name: 'routine too', given: act({ isRoutine: true }), filter: { all: true }, want: true },
];
for (const { name, given = act(), filter, want } of rows) test(`is it wanted? ${name}`, () => assert.equal(isWanted(given, filter), want));

test('a reader that is too slow is told how many it lost, in their place', async () => {
  const reader = new ActReader({}, () => undefined);
  for (let i = 0; i < 2003; i++) reader.take(act({ verb: String(i) }));
  assert.equal(((await reader.next()).value as Act).verb, '0');
  reader.take(act({ verb: 'then' }));
  reader[Symbol.dispose]();
  const read = [];
  for await (const each of reader) read.push('lost' in each ? each.lost : 'verb' in each ? each.verb : each.start);
  assert.deepEqual(read.slice(-3), ['1999', 3, 'then']);
  assert.equal(read.length, 2001);
});

test('who leaves ends what waits for the next', async () => {
  let ended = 0;
  const reader = new ActReader({}, () => ended++);
  const next = reader.next();
  await reader.return();
  assert.deepEqual([(await next).done, ended], [true, 1]);
});
