/**
 * Deletes what has lost its last owner, lets go of what was orphaned, and holds back what is deleted in the foreground
 * until its dependents are gone.
 *
 * Guarantees: every kind that discovery shows as listable, watchable and deletable is followed, custom ones too, as they
 * come and go (events apart: they expire); an owner counts as gone only after the API itself has said so, not on the word
 * of a cache; deletes carry the uid and revision that were judged, so that a changed object is judged anew.
 * What it does not do: keep only the metadata of what it follows; in-process the caches are shared with everybody else.
 * Upstream: pkg/controller/garbagecollector.
 */
import { APIService, CustomResourceDefinition } from '../../../api/generated/kinds.ts';
import type { OwnerReference } from '../../../api/generated/meta-v1.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { type KindRef, type KubeObject, keyOf, type ObjectKey, parseKey } from '../../../api/meta/object.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { foregroundFinalizer, orphanFinalizer } from '../../../api/meta/well-known.ts';
import { type Controller, type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import { RecentMap } from '../../../client/recent-map.ts';
import { FollowedKinds } from './followed-kinds.ts';
import { type GraphNode, isDeletingForeground, isMeant, isOrphaning, ObjectGraph, ownersOf, type UID } from './object-graph.ts';

const absentOwnersMax = 500;
const concurrency = 20;
/** Definitions come in many: what they serve is looked at once for those of a moment. */
const gatherMs = 100;
/** the one key that is no uid: look at which kinds there are */
const discoveryKey = 'discovery';

export function garbageCollector(): Controller {
  let collector: Collector | undefined;
  return defineController({
    name: 'garbage-collector-controller',
    serviceAccount: 'generic-garbage-collector',
    watches: [
      {
        ...watched(CustomResourceDefinition, (definition, old) => (changesKinds(definition, old) ? [discoveryKey] : [])),
        gatherMs: () => gatherMs,
      },
      watched(APIService, (service, old) => (isElsewhere(service) || (old && isElsewhere(old)) ? [discoveryKey] : [])),
    ],
    concurrency,
    async start(io) {
      collector = new Collector(io);
      await collector.follow(io);
    },
    async reconcile(key, io) {
      return key === discoveryKey ? collector?.follow(io) : collector?.judge(key, io);
    },
  });
}

/** Of a definition, only what it defines. */
const changesKinds = (definition: CustomResourceDefinition, old: CustomResourceDefinition | undefined): boolean =>
  !old ||
  definition.metadata.generation !== old.metadata.generation ||
  isEstablished(definition) !== isEstablished(old) ||
  !equalSemantically(definition.status.acceptedNames, old.status.acceptedNames);

const isEstablished = ({ status }: CustomResourceDefinition): boolean => isConditionTrue(status.conditions ?? [], 'Established');

/** Of what the server serves itself, its APIServices say nothing new. */
const isElsewhere = ({ spec }: APIService): boolean => spec.service !== undefined;

/** What the API says about the owners that an object names. */
interface Owners {
  /** there, and to stay */
  readonly solid: readonly OwnerReference[];
  readonly gone: readonly OwnerReference[];
  /** being deleted in the foreground: waits for its dependents */
  readonly waiting: readonly OwnerReference[];
}

class Collector {
  readonly #graph = new ObjectGraph();
  readonly #kinds: FollowedKinds;
  /** Owners that the API has said are gone, by uid and place: what is not in one place may well be in another. */
  readonly #absent = new RecentMap<string, true>(absentOwnersMax);

  constructor(io: ControllerIO) {
    const look = (uids: readonly UID[]): void => {
      for (const uid of uids) io.enqueue(uid);
    };
    this.#kinds = new FollowedKinds(io, {
      put: (kind, object) => look(this.#graph.put(kind, object)),
      remove: (object) => look(this.#graph.remove(object.metadata.uid ?? '')),
    });
  }

  follow(io: ControllerIO): Promise<Outcome> {
    return this.#kinds.refresh(io);
  }

  async judge(uid: ObjectKey, io: ControllerIO): Promise<void> {
    const node = this.#graph.get(uid);
    if (!node) return;
    const { object } = node;
    if (isOrphaning(object)) return this.#orphan(node, io);
    if (isDeletingForeground(object)) return this.#deleteDependents(node, io);
    if (object.metadata.deletionTimestamp || ownersOf(object).length === 0) return;
    const owners = await this.#ownersOf(node, io);
    if (!owners) return;
    if (owners.solid.length > 0) {
      const left = ownersOf(object).filter((reference) => owners.solid.includes(reference));
      if (left.length < ownersOf(object).length) await this.#setOwners(node, left, io);
      return;
    }
    await this.#delete(node, owners.waiting.length > 0, io);
  }

  /** undefined: an owner that can't be, in another namespace; nothing is done about it */
  async #ownersOf({ object, kind }: GraphNode, io: ControllerIO): Promise<Owners | undefined> {
    const solid: OwnerReference[] = [];
    const gone: OwnerReference[] = [];
    const waiting: OwnerReference[] = [];
    for (const reference of ownersOf(object)) {
      const ownerKind = this.#kinds.find(reference);
      if (!ownerKind) throw new Error(`no resource for the owner ${reference.apiVersion} ${reference.kind} of ${keyOf(object)}`);
      if (ownerKind.namespaced && !kind.namespaced) {
        const { apiVersion, kind: name, name: ownerName, uid } = reference;
        const identity = `[${apiVersion}/${name}, namespace: , name: ${ownerName}, uid: ${uid}]`;
        io.events.event(object, 'Warning', 'OwnerRefInvalidNamespace', `ownerRef ${identity} does not exist in namespace ""`);
        return undefined;
      }
      const owner = await this.#find(reference, ownerKind, object, io);
      if (!owner) gone.push(reference);
      else if (isDeletingForeground(owner)) waiting.push(reference);
      else solid.push(reference);
    }
    return { solid, gone, waiting };
  }

  async #find(reference: OwnerReference, ownerKind: KindRef, object: KubeObject, io: ControllerIO): Promise<KubeObject | undefined> {
    const { namespace } = object.metadata;
    const { name, uid } = reference;
    const known = this.#graph.get(uid);
    if (known && isMeant(known, reference, namespace)) return known.object;
    const place = `${uid} ${ownerKind.group}/${ownerKind.resource} ${ownerKind.namespaced ? namespace : ''}/${name}`;
    if (this.#absent.get(place)) return undefined;
    const at = { name, ...(ownerKind.namespaced && namespace && { namespace }) };
    const found = await io.client.get(ownerKind, at).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (found?.metadata.uid === uid) return found;
    this.#absent.set(place, true);
    return undefined;
  }

  /** Deletes in the way that its own finalizers ask for; in the foreground when its owner waits and it has dependents. */
  async #delete(node: GraphNode, ownerWaits: boolean, io: ControllerIO): Promise<void> {
    const { kind, object } = node;
    const dependents = this.#graph.dependentsOf(node.uid);
    const finalizers = object.metadata.finalizers ?? [];
    let propagationPolicy = 'Background';
    if (ownerWaits && dependents.length > 0) {
      // A circle of owners that wait for each other would never end.
      if (dependents.some((dependent) => isDeletingForeground(dependent.object))) await this.#unblockOwners(node, io);
      propagationPolicy = 'Foreground';
    } else if (finalizers.includes(orphanFinalizer)) propagationPolicy = 'Orphan';
    else if (finalizers.includes(foregroundFinalizer)) propagationPolicy = 'Foreground';
    const current = this.#graph.get(node.uid)?.object ?? object;
    const { uid = '', resourceVersion = '' } = current.metadata;
    const why = (): string => (ownerWaits ? 'its owner waits for it to go' : 'its owner is gone');
    const preconditions = { uid, ...(current === object && { resourceVersion }) };
    await io.client.delete(kind, parseKey(keyOf(object)), { preconditions, propagationPolicy, why }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }

  async #deleteDependents(node: GraphNode, io: ControllerIO): Promise<void> {
    const blocking = this.#graph
      .dependentsOf(node.uid)
      .filter(({ object }) => ownersOf(object).some((owner) => owner.uid === node.uid && owner.blockOwnerDeletion));
    if (blocking.length === 0) {
      await this.#removeFinalizer(node, foregroundFinalizer, io);
      // Dependents that do not block go in the background, once their owner is gone.
      return;
    }
    for (const { object, uid } of this.#graph.dependentsOf(node.uid)) if (!isDeletingForeground(object)) io.enqueue(uid);
  }

  async #orphan(node: GraphNode, io: ControllerIO): Promise<void> {
    const release = (dependent: GraphNode): Promise<void> =>
      this.#setOwners(
        dependent,
        ownersOf(dependent.object).filter(({ uid }) => uid !== node.uid),
        io,
      );
    await Promise.all(this.#graph.dependentsOf(node.uid).map(release));
    await this.#removeFinalizer(node, orphanFinalizer, io);
  }

  async #unblockOwners(node: GraphNode, io: ControllerIO): Promise<void> {
    await this.#setOwners(
      node,
      ownersOf(node.object).map((owner) => ({ ...owner, blockOwnerDeletion: false })),
      io,
    );
  }

  #setOwners(node: GraphNode, ownerReferences: readonly OwnerReference[], io: ControllerIO): Promise<void> {
    return this.#patch(node, { ownerReferences: ownerReferences.length > 0 ? ownerReferences : null }, io);
  }

  #removeFinalizer(node: GraphNode, finalizer: string, io: ControllerIO): Promise<void> {
    const left = node.object.metadata.finalizers?.filter((each) => each !== finalizer) ?? [];
    return this.#patch(node, { finalizers: left.length > 0 ? left : null }, io);
  }

  /** Fails with Conflict when the object is another, or has changed. */
  async #patch({ kind, object }: GraphNode, change: object, io: ControllerIO): Promise<void> {
    const { uid, resourceVersion } = object.metadata;
    const body = { metadata: { uid, resourceVersion, ...change } };
    await io.client.patch(kind, parseKey(keyOf(object)), { type: 'merge', body }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}
