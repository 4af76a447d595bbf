import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inSlices, nextTurn } from './turns.ts';

/** Goes on from promise to promise. */
const busy = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};
const items = Array.from({ length: 100 }, (_, i) => i);

it('a timer that is due has its turn', async () => {
  let fired = false;
  setTimeout(() => {
    fired = true;
  }, 0);
  const endMs = performance.now() + 2;
  while (performance.now() < endMs);
  await nextTurn();
  assert.ok(fired);
});

describe('in slices', () => {
  it('all are acted on in their order, and timers have their turn between them', async () => {
    const acted: number[] = [];
    let actedAtTimer = 0;
    setTimeout(() => {
      actedAtTimer = acted.length;
    }, 0);
    await inSlices(items, { atOnce: 50 }, async (item) => {
      acted.push(item);
      const endMs = performance.now() + 0.2;
      while (performance.now() < endMs);
      await busy();
    });
    assert.deepEqual(acted, items);
    assert.ok(actedAtTimer > 0 && actedAtTimer < items.length, `at ${actedAtTimer}`);
  });

  it('no more than so many are under way at once', async () => {
    let underWay = 0;
    let most = 0;
    await inSlices(items, { atOnce: 7 }, async () => {
      most = Math.max(most, ++underWay);
      for (let turn = 0; turn < 5; turn++) await nextTurn();
      underWay--;
    });
    assert.equal(most, 7);
  });

  it('a signal ends it between two, a failure too; what is under way is waited for', async () => {
    const stop = new AbortController();
    let ended = 0;
    const act = async (item: number): Promise<void> => {
      if (item === 20) stop.abort(new Error('enough'));
      await nextTurn();
      ended++;
      if (item === 10) throw new Error('the eleventh');
    };
    await assert.rejects(inSlices(items.slice(11), { atOnce: 50, signal: stop.signal }, act), { message: 'enough' });
    assert.equal(ended, 10);
    ended = 0;
    await assert.rejects(inSlices(items, { atOnce: 5 }, act), { message: 'the eleventh' });
    assert.ok(ended > 10 && ended < items.length, `${ended} ended`);
  });

  it('of nothing does nothing', () => inSlices([], { atOnce: 1 }, () => assert.fail()));
});
