/**
 * A program that is an API server on an LMDB store and defines, fills and takes away custom resources until it is killed;
 * it says a line on standard output for each step that is over. Arguments: path, seed.
 */
import { writeSync } from 'node:fs';
import { Namespace } from '../../src/api/generated/kinds.ts';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import { isStatusError } from '../../src/api/meta/status-error.ts';
import { realClock, seededRandom } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { createApiServer } from '../../src/control-plane/api-server/api-server.ts';
import { openLmdbStore } from '../../src/control-plane/store/lmdb-store.ts';
import { define, definition, kindOf, undefine } from '../kit/definitions.ts';

const objects = 5;
const [path = '', seed = '0'] = process.argv.slice(2);

// Ends with its parent, if not before.
process.stdin.resume().on('end', () => process.exit());

const storage = await openLmdbStore({ path, clock: realClock, log: silentLog });
const random = seededRandom(Number(seed));
const { loopback: client } = await createApiServer({ storage, registry: builtInRegistry(), clock: realClock, random, log: silentLog });
await client.create(Namespace, { metadata: { name: 'default' }, spec: {} }).catch(() => undefined);
await Promise.all(['Cake', 'Pie', 'Tart'].map(live));

/** One definition after the other, each with objects. */
async function live(kind: string): Promise<never> {
  const wanted = definition(kind);
  for (;;) {
    try {
      await define(client, wanted);
      for (let i = 0; i < objects; i++) {
        await client.create(kindOf(wanted), { metadata: { name: `${i}`, namespace: 'default' } });
        writeSync(1, '.\n');
      }
    } catch (error) {
      // It was there when the process before was killed.
      if (!isStatusError(error)) throw error;
    }
    await undefine(client, wanted);
    writeSync(1, '.\n');
  }
}
