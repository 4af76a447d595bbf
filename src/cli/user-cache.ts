/** Where the user's copies lie of what can be made or fetched again: in his own directory, since what is found there is run. */
import { join } from 'node:path';
import { makeFolders } from '../client/make-folders.ts';
import { cacheHome } from '../cluster/settings/home.ts';

/** Throws where there is no home. */
export const userCache = (): string => join(cacheHome(), 'timonier');

/** Throws where none can be made, too. */
export function makeUserCache(): string {
  makeFolders(userCache(), 0o700);
  return userCache();
}
