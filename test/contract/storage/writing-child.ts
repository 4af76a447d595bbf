/**
 * A program that writes to an LMDB store until it is killed, and says on standard output what has been acknowledged:
 * a line `writer count revision` each. Arguments: path, writers, bytes of a value. On a failed write it says `failed`
 * once, and goes on until it can write again.
 *
 * Each commit writes two keys, `a/N` and `b/N`, with the same count.
 */
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { realClock } from '../../../src/client/clock.ts';
import { silentLog } from '../../../src/client/log.ts';
import { openLmdbStore } from '../../../src/control-plane/store/lmdb-store.ts';
import { type Storage, StoreUnavailableError } from '../../../src/control-plane/store/storage.ts';

const [path = '', writers = '1', valueBytes = '100'] = process.argv.slice(2);
const padding = ' '.repeat(Number(valueBytes));
const say = (line: string): number => writeSync(1, `${line}\n`);

// Ends with its parent, if not before.
process.stdin.resume().on('end', () => process.exit());

// Short history, so that sweeping is under way when the end comes.
const store = await openLmdbStore({ path, clock: realClock, log: silentLog, historyMs: 50, historyRevisions: 100 });
const lease = await store.grantLease(3600);
flushCompileCache();
say(`opened ${await store.latestRevision()}`);
await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => writeForEver(store, writer)));

async function writeForEver(store: Storage, writer: number): Promise<void> {
  const key = `a/${writer}`;
  const [item] = (await store.range({ key })).items;
  let count = item ? Number(Buffer.from(item.value)) : 0;
  let failed = false;
  for (let revision = item?.revision ?? 0; ; ) {
    const put = Buffer.from(`${count + 1}${padding}`);
    try {
      const result = await store.commit([
        { key, put, expect: revision || 'absent', lease },
        { key: `b/${writer}`, put },
      ]);
      if (!result.ok) throw new Error(`writer ${writer} lost: ${JSON.stringify(result)}`);
      revision = result.revision;
      count++;
      say(`${writer} ${count} ${revision}`);
      failed = false;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      if (!failed) say(`failed ${error.message}`);
      failed = true;
      await realClock.sleep(10);
    }
  }
}
