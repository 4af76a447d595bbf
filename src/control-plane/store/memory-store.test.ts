import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { openMemoryStore } from './memory-store.ts';

test('a writer that never stops leaves turns to the rest of the process', async () => {
  await using store = openMemoryStore({ clock: new VirtualClock() });
  const written = async (until: () => boolean): Promise<number> => {
    let count = 0;
    for (; !until() && count < 100_000; count++) await store.commit([{ key: '/k', put: new Uint8Array() }]);
    return count;
  };
  assert.equal(await written(() => store.revision >= 200), 199, 'a chain of some writes is one turn');
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  assert.ok((await written(() => turned)) <= 500);
});
