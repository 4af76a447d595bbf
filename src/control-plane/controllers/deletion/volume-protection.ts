/**
 * Claims, volumes and volume attribute classes stay while they are in use, however early they are deleted: each carries
 * a finalizer, which is taken off when the object is to go and nothing uses it any more. The caches may lag, so before
 * that the server is asked.
 * A claim is used by pods that are on a node and have not finished, a volume by the claim that it is bound to, a class
 * by the claims and volumes that name it.
 * Upstream: pkg/controller/volume/{pvcprotection,pvprotection,vacprotection}.
 */
import { PersistentVolume, PersistentVolumeClaim, Pod, VolumeAttributesClass } from '../../../api/generated/kinds.ts';
import type { KindRef, KubeObject, ObjectKey } from '../../../api/meta/object.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { claimKeysOf as claimsOf } from '../../../api/predicates/claims.ts';
import { isPodTerminal } from '../../../api/predicates/pod-state.ts';
import type { Client } from '../../../client/client.ts';
import { type Controller, type ControllerIO, defineController, type Watched, watched } from '../../../client/controllers/controller.ts';

interface Protection<T extends KubeObject> {
  readonly name: string;
  readonly kind: KindRef<T>;
  readonly finalizer: string;
  // biome-ignore lint/suspicious/noExplicitAny: each entry has a T of its own
  readonly users: readonly Watched<any>[];
  isUsed(object: T, client: Client): Promise<boolean>;
}

function protect<T extends KubeObject>({ name, kind, finalizer, users, isUsed }: Protection<T>): Controller {
  async function reconcile(key: ObjectKey, { client }: ControllerIO): Promise<void> {
    const object = client.informer(kind).get(key);
    if (!object) return;
    const finalizers = object.metadata.finalizers ?? [];
    const isProtected = finalizers.includes(finalizer);
    const isLeaving = object.metadata.deletionTimestamp !== undefined;
    if (isProtected !== isLeaving || (isLeaving && (await isUsed(object, client)))) return;
    const next = isLeaving ? finalizers.filter((each) => each !== finalizer) : [...finalizers, finalizer];
    try {
      await client.update(kind, { ...object, metadata: { ...object.metadata, finalizers: next } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return defineController({ name, watches: [watched(kind), ...users], reconcile });
}

export const claimProtection = protect({
  name: 'pvc-protection-controller',
  kind: PersistentVolumeClaim,
  finalizer: 'kubernetes.io/pvc-protection',
  users: [watched(Pod, (pod, old) => [...claimsOf(pod), ...(old && old.metadata.uid !== pod.metadata.uid ? claimsOf(old) : [])])],
  async isUsed({ metadata: { namespace, name } }, client) {
    const key = `${namespace}/${name}`;
    const uses = (pod: Pod): boolean => Boolean(pod.spec.nodeName) && !isPodTerminal(pod) && claimsOf(pod).includes(key);
    if (client.informer(Pod).index('claim', claimsOf)(key).some(uses)) return true;
    return (await client.list(Pod, { namespace })).items.some(uses);
  },
});

export const volumeProtection = protect({
  name: 'pv-protection-controller',
  kind: PersistentVolume,
  finalizer: 'kubernetes.io/pv-protection',
  users: [],
  isUsed: async ({ status }) => status?.phase === 'Bound',
});

export const attributesClassProtection = protect({
  name: 'volumeattributesclass-protection-controller',
  kind: VolumeAttributesClass,
  finalizer: 'kubernetes.io/vac-protection',
  users: [
    watched(PersistentVolumeClaim, (claim, old) => [...classesOfClaim(claim), ...(old ? classesOfClaim(old) : [])]),
    watched(PersistentVolume, (volume, old) => [...classesOfVolume(volume), ...(old ? classesOfVolume(old) : [])]),
  ],
  async isUsed({ metadata: { name } }, client) {
    const byVolume = (volume: PersistentVolume): boolean => classesOfVolume(volume).includes(name);
    const byClaim = (claim: PersistentVolumeClaim): boolean => classesOfClaim(claim).includes(name);
    if (client.informer(PersistentVolume).list().some(byVolume)) return true;
    if (client.informer(PersistentVolumeClaim).list().some(byClaim)) return true;
    return (await client.list(PersistentVolume)).items.some(byVolume) || (await client.list(PersistentVolumeClaim)).items.some(byClaim);
  },
});

/** The class that is wanted, the one that is there, and the one on its way. */
function classesOfClaim({ spec, status }: PersistentVolumeClaim): readonly ObjectKey[] {
  const { currentVolumeAttributesClassName, modifyVolumeStatus } = status ?? {};
  const names = [spec.volumeAttributesClassName, currentVolumeAttributesClassName, modifyVolumeStatus?.targetVolumeAttributesClassName];
  return names.flatMap((name) => (name ? [name] : []));
}

const classesOfVolume = ({ spec }: PersistentVolume): readonly ObjectKey[] =>
  spec.volumeAttributesClassName ? [spec.volumeAttributesClassName] : [];
