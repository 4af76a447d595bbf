/** The contract of `Client` (src/client/client.ts), run on the in-process and the HTTPS implementation against one real server. */
import { describe } from 'node:test';
import { implementations } from './client/clients.ts';
import { testDeletes } from './client/deletes.ts';
import { testLists } from './client/lists.ts';
import { testPatches } from './client/patches.ts';
import { testSubresources } from './client/subresources.ts';
import { testWatches } from './client/watches.ts';
import { testWrites } from './client/writes.ts';
import { testWrongCalls } from './client/wrong-calls.ts';

for (const implementation of implementations) {
  describe(`the ${implementation.name} client`, () => {
    testWrites(implementation);
    testPatches(implementation);
    testLists(implementation);
    testWatches(implementation);
    testDeletes(implementation);
    testSubresources(implementation);
    testWrongCalls(implementation);
  });
}
