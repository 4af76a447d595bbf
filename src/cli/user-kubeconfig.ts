/**
 * Where the administrator's kubeconfig goes: always into the data directory; and as context `timonier-NAME` into the file
 * that was asked for, else into the user's own kubeconfig. What else such a file holds stays. `delete` removes the context
 * again, and a file that was made for it. Where the disk has no room for the user's, the one in the data directory is what
 * the user is told of.
 *
 * A file that can't be read or written is found before a start, by `checkKubeconfig`.
 */
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import {
  type Access,
  accessOf,
  isEmptyKubeconfig,
  type Kubeconfig,
  mergeKubeconfig,
  parseKubeconfig,
  readKubeconfig,
  removeContext,
  updateKubeconfig,
  writeKubeconfig,
} from '../client/files/kubeconfig.ts';
import { nearestThere } from '../client/files/make-folders.ts';
import { isDiskFull, isSpecial } from '../client/files/replace-file.ts';
import type { Instance } from '../cluster/instance/instance.ts';
import { OperationError } from '../cluster/operation-error.ts';
import { homeDirectory } from '../cluster/settings/home.ts';

/** The first file of $KUBECONFIG, else ~/.kube/config: where kubectl writes too. */
export function userKubeconfigPath(env: NodeJS.ProcessEnv = process.env): string {
  const first = env['KUBECONFIG']?.split(delimiter).find((file) => file.length > 0);
  if (first) return resolve(first);
  try {
    return join(homeDirectory(env), '.kube', 'config');
  } catch (cause) {
    const fix = 'set HOME or KUBECONFIG, or give --kubeconfig FILE';
    throw new OperationError({ code: 'no-home', message: 'there is no place for your kubeconfig', fix, cause });
  }
}

/** That it can be read and written, before anything depends on it. */
export async function checkKubeconfig(file: string): Promise<void> {
  const refuse = (message: string, cause?: unknown): never => {
    throw new OperationError({ code: 'bad-kubeconfig', message, fix: `mend or move it; or give another: --kubeconfig FILE`, cause });
  };
  try {
    await readKubeconfig(file);
  } catch (error) {
    const { message, cause } = error as Error;
    refuse(message, cause);
  }
  if (isSpecial(file)) {
    if (!statSync(file).isCharacterDevice()) refuse(`${file} is no file`);
    return; // /dev/null: who names it wants none
  }
  try {
    accessSync(file, constants.W_OK);
    accessSync(dirname(file), constants.W_OK); // it is replaced as a whole
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') refuse(`can't write the kubeconfig ${file}`, error);
    checkFolder(dirname(file), (cause) => refuse(`can't write the kubeconfig ${file}`, cause));
  }
}

/** It is there, or can be made. */
function checkFolder(dir: string, refuse: (cause: unknown) => void): void {
  const there = nearestThere(dir);
  try {
    if (!statSync(there).isDirectory()) throw new Error(`${there} is no directory`);
    accessSync(there, constants.W_OK);
    rmdirSync(mkdtempSync(join(there, '.timonier-'))); // /proc says that root may
  } catch (error) {
    if (!isDiskFull(error)) refuse(error);
  }
}

export interface Destination {
  /** absolute */
  readonly file: string;
  /** it was asked for; else it is the user's own */
  readonly isAskedFor: boolean;
}

export const destinationOf = (asked: string | undefined): Destination =>
  asked === undefined ? { file: userKubeconfigPath(), isAskedFor: false } : { file: asked, isAskedFor: true };

export interface Placed {
  readonly kubeconfig: string;
  /** the user's own does not have the context */
  readonly ownKubeconfig: boolean;
}

/** `text` is a kubeconfig whose one context is `timonier-NAME`. */
export async function placeKubeconfig(instance: Instance, text: string, { file, isAskedFor }: Destination): Promise<Placed> {
  const config = await parseKubeconfig(text);
  await writeKubeconfig(instance.kubeconfig, config);
  try {
    await updateKubeconfig(file, (before) => mergeKubeconfig(before, config));
  } catch (error) {
    if (!isDiskFull(error) || isAskedFor) throw error;
    return { kubeconfig: instance.kubeconfig, ownKubeconfig: true }; // the cluster's own serves as well
  }
  return { kubeconfig: file, ownKubeconfig: isAskedFor };
}

/** Those which have the context get what is true now; gives these. */
export async function refreshKubeconfigs(files: readonly string[], text: string): Promise<string[]> {
  const config = await parseKubeconfig(text);
  const [context] = config.contexts ?? [];
  const refreshed: string[] = [];
  for (const file of files.filter((each) => !isSpecial(each))) {
    try {
      await updateKubeconfig(file, (before) => {
        if (!hasContext(before, context?.name)) return before;
        refreshed.push(file);
        const current = before['current-context'];
        return { ...mergeKubeconfig(before, config), ...(current !== undefined && { 'current-context': current }) };
      });
    } catch {
      refreshed.push(file); // `delete` says what is wrong with it
    }
  }
  return [...new Set(refreshed)];
}

/** Out of all of them; gives what could not be done. A file that held nothing else goes, unless it is the user's own and was there before. */
export async function forgetContext(
  context: string,
  { files, made }: { readonly files: readonly string[]; readonly made: readonly string[] },
): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const file of files.filter((each) => existsSync(each) && !isSpecial(each))) {
    try {
      let left: Kubeconfig | undefined;
      await updateKubeconfig(file, (before) => {
        if (!hasContext(before, context)) return before;
        left = removeContext(before, context);
        return left;
      });
      if (left && isEmptyKubeconfig(left) && (made.includes(file) || file !== userPathIfAny())) rmSync(file);
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}

/** Whether the context is in the file, or the file is none that could have it. */
export async function isPlaced({ name }: Instance, { file }: Destination): Promise<boolean> {
  return isSpecial(file) || hasContext(await readKubeconfig(file), `timonier-${name}`);
}

const hasContext = ({ contexts }: Kubeconfig, name: string | undefined): boolean => contexts?.some((each) => each.name === name) ?? false;

export function userPathIfAny(): string | undefined {
  try {
    return userKubeconfigPath();
  } catch {
    return undefined;
  }
}

/** What a kubeconfig that the user names leads to. */
export async function accessFrom(path: string): Promise<Access> {
  try {
    return await accessOf(await parseKubeconfig(readFileSync(path, 'utf8')), { path });
  } catch (cause) {
    const fix = 'give a kubeconfig whose current context leads to the API server';
    throw new OperationError({ code: 'bad-kubeconfig', message: `can't use ${path}`, fix, cause });
  }
}
