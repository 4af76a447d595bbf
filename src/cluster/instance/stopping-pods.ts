/**
 * Which pods a cluster that stops still waits for, and how long: their names are asked of its API beforehand, and whether they run is
 * seen by the cgroups of this machine's processes, since nobody answers meanwhile. Pods of simulated nodes have none.
 */
import { Pod } from '../../api/generated/kinds.ts';
import { accessOf, parseKubeconfig } from '../../client/files/kubeconfig.ts';
import { processFile, processIds } from '../../client/processes.ts';
import { graceSecondsMin } from '../../node/kubelet/pod/kill-pod.ts';
import { podGraceSecondsMax } from '../machine/end-process.ts';
import { clusterCgroup } from '../nodes/real-node.ts';
import { commandClient } from './control-client.ts';

export interface WaitedPod {
  /** NAMESPACE/NAME */
  readonly name: string;
  /** that its node gives it */
  readonly graceSeconds: number;
}
type WaitedPods = ReadonlyMap<string, WaitedPod>;

/** The stop does not wait longer for what is only told. */
const answerMsMax = 1000;

/** None, when the cluster does not answer. */
export async function readWaitedPods(kubeconfig: string | undefined): Promise<WaitedPods> {
  if (kubeconfig === undefined) return new Map();
  await using client = commandClient(await accessOf(await parseKubeconfig(kubeconfig)));
  try {
    const { items } = await client.list(Pod, { signal: AbortSignal.timeout(answerMsMax) });
    return new Map(items.map((pod) => [pod.metadata.uid, waitedPod(pod)]));
  } catch {
    return new Map(); // then they have no names
  }
}

const waitedPod = ({ metadata: { namespace, name }, spec: { terminationGracePeriodSeconds = podGraceSecondsMax } }: Pod): WaitedPod => ({
  name: `${namespace}/${name}`,
  graceSeconds: Math.min(Math.max(terminationGracePeriodSeconds, graceSecondsMin), podGraceSecondsMax),
});

/** By name; one that is not known by its uid. */
export function runningOf(known: WaitedPods, cluster: string): WaitedPod[] {
  return podsInCgroups(
    cluster,
    processIds().map((pid) => processFile(pid, 'cgroup')),
  )
    .map((uid) => known.get(uid) ?? { name: uid, graceSeconds: podGraceSecondsMax })
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** The uids in the paths of cgroups below the cluster's own. Format: cgroups(7), /proc/PID/cgroup. */
export function podsInCgroups(cluster: string, cgroups: readonly string[]): string[] {
  const paths = cgroups.flatMap((text) => text.split('\n')).filter((line) => line.includes(`:/${clusterCgroup(cluster)}/`));
  return [...new Set(paths.flatMap((path) => /\/pod([^/]+)/.exec(path)?.[1] ?? []))];
}
