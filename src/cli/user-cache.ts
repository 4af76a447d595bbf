/** Where the user's copies lie of what can be made or fetched again: in his own directory, since what is found there is run. */
import { homedir } from 'node:os';
import { join } from 'node:path';

export const userCache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'timonier');
