/**
 * The cgroups that a cluster made, in every hierarchy that the machine has (v1, v2 or both). A claim is an empty group in
 * one of them: whoever sees these hierarchies sees whose they are, whatever other namespaces it is in.
 */
import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cgroupMounts } from './cgroup-mounts.ts';

/** Directories of this name right below each hierarchy's root. */
async function groupsNamed(name: string): Promise<string[]> {
  return (await cgroupMounts()).map(({ path }) => join(path, name));
}

/** Processes anywhere below `/NAME`. */
export async function processesInGroup(name: string): Promise<number[]> {
  const pids = new Set<number>();
  for (const group of await groupsNamed(name)) {
    for (const dir of await groupsBelow(group)) {
      const procs = await readFile(join(dir, 'cgroup.procs'), 'utf8').catch(() => '');
      for (const line of procs.split('\n')) if (line !== '') pids.add(Number(line));
    }
  }
  return [...pids];
}

/** Removes `/NAME` with everything below it; its processes must have ended. */
export async function removeGroup(name: string): Promise<void> {
  for (const group of await groupsNamed(name)) for (const dir of await groupsBelow(group)) await removeDirectory(dir);
}

/** No node is named so. */
const claimPrefix = 'claim.';

/** Those on `/NAME`. */
export async function claimsOf(name: string): Promise<string[]> {
  const entries = await Promise.all((await groupsNamed(name)).map((group) => readdir(group).catch(() => [])));
  return entries.flat().flatMap((entry) => (entry.startsWith(claimPrefix) ? [entry.slice(claimPrefix.length)] : []));
}

export async function claimGroup(name: string, claim: string): Promise<void> {
  const [group] = await groupsNamed(name);
  if (group !== undefined) await mkdir(join(group, `${claimPrefix}${claim}`), { recursive: true });
}

export async function giveUpClaim(name: string, claim: string): Promise<void> {
  for (const group of await groupsNamed(name)) {
    await removeDirectory(join(group, `${claimPrefix}${claim}`));
    await rmdir(group).catch(() => undefined); // while something is in it, it stays
  }
}

/** Deepest first. */
async function groupsBelow(group: string): Promise<string[]> {
  const entries = await readdir(group, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return [];
  const below = await Promise.all(entries.filter((entry) => entry.isDirectory()).map(({ name }) => groupsBelow(join(group, name))));
  return [...below.flat(), group];
}

async function removeDirectory(dir: string): Promise<void> {
  await rmdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
