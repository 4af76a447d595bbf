/**
 * The last step of every write: encode once, compare and swap, and wait until the cache shows it. A resolved write is
 * durable, and every later read of this server sees it. What replaces an object keeps its managed part.
 */
import type { KubeObject } from '../../api/meta/object.ts';
import { errors, StatusError } from '../../api/meta/status-error.ts';
import type { Revision } from '../store/storage.ts';
import type { ResourceRequest } from './api-request.ts';
import type { Core } from './core.ts';
import type { ServedKind } from './served-kinds.ts';
import { Draft, StoredObject } from './stored-object.ts';

/** How long a write that is on its way to the disk is waited for. */
const pendingMs = 1000;

/** As etcd, whose clusters this cluster's objects may have to go to; counted in JSON. */
const objectBytesMax = 1.5 * 1024 * 1024;

export interface Write {
  /** on whose behalf */
  readonly cause: ResourceRequest;
  readonly object: KubeObject;
  /** what it replaces, or where something new is put */
  readonly at: StoredObject | { readonly key: string; readonly lease: number | undefined };
}

/** Undefined: somebody else was faster (or, for a create, the name is taken). Throws for what is too large. */
export async function commitObject(core: Core, served: ServedKind, { cause, object, at }: Write): Promise<StoredObject | undefined> {
  const old = at instanceof StoredObject ? at : undefined;
  const draft = new Draft(served.toStored(object), old?.managed);
  if (draft.size > objectBytesMax) throw new StatusError({ code: 500, reason: '', message: 'etcdserver: request is too large' });
  const { key, lease } = at;
  const expect = old?.revision ?? 'absent';
  const result = await core.storage.commit([{ key, expect, ...draft.puts, ...(lease !== undefined && { lease }) }]);
  if (!result.ok) {
    await awaitChange(core, served, key, result.actual);
    return undefined;
  }
  await core.cache.caughtUp(result.revision);
  // The cache holds the object unless a later write has replaced it already.
  const cached = served.cache.byKey(key);
  const stored = cached?.revision === result.revision ? cached : draft.storedAs({ key, revision: result.revision, lease });
  if (core.acts.isWatched) core.acts.changed(cause, old?.object, stored.object);
  return stored;
}

/** False: somebody else was faster. */
export async function commitDelete(
  core: Core,
  served: ServedKind,
  old: StoredObject,
  cause: ResourceRequest,
): Promise<Revision | undefined> {
  const result = await core.storage.commit([{ key: old.key, expect: old.revision }]);
  if (!result.ok) {
    await awaitChange(core, served, old.key, result.actual);
    return undefined;
  }
  await core.cache.caughtUp(result.revision);
  if (core.acts.isWatched) core.acts.changed(cause, old.object, undefined);
  return result.revision;
}

/** After a lost race: waits until the cache has seen what it was lost to, so that the next attempt starts from there. */
async function awaitChange(core: Core, served: ServedKind, key: string, actual: Revision): Promise<void> {
  // Its kind went meanwhile: the cache would never show what it was lost to.
  if (served.cache.isClosed) throw errors.pathNotFound();
  const change = actual > 0 ? core.cache.caughtUp(actual) : served.cache.byKey(key) && core.cache.nextChange();
  if (!change) return;
  // A pending write that fails never comes: then the next attempt finds out.
  const done = new AbortController();
  await Promise.race([change, core.clock.sleep(pendingMs, done.signal).catch(() => undefined)]);
  done.abort();
}
