import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { openMemoryStore } from './memory-store.ts';
import type { Revision } from './storage.ts';

test('a writer that never stops leaves turns to the rest of the process', async () => {
  await using store = openMemoryStore({ clock: new VirtualClock() });
  let revision: Revision = 1;
  const written = async (until: () => boolean): Promise<number> => {
    let count = 0;
    for (; !until() && count < 100_000; count++) {
      const result = await store.commit([{ key: '/k', put: new Uint8Array() }]);
      if (result.ok) revision = result.revision;
    }
    return count;
  };
  assert.equal(await written(() => revision >= 200), 199, 'a chain of some writes is one turn');
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  assert.ok((await written(() => turned)) <= 500);
});
