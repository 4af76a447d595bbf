/**
 * The directories that a user's own files are in, as the XDG base directory specification and kubectl have them. Nothing
 * is guessed from a HOME that is empty, or is no path: it would name a place that nobody meant.
 */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { makeFolders } from '../../client/files/make-folders.ts';
import { OperationError } from '../operation-error.ts';

/** HOME; where there is none, what the system's list of users says. It is not made: who has none is told so. */
export function homeDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const home = env['HOME'] ?? homeOfUser();
  if (home !== undefined && isAbsolute(home) && existsSync(home)) return home;
  const why =
    home === undefined
      ? 'HOME is not set, and the system knows no home of this user'
      : `your home directory, ${JSON.stringify(home)}, is not there`;
  throw new OperationError({ code: 'no-home', message: why, fix: 'set HOME to your home directory: export HOME=/…' });
}

function homeOfUser(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    return undefined; // a user by number alone
  }
}

/** What is no absolute path is ignored, as the specification says. */
function directory(named: string | undefined, below: readonly string[], env: NodeJS.ProcessEnv): string {
  return named !== undefined && isAbsolute(named) ? named : join(homeDirectory(env), ...below);
}

export const dataHome = (env: NodeJS.ProcessEnv = process.env): string => directory(env['XDG_DATA_HOME'], ['.local', 'share'], env);
export const cacheHome = (env: NodeJS.ProcessEnv = process.env): string => directory(env['XDG_CACHE_HOME'], ['.cache'], env);

/** Where copies lie of what can be made or fetched again: in the user's own directory, since what is found there is run. Throws where there is no home. */
export const userCache = (): string => join(cacheHome(), 'timonier');

/** Throws where none can be made, too. */
export function makeUserCache(): string {
  makeFolders(userCache(), 0o700);
  return userCache();
}
