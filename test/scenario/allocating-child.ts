/**
 * A program that is an API server on an LMDB store, with clients that race on it until it is killed; it says a line on
 * standard output for each act that is over. Arguments: path, seed.
 */
import { writeSync } from 'node:fs';
import { isStatusError } from '../../src/api/meta/status-error.ts';
import { realClock, seededRandom } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { openLmdbStore } from '../../src/control-plane/store/lmdb-store.ts';
import { act, limit, startAllocatingServer } from '../kit/allocations.ts';

const clients = 8;
const [path = '', seed = '0'] = process.argv.slice(2);

// Ends with its parent, if not before.
process.stdin.resume().on('end', () => process.exit());

const clock = realClock;
const storage = await openLmdbStore({ path, clock, log: silentLog });
const { loopback: client } = await startAllocatingServer(storage, { clock, seed: Number(seed) });
await limit(client).catch((error: unknown) => {
  if (!isStatusError(error) || error.reason !== 'AlreadyExists') throw error;
});
const random = seededRandom(Number(seed));
await Promise.all(Array.from({ length: clients }, actForEver));

async function actForEver(): Promise<never> {
  for (;;) {
    await act(client, () => random.next());
    writeSync(1, '.\n');
  }
}
