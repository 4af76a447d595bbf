/**
 * A claim of access mode ReadWriteOncePod is for one pod in the whole cluster. Making that pod go helps.
 * What it does not do: disks of providers and iSCSI that no two pods may share; such volumes are not mounted here.
 * Upstream: plugins/volumerestrictions.
 */
import type { ObjectKey } from '../../../api/meta/object.ts';
import { always, defineClusterPlugin, reject } from '../framework.ts';
import type { PodFacts } from '../pod-facts.ts';
import type { Volumes } from './plan-pod-volumes.ts';

const name = 'VolumeRestrictions';
const inUse = reject(
  name,
  'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
);

interface State {
  readonly exclusive: readonly ObjectKey[];
  /** how many pods on nodes have one of them */
  users: number;
}

export const volumeRestrictions = (volumes: Volumes) =>
  defineClusterPlugin<State, undefined>({
    name,
    scope: 'cluster',
    unblockedBy: { 'pod-removed': (pod, { old }) => countShared(pod.claims, old) > 0, 'node-added': always, 'claim-changed': always },
    preFilter(pod, table) {
      const exclusive = pod.claims.filter((key) => isExclusive(pod, key, volumes));
      if (exclusive.length === 0) return undefined;
      return { exclusive, users: exclusive.filter((key) => table.claimUsers.has(key)).length };
    },
    filter: (_pod, _node, { users }) => (users > 0 ? inUse : undefined),
    change(_pod, { other, by }, state) {
      state.users += by * countShared(state.exclusive, other);
    },
  });

const countShared = (keys: readonly ObjectKey[], other: PodFacts): number => keys.filter((key) => other.claims.includes(key)).length;

function isExclusive({ namespace }: PodFacts, key: ObjectKey, volumes: Volumes): boolean {
  const claim = volumes.claim(namespace, key.slice(namespace.length + 1));
  return claim?.spec.accessModes?.includes('ReadWriteOncePod') ?? false;
}
