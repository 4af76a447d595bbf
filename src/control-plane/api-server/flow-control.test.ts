import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isStatusError } from '../../api/meta/status-error.ts';
import { FlowControl, type Leave } from './flow-control.ts';

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
