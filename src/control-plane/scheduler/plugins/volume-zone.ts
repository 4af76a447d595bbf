/**
 * A pod goes where its volumes are, by the zone and region that their labels say; a node that says neither does.
 * Upstream: plugins/volumezone.
 */
import type { PersistentVolume } from '../../../api/generated/kinds.ts';
import { regionLabel, zoneLabel } from '../../../api/meta/well-known.ts';
import { own } from '../../../api/meta/words.ts';
import { labelOf } from '../../../api/predicates/node-selection.ts';
import { always, defineClusterPlugin, rejectForGood } from '../framework.ts';
import type { Volumes } from './plan-pod-volumes.ts';

const name = 'VolumeZone';
const elsewhere = rejectForGood(name, 'node(s) had no available volume zone');
/** The older names, and what nodes say instead. */
const keys = new Map([
  ['failure-domain.beta.kubernetes.io/zone', zoneLabel],
  ['failure-domain.beta.kubernetes.io/region', regionLabel],
  [zoneLabel, zoneLabel],
  [regionLabel, regionLabel],
]);
const separator = '__';

interface Place {
  readonly key: string;
  readonly values: readonly string[];
}

export const volumeZone = (volumes: Volumes) =>
  defineClusterPlugin<readonly Place[], undefined>({
    name,
    scope: 'cluster',
    unblockedBy: { 'claim-changed': always, 'volumes-changed': always, 'node-added': always, 'node-changed': always },
    preFilter(pod) {
      const places = pod.claims.flatMap((key) => {
        const claim = volumes.claim(pod.namespace, key.slice(pod.namespace.length + 1));
        const volume = claim?.spec.volumeName ? volumes.volume(claim.spec.volumeName) : undefined;
        return volume ? placesOf(volume) : [];
      });
      return places.length > 0 ? places : undefined;
    },
    filter(_pod, { node }, places) {
      if ([...keys.keys()].every((key) => labelOf(node, key) === undefined)) return undefined;
      const isThere = ({ key, values }: Place): boolean => values.includes(labelOf(node, key) ?? labelOf(node, keys.get(key) ?? '') ?? '');
      return places.every(isThere) ? undefined : elsewhere;
    },
  });

const placesOf = ({ metadata }: PersistentVolume): Place[] =>
  [...keys.keys()].flatMap((key) => {
    const value = own(metadata.labels, key);
    return value === undefined ? [] : [{ key, values: value.split(separator) }];
  });
