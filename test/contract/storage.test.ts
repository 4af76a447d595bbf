/** The contract of `Storage` (src/control-plane/store/storage.ts), run on every implementation. */
import { after, describe } from 'node:test';
import { testCommits } from './storage/commits.ts';
import { testCompaction } from './storage/compaction.ts';
import { testLeases } from './storage/leases.ts';
import { testModel } from './storage/model.ts';
import { testRanges } from './storage/ranges.ts';
import { implementations } from './storage/stores.ts';
import { testWatches } from './storage/watches.ts';

for (const implementation of implementations) {
  describe(`the ${implementation.name} store`, { skip: implementation.missing ?? false }, () => {
    after(() => implementation.stop?.());
    testCommits(implementation);
    testRanges(implementation);
    testWatches(implementation);
    testCompaction(implementation);
    testLeases(implementation);
    testModel(implementation);
  });
}
