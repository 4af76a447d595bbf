/** Somebody flushes all rules of the kernel, and a kept table is in its place again. In a network namespace of its own. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { realClock } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { networkTools } from '../../src/node/network/network-tools.ts';
import { KeptTable } from '../../src/node/nft/kept-table.ts';
import { emptyRuleset } from '../../src/node/nft/ruleset.ts';
import { TableWatch } from '../../src/node/nft/table-watch.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const table = { family: 'inet', name: 'kept', base: '  chain c { }\n' } as const;
const probe = { family: 'inet', name: 'probe' } as const;

if (inOwnNamespaces(import.meta.url))
  describe('a kept table that somebody deletes', () => {
    it('is written anew, whole', async () => {
      const [clock, log, tools] = [realClock, silentLog, networkTools()];
      await using watch = new TableWatch({ clock, log });
      let hears = false;
      using _probe = watch.on(probe, () => {
        hears = true;
      });
      while (!hears) await tools.nft(`add table inet ${probe.name}\ndelete table inet ${probe.name}\n`); // until nft monitor listens

      let inPlace = Promise.withResolvers<void>();
      const applied = (tookMs?: number): void => {
        if (tookMs !== undefined) inPlace.resolve(); // not what was only looked at: the table's own writing is a deletion, too
      };
      const plan = () => ({ ...emptyRuleset, chains: new Map([['a', ['accept']]]) });
      await using kept = new KeptTable({ table, tools, clock, log, plan, applied, watch });
      kept.changed();
      await inPlace.promise;
      for (const foreign of ['flush ruleset\n', `add table inet ${table.name}\ndelete table inet ${table.name}\n`]) {
        inPlace = Promise.withResolvers();
        await tools.nft(foreign);
        await inPlace.promise;
        const chains = (await tools.nftList('table', 'inet', table.name)).flatMap((each) => ('chain' in each ? [each.chain] : []));
        assert.deepEqual(
          chains.map((chain) => (chain as { name: string }).name),
          ['c', 'a'],
        );
      }
    });
  });
