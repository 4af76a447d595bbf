/**
 * Makes the claims of generic ephemeral volumes: each is the pod's own, and goes with it by garbage collection.
 * Upstream: pkg/controller/volume/ephemeral.
 */
import { PersistentVolumeClaim, Pod } from '../../../api/generated/kinds.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import { claimKeysOf, claimNameOf, isMadeFor } from '../../../api/predicates/claims.ts';
import { defineController, watched } from '../../../client/controllers/controller.ts';
import { controllerReference } from '../owner.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';

const hasEphemeral = ({ spec }: Pod): boolean => spec.volumes?.some(({ ephemeral }) => ephemeral !== undefined) ?? false;

export const ephemeralVolumeController = defineController({
  name: 'ephemeral-volume-controller',
  watches: [
    watched(Pod, (pod, old) => (!old && hasEphemeral(pod) ? [keyOf(pod)] : [])),
    // one that somebody deletes is made again
    watched(PersistentVolumeClaim, (claim, _old, { client }) =>
      client.informer(Pod).index('claim', claimKeysOf)(keyOf(claim)).filter(hasEphemeral).map(keyOf),
    ),
  ],
  concurrency: 5,
  async reconcile(key, { client, events }) {
    const pod = client.informer(Pod).get(key);
    if (!pod || pod.metadata.deletionTimestamp) return;
    const { namespace } = pod.metadata;
    for (const volume of pod.spec.volumes ?? []) {
      const { metadata, spec } = volume.ephemeral?.volumeClaimTemplate ?? {};
      const name = claimNameOf(pod, volume);
      if (!spec || !name) continue;
      const fail = (why: string): void => events.event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume.name}: ${why}`);
      const there = client.informer(PersistentVolumeClaim).get(`${namespace}/${name}`);
      if (there) {
        if (!isMadeFor(there, pod))
          fail(`PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`);
        continue;
      }
      const { labels, annotations } = metadata ?? {};
      const owner = controllerReference(Pod, pod);
      try {
        const own = { namespace, name, ownerReferences: [owner], ...(labels && { labels }), ...(annotations && { annotations }) };
        await client.create(PersistentVolumeClaim, { metadata: own, spec });
      } catch (error) {
        if (isNamespaceTerminating(error)) return;
        fail(`create PVC ${name}: ${messageOf(error)}`);
        throw error;
      }
    }
  },
});
