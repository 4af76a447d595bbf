/**
 * Who owns whom, by uid: what the garbage collector decides from. It holds the objects that the caches hold, nothing of
 * its own, and no I/O. Changes answer with the uids that have to be looked at again.
 * Upstream: pkg/controller/garbagecollector/graph_builder.go.
 */
import type { OwnerReference } from '../../../api/generated/meta-v1.ts';
import { groupOf, type KindRef, type KubeObject } from '../../../api/meta/object.ts';
import { foregroundFinalizer, orphanFinalizer } from '../../../api/meta/well-known.ts';

export type UID = string;

export interface GraphNode {
  readonly uid: UID;
  readonly kind: KindRef;
  readonly object: KubeObject;
}

export const ownersOf = (object: KubeObject): readonly OwnerReference[] => object.metadata.ownerReferences ?? [];
const hasFinalizer = (object: KubeObject, name: string): boolean => object.metadata.finalizers?.includes(name) ?? false;
const isDeleting = (object: KubeObject): boolean => object.metadata.deletionTimestamp !== undefined;

/** Its dependents are to go before it does. */
export const isDeletingForeground = (object: KubeObject): boolean => isDeleting(object) && hasFinalizer(object, foregroundFinalizer);
/** Its dependents are to be let go of before it goes. */
export const isOrphaning = (object: KubeObject): boolean => isDeleting(object) && hasFinalizer(object, orphanFinalizer);

/** Whether a reference in an object of this namespace means the owner: the right uid in the wrong place does not. */
export function isMeant({ kind, object }: GraphNode, reference: OwnerReference, namespace: string | undefined): boolean {
  const { name } = object.metadata;
  const group = groupOf(reference.apiVersion);
  return (
    kind.kind === reference.kind &&
    kind.group === group &&
    name === reference.name &&
    (!kind.namespaced || object.metadata.namespace === namespace)
  );
}

export class ObjectGraph {
  readonly #nodes = new Map<UID, GraphNode>();
  readonly #dependents = new Map<UID, Set<UID>>();

  get size(): number {
    return this.#nodes.size;
  }

  get(uid: UID): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  dependentsOf(uid: UID): readonly GraphNode[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((each) => this.#nodes.get(each) ?? []);
  }

  /** An object is new, or has changed. */
  put(kind: KindRef, object: KubeObject): readonly UID[] {
    const uid = object.metadata.uid ?? '';
    const old = this.#nodes.get(uid)?.object;
    this.#nodes.set(uid, { uid, kind, object });
    const owners = ownersOf(object);
    const sameOwners = old !== undefined && ownersOf(old) === owners;
    if (!sameOwners) this.#relink(uid, old ? ownersOf(old) : [], owners);

    // Whoever deletes it may change his mind between the two.
    const startsDeleting = [isDeletingForeground, isOrphaning].some((is) => is(object) && !(old && is(old)));
    // Who is new, or has other owners than before, may be owned by nobody, or by somebody who is going.
    const isDoubtful = !sameOwners && owners.some((owner) => this.#isMissingOrGoing(owner, object.metadata.namespace));
    // An owner that waits for its dependents may wait for one fewer.
    const waiting = sameOwners ? [] : this.#waitingOwners(old ? ownersOf(old) : []);
    return [...(startsDeleting || isDoubtful ? [uid] : []), ...waiting];
  }

  remove(uid: UID): readonly UID[] {
    const node = this.#nodes.get(uid);
    if (!node) return [];
    this.#nodes.delete(uid);
    this.#relink(uid, ownersOf(node.object), []);
    return [...(this.#dependents.get(uid) ?? []), ...this.#waitingOwners(ownersOf(node.object))];
  }

  #isMissingOrGoing(reference: OwnerReference, namespace: string | undefined): boolean {
    const owner = this.#nodes.get(reference.uid);
    return !owner || !isMeant(owner, reference, namespace) || isDeletingForeground(owner.object);
  }

  #waitingOwners(owners: readonly OwnerReference[]): readonly UID[] {
    return owners
      .map(({ uid }) => uid)
      .filter((uid) => {
        const owner = this.#nodes.get(uid);
        return owner !== undefined && isDeletingForeground(owner.object);
      });
  }

  #relink(uid: UID, before: readonly OwnerReference[], now: readonly OwnerReference[]): void {
    for (const owner of before) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
    for (const owner of now) {
      let dependents = this.#dependents.get(owner.uid);
      if (!dependents) {
        dependents = new Set();
        this.#dependents.set(owner.uid, dependents);
      }
      dependents.add(uid);
    }
  }
}
