/**
 * The entry: before anything else is loaded it turns the compile cache on and the debugger off, where the launcher has
 * not done so.
 */
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { detach } from '../client/detached.ts';

// In the user's own directory, since what is found there is run. Child processes take it from the environment.
process.env['NODE_COMPILE_CACHE'] ??= join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'timonier');
enableCompileCache();
// Else SIGUSR1 would open a debugger to everybody on the machine. Processes started from here get --disable-sigusr1.
process.on('SIGUSR1', () => undefined);
// Nothing is awaited here: the package's first file (start.cjs) takes this one by `require`.
detach(
  async () => (await import('./program.ts')).main(process.argv),
  (error) => {
    throw error;
  },
);
