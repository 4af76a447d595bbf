/**
 * The entry: before anything else is loaded it turns the compile cache on and the debugger off, where the launcher has
 * not done so.
 */
import { enableCompileCache } from 'node:module';
import { detach } from '../client/detached.ts';
import { makeUserCache } from '../cluster/settings/home.ts';

// Child processes take it from the environment.
try {
  process.env['NODE_COMPILE_CACHE'] ??= makeUserCache();
  enableCompileCache();
} catch {
  // no home, or none can be made there: no cache
}
// Else SIGUSR1 would open a debugger to everybody on the machine. Processes started from here get --disable-sigusr1.
process.on('SIGUSR1', () => undefined);
// Nothing is awaited here: the package's first file (start.cjs) takes this one by `require`.
detach(
  async () => (await import('./program.ts')).main(process.argv),
  (error) => {
    throw error;
  },
);
