/**
 * Which pods a cluster that stops still waits for: their names are asked of its API beforehand, and whether they run is
 * seen by the cgroups of this machine's processes, since nobody answers meanwhile. Pods of simulated nodes have none.
 */
import { Pod } from '../../api/generated/kinds.ts';
import { accessOf, parseKubeconfig } from '../../client/kubeconfig.ts';
import { processFile, processIds } from '../machine/processes.ts';
import { clusterCgroup } from '../nodes/real-node.ts';
import { commandClient } from './command-client.ts';

/** `NAMESPACE/NAME`, by uid */
type PodNames = ReadonlyMap<string, string>;

/** The stop does not wait longer for what is only told. */
const answerMsMax = 1000;

/** None, when the cluster does not answer. */
export async function readPodNames(kubeconfig: string | undefined): Promise<PodNames> {
  if (kubeconfig === undefined) return new Map();
  const access = await accessOf(await parseKubeconfig(kubeconfig));
  const client = commandClient(access);
  try {
    const { items } = await client.list(Pod, { signal: AbortSignal.timeout(answerMsMax) });
    return new Map(items.map(({ metadata: { uid = '', namespace, name } }) => [uid, `${namespace}/${name}`]));
  } catch {
    return new Map(); // then they have no names
  } finally {
    await client[Symbol.asyncDispose]();
  }
}

/** Sorted; one whose name is not known by its uid. */
export function runningOf(names: PodNames, cluster: string): string[] {
  return podsInCgroups(
    cluster,
    processIds().map((pid) => processFile(pid, 'cgroup')),
  )
    .map((uid) => names.get(uid) ?? uid)
    .sort();
}

/** The uids in the paths of cgroups below the cluster's own. Format: cgroups(7), /proc/PID/cgroup. */
export function podsInCgroups(cluster: string, cgroups: readonly string[]): string[] {
  const paths = cgroups.flatMap((text) => text.split('\n')).filter((line) => line.includes(`:/${clusterCgroup(cluster)}/`));
  return [...new Set(paths.flatMap((path) => /\/pod([^/]+)/.exec(path)?.[1] ?? []))];
}
