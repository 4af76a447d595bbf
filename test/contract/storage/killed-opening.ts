/**
 * A program that opens an LMDB store and is killed (SIGKILL) at the Nth point where opening is about to write something,
 * or has just written it. Arguments: path, N. When there are fewer points, it ends by itself.
 *
 * It stands between the store and the `lmdb` package, whose classes can't be reached before a file is opened.
 */
import { registerHooks } from 'node:module';
import { open as openLmdb, type RootDatabase, type RootDatabaseOptionsWithPath } from 'lmdb';
import { realClock } from '../../../src/client/clock.ts';
import { silentLog } from '../../../src/client/log.ts';
import { openLmdbStore } from '../../../src/control-plane/store/lmdb-store.ts';

const [path = '', point = ''] = process.argv.slice(2);
let passed = 0;
const pass = (): void => {
  if (++passed === Number(point)) process.kill(process.pid, 'SIGKILL');
};

/** @public what the store gets as the package's */
export function open(options: RootDatabaseOptionsWithPath): RootDatabase {
  const root = openLmdb(options);
  const prototype = Object.getPrototypeOf(root) as { putSync(...args: unknown[]): boolean };
  const { putSync } = prototype;
  prototype.putSync = function (...args) {
    pass();
    const done = putSync.apply(this, args);
    pass();
    return done;
  };
  return root;
}

registerHooks({
  resolve: (specifier, context, next) => (specifier === 'lmdb' ? { url: import.meta.url, shortCircuit: true } : next(specifier, context)),
});

// Not awaited: the store imports this file, and would wait for its end.
void openLmdbStore({ path, clock: realClock, log: silentLog }).then(async (store) => {
  process.stdout.write(`opened at ${await store.latestRevision()}\n`);
  await store[Symbol.asyncDispose]();
});
