/**
 * Whose a cluster's name is on this machine. Its link, its nftables tables and its cgroup are called by that name, so two
 * clusters of one name, kept in two places, would end each other's pods. The link's alias and a group in the cgroup say
 * which data directory has the name: by its file system and inode, since others may see another directory at its path.
 *
 * Guarantees: a start is refused when the name is another's; what is another's is not taken away. Of a cluster that
 * was started before there were claims, whoever had nodes is the owner.
 * Leaves out: a cluster in another network namespace that has no pod yet; its own claim then keeps both apart later.
 * Specified in ADR 30.
 */
import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { linkName, linkOwner, listLinks } from '../../node/network/node-network.ts';
import { claimGroup, claimsOf, giveUpClaim, processesInGroup } from '../../node/runtime/cgroups.ts';
import { clusterCgroup } from '../nodes/real-node.ts';
import { OperationError } from '../operation-error.ts';
import { settingsFile } from '../settings/settings.ts';
import { hasBegun, type Instance, nodesDir } from './instance.ts';

type Place = Pick<Instance, 'name' | 'dir'>;

/** Of a link's alias. */
const aliasBytesMax = 240;

const claimOf = (dir: string): string => {
  const { dev, ino } = statSync(dir, { bigint: true });
  return `${dev}.${ino}`;
};

const aliasOf = (dir: string): string =>
  Buffer.from(`${claimOf(dir)} ${dir}`)
    .subarray(0, aliasBytesMax)
    .toString();

/** Takes it, for the cgroup, and gives what the link is to say; before anything of the cluster is there. */
export async function claimName({ name, dir }: Place): Promise<string> {
  const hadNodes = existsSync(nodesDir(dir));
  const owner = await linkOwner(name);
  if (owner !== undefined && !isOurs(owner, dir) && !(owner === '' && hadNodes)) {
    const where = owner.slice(owner.indexOf(' ') + 1);
    throw taken(name, where === '' ? `the link ${linkName(name)} is there, and not of this cluster` : `that one is kept in ${where}`);
  }
  const group = clusterCgroup(name);
  const claims = await claimsOf(group);
  if (!claims.includes(claimOf(dir)) && (claims.length > 0 || !hadNodes)) {
    const [pid] = await processesInGroup(group);
    if (pid !== undefined) throw taken(name, `process ${pid || 'of another container'} is in its cgroup /${group}`);
  }
  await claimGroup(group, claimOf(dir));
  return aliasOf(dir);
}

const taken = (name: string, why: string): OperationError =>
  new OperationError({
    code: 'name-in-use',
    message: `another cluster "${name}" has its nodes on this machine: ${why}`,
    fix: 'take another name, or delete that cluster first',
  });

/** Of a directory that was removed meanwhile, its path says so. */
const isOurs = (owner: string, dir: string): boolean =>
  existsSync(dir) ? owner.startsWith(`${claimOf(dir)} `) : owner.endsWith(` ${dir}`);

/** Also of a directory that was removed, as long as its link is there. */
async function claimBy({ name, dir }: Place): Promise<string | undefined> {
  if (existsSync(dir)) return claimOf(dir);
  const owner = await linkOwner(name);
  return owner !== undefined && isOurs(owner, dir) ? owner.split(' ')[0] : undefined;
}

/**
 * Of a cluster whose nodes are still on the machine: its data directory, when that was removed, or what told of the
 * cluster in it. Only root has nodes, and sees what is gone.
 */
export async function lostDirectory(name: string): Promise<string | undefined> {
  return process.geteuid?.() === 0 ? lostOf(await linkOwner(name)) : undefined;
}

function lostOf(owner: string | undefined): string | undefined {
  const dir = owner?.slice(owner.indexOf(' ') + 1) ?? '';
  if (owner === undefined || !dir.startsWith('/') || Buffer.byteLength(owner) >= aliasBytesMax) return undefined;
  return isOurs(owner, dir) && !hasBegun(dir) && !existsSync(join(dir, settingsFile)) ? dir : undefined;
}

/** All of them, as far as their names can be told: a long one is that of its directory. */
export async function lostClusters(): Promise<Place[]> {
  if (process.geteuid?.() !== 0) return [];
  return [...(await listLinks())].flatMap(([link, owner]) => {
    const dir = lostOf(owner);
    const name = [basename(dir ?? ''), link.slice(linkName('').length)].find((each) => linkName(each) === link);
    return dir === undefined || name === undefined ? [] : [{ name, dir }];
  });
}

/** Whether the network of that name may be taken away. */
export async function ownsNetwork({ name, dir }: Place): Promise<boolean> {
  const owner = await linkOwner(name);
  return owner === undefined || owner === '' || isOurs(owner, dir);
}

/** Whether every process in the cgroup of that name may be ended. */
export async function ownsGroup(place: Place): Promise<boolean> {
  const [claims, own] = await Promise.all([claimsOf(clusterCgroup(place.name)), claimBy(place)]);
  return claims.every((claim) => claim === own);
}

export async function releaseName(place: Place): Promise<void> {
  const own = await claimBy(place);
  if (own !== undefined) await giveUpClaim(clusterCgroup(place.name), own);
}
