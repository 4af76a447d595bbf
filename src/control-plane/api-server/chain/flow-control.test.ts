import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isStatusError } from '../../../api/meta/status-error.ts';
import { FlowControl, type Leave, seatsFor } from './flow-control.ts';

const limits = { readOnlyMax: 8, mutatingMax: 4, queueMax: 8 };
const user = (name: string, ...groups: string[]) => ({ name, groups });
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Enters for these users in order; what comes back says who has been let in so far. */
function crowd(flow: FlowControl, names: readonly string[]): { readonly inside: string[]; readonly leaves: Map<string, Leave[]> } {
  const inside: string[] = [];
  const leaves = new Map<string, Leave[]>();
  const letIn = (name: string, leave: Leave): void => {
    inside.push(name);
    leaves.set(name, [...(leaves.get(name) ?? []), leave]);
  };
  for (const name of names) {
    const entered = flow.enter('readOnly', user(name));
    if (entered instanceof Promise) entered.then((leave) => letIn(name, leave), assert.fail);
    else letIn(name, entered);
  }
  return { inside, leaves };
}

it('gives one user a quarter, and others what they ask for', async () => {
  const flow = new FlowControl(limits);
  const { inside, leaves } = crowd(flow, ['a', 'a', 'a', 'b', 'c']);
  assert.deepEqual(inside, ['a', 'a', 'b', 'c']);
  assert.deepEqual([flow.executing('readOnly'), flow.waiting('readOnly'), flow.executing('mutating')], [4, 1, 0]);
  leaves.get('b')?.[0]?.();
  await settle();
  assert.deepEqual(inside, ['a', 'a', 'b', 'c']);
  leaves.get('a')?.[0]?.();
  await settle();
  assert.deepEqual(inside, ['a', 'a', 'b', 'c', 'a']);
  assert.equal(flow.waiting('readOnly'), 0);
});

it('lets the users who wait take turns', async () => {
  const flow = new FlowControl(limits);
  const { inside, leaves } = crowd(flow, ['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd', 'x', 'x', 'y', 'z']);
  assert.equal(inside.length, 8);
  for (const name of ['a', 'b', 'c', 'd']) leaves.get(name)?.[0]?.();
  await settle();
  assert.deepEqual(inside.slice(8), ['x', 'y', 'z', 'x']);
});

it('refuses a user whose queue is full, and nobody else', () => {
  const flow = new FlowControl(limits);
  crowd(flow, ['a', 'a', 'a', 'a']);
  assert.throws(
    () => flow.enter('readOnly', user('a')),
    (error) => isStatusError(error) && error.code === 429 && error.status.details?.retryAfterSeconds === 1,
  );
  assert.deepEqual(crowd(flow, ['b']).inside, ['b']);
  for (let i = 0; i < 100; i++) assert.equal(typeof flow.enter('readOnly', user('a', 'system:masters')), 'function');
});

it('gives a large body more seats: one user has few of them at a time, and they do not wait for ever', async () => {
  assert.deepEqual([0, 1, 128 * 1024, 128 * 1024 + 1, 3 * 1024 * 1024].map(seatsFor), [1, 1, 1, 2, 24]);
  const flow = new FlowControl(limits);
  const inside: string[] = [];
  const enter = async (name: string, seats: number): Promise<Leave> => {
    const leave = await flow.enter('readOnly', user(name), seats);
    inside.push(`${name}${seats}`);
    return leave;
  };
  const first = enter('a', 2);
  const second = enter('a', 2);
  const others = [enter('b', 1), enter('c', 2), enter('d', 2)];
  // More than a user's share, and more than there is: it comes when nobody else of its user is there, and there is room.
  const wide = enter('e', 6);
  const small = enter('f', 1);
  await settle();
  assert.deepEqual(inside, ['a2', 'b1', 'c2', 'd2', 'f1']);
  (await first)();
  await settle();
  assert.deepEqual(inside, ['a2', 'b1', 'c2', 'd2', 'f1', 'a2']);
  for (const entered of [...others, small, second]) (await entered)();
  await settle();
  assert.equal(inside.at(-1), 'e6');
  (await wide)();
  assert.equal(flow.executing('readOnly'), 0);
  const alone = new FlowControl(limits).enter('readOnly', user('a'), 100);
  assert.equal(typeof alone, 'function');
});
