import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longWork, type Steps } from '../../../api/meta/steps.ts';
import { takeInTurns, yieldTurn } from './yield-turn.ts';

test('one step is taken in one turn of the event loop, in the order of asking, and others come in between', async () => {
  const seen: string[] = [];
  let isOver = false;
  const others = (): void => {
    seen.push('other');
    if (!isOver) setImmediate(others);
  };
  setImmediate(others);
  const work = async (name: string): Promise<void> => {
    for (const step of [1, 2]) {
      await yieldTurn();
      seen.push(`${name}${step}`);
    }
  };
  await Promise.all([work('a'), work('b')]);
  isOver = true;
  assert.deepEqual(
    seen.filter((what) => what !== 'other'),
    ['a1', 'b1', 'a2', 'b2'],
  );
  for (const [i, what] of seen.entries()) assert.ok(what === 'other' || seen[i + 1] === 'other' || i === seen.length - 1, String(seen));
});

test('small work is done in one go, until it says that it is long', async () => {
  const seen: string[] = [];
  const steps = function* (rests: boolean): Steps<string> {
    yield;
    seen.push('one');
    if (rests) yield longWork;
    seen.push('two');
    return 'done';
  };
  assert.equal(takeInTurns(steps(false), false), 'done');
  setImmediate(() => seen.push('other'));
  const done = takeInTurns(steps(true), false);
  assert.deepEqual(seen.splice(0), ['one', 'two', 'one']);
  assert.equal(await done, 'done');
  assert.deepEqual(seen, ['other', 'two']);
});
