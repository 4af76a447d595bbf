/**
 * Adoption and release: an owner takes the orphans that its selector matches, and lets go of what it no longer matches.
 *
 * Guarantees: nothing that another controller holds is touched; before the first adoption the owner is read afresh, so
 * that one that is gone or being deleted adopts nothing; patches carry the object's uid, so that a namesake is spared.
 * Upstream: pkg/controller/controller_ref_manager.go.
 */
import { type KindRef, type KubeObject, keyOf, parseKey } from '../../api/meta/object.ts';
import { isInvalid, isNotFound } from '../../api/meta/status-error.ts';
import type { Client } from '../../client/client.ts';
import { controllerOf, controllerReference } from './owner.ts';
import { settleAll } from './slow-start.ts';

export interface Adopter<T extends KubeObject> {
  readonly owner: KubeObject;
  readonly ownerKind: KindRef;
  readonly kind: KindRef<T>;
  readonly matches: (object: T) => boolean;
  /** put on what is adopted, taken off what is released */
  readonly finalizer?: string;
}

/** Those of `objects` that the owner controls now. */
export async function adoptAndRelease<T extends KubeObject>(
  client: Client,
  adopter: Adopter<T>,
  objects: readonly T[],
): Promise<readonly T[]> {
  const { owner, matches } = adopter;
  const controlled: T[] = [];
  const changes: Promise<T | undefined>[] = [];
  let mayAdopt: Promise<void> | undefined;
  for (const object of objects) {
    const controller = controllerOf(object);
    if (controller && controller.uid !== owner.metadata.uid) continue;
    if (controller && matches(object)) controlled.push(object);
    else if (owner.metadata.deletionTimestamp) continue;
    else if (controller) changes.push(release(client, adopter, object));
    else if (!object.metadata.deletionTimestamp && matches(object)) {
      mayAdopt ??= checkOwner(client, adopter);
      changes.push(mayAdopt.then(() => adopt(client, adopter, object)));
    }
  }
  if (changes.length === 0) return controlled;
  return controlled.concat((await settleAll(changes)).filter((object) => object !== undefined));
}

async function checkOwner<T extends KubeObject>(client: Client, { owner, ownerKind }: Adopter<T>): Promise<void> {
  const fresh = await client.get(ownerKind, parseKey(keyOf(owner)));
  if (fresh.metadata.uid !== owner.metadata.uid) {
    throw new Error(`original ${ownerKind.kind} ${keyOf(owner)} is gone: got uid ${fresh.metadata.uid}, wanted ${owner.metadata.uid}`);
  }
  if (fresh.metadata.deletionTimestamp) {
    throw new Error(`${keyOf(owner)} has just been deleted at ${fresh.metadata.deletionTimestamp}`);
  }
}

async function adopt<T extends KubeObject>(client: Client, adopter: Adopter<T>, object: T): Promise<T | undefined> {
  const { kind, owner, ownerKind, finalizer } = adopter;
  const metadata = {
    uid: object.metadata.uid,
    ownerReferences: [controllerReference(ownerKind, owner)],
    ...(finalizer && { finalizers: [finalizer] }),
  };
  try {
    return await client.patch(kind, parseKey(keyOf(object)), { type: 'strategic', body: { metadata } });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function release<T extends KubeObject>(client: Client, adopter: Adopter<T>, object: T): Promise<undefined> {
  const { kind, owner, finalizer } = adopter;
  const metadata = {
    uid: object.metadata.uid,
    ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }],
    ...(finalizer && { '$deleteFromPrimitiveList/finalizers': [finalizer] }),
  };
  try {
    await client.patch(kind, parseKey(keyOf(object)), { type: 'strategic', body: { metadata } });
  } catch (error) {
    // Gone, or a namesake that is not ours.
    if (!isNotFound(error) && !isInvalid(error)) throw error;
  }
}
