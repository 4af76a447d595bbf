/**
 * The one way in which objects are written. A verb plans from what is stored; everything after that is here, in this order:
 *
 * 1. find what is stored now, and let the verb plan: keep it, put another object in its place, or remove it
 * 2. wait for the turn, where many writes change one object besides their own (a quota); it ends when the write is queued
 * 3. allocate: complete the object, and plan the ops that hand out and give back (allocator.ts)
 * 4. nothing changed: keep; a dry run: answer what would be stored
 * 5. commit the object (with the managed part that the plan makes, or that it had) and those ops as one, expecting of each key what the plan was made from
 * 6. lost a race: wait until the cache shows what it was lost to, and plan again
 * 7. wait until the cache shows it, and tell those who listen
 *
 * Guarantees: a resolved write is durable, and every later read of this server sees it; of a failed write nothing is
 * left; what changes nothing writes nothing and keeps its resourceVersion.
 * Upstream: apiserver/pkg/registry/generic/registry/store.go, storage/etcd3/store.go (GuaranteedUpdate).
 */
import type { ManagerName } from '../../../api/apply/managers.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors, StatusError } from '../../../api/meta/status-error.ts';
import { takeSteps } from '../../../api/meta/steps.ts';
import type { CommitResult, Op, Revision } from '../../store/storage.ts';
import type { ServedKind } from '../cache/served-kinds.ts';
import { Draft, StoredObject } from '../cache/stored-object.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { serverManager } from '../request/field-manager.ts';
import { largeBytes, yieldTurn } from '../request/yield-turn.ts';
import type { Allocation, AllocationRequest } from './allocator.ts';
import type { Part } from './managed-entries.ts';
import { isSamePart, ownChanged } from './own.ts';
import type { VerbContext } from './verb-context.ts';

/** A write that loses this often in a row gives up with a conflict. */
const attemptsMax = 100;
/** How long a write that is on its way to the disk is waited for. */
const pendingMs = 1000;
/** As etcd, whose clusters this cluster's objects may have to go to; counted in JSON. */
const objectBytesMax = 1.5 * 1024 * 1024;

/** What a verb wants of an object; in the kind's own version. */
export type WritePlan =
  | { readonly type: 'keep' }
  | {
      readonly type: 'put';
      readonly object: KubeObject;
      /** who owns its fields; absent: whoever did */
      readonly ownership?: Ownership | undefined;
      readonly lease?: number | undefined;
    }
  /** `shown`: how the client sees it go, where that is not what was stored */
  | { readonly type: 'remove'; readonly shown?: KubeObject | undefined };

/** The managed part that a write makes. */
export interface Ownership {
  readonly part: Part;
}

export interface Write {
  readonly served: ServedKind;
  /** on whose behalf */
  readonly request: ResourceRequest;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly dryRun: boolean;
  /** Called anew with the newer object after a lost race. Throws what refuses the write. Undefined: there is nothing to write to. */
  plan(stored: StoredObject | undefined): WritePlan | undefined | Promise<WritePlan | undefined>;
}

export interface WriteResult {
  readonly type: 'kept' | 'stored' | 'removed';
  /** in the stored version; of what was removed, as of its end */
  readonly stored: StoredObject;
}

/** Undefined: there was nothing to write to. Throws Conflict when others are always faster. */
export async function commitWrite(server: VerbContext, write: Write): Promise<WriteResult | undefined> {
  const { served, request } = write;
  let lost: readonly string[] = [];
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const old = served.find(write.namespace, write.name);
    const converting = old && served.converted([old]);
    if (converting) await converting;
    const plan = await write.plan(old);
    if (!plan) return undefined;
    if (plan.type === 'keep') return old && { type: 'kept', stored: old };
    const written = await perform(server, write, { plan, old, change: changeOf(write, { plan, old, lost }) });
    if (written.type !== 'lost') {
      const shown = served.converted([written.stored]);
      if (shown) await shown;
      return written;
    }
    lost = [...lost, written.key];
    request.signal.throwIfAborted();
  }
  throw errors.conflict(served.kind, write.name);
}

export interface OwnChange<T extends KubeObject> extends Omit<Write, 'plan'> {
  /** the part of the object that the server changes as a client of its own; absent: nobody owns what changes */
  readonly subresource?: string | undefined;
  /** Throws what keeps it from being done. */
  change(object: T): T;
}

/** Changes an object on the server's own account (bindings, evictions), without admission. Throws NotFound when there is none. */
export async function changeObject<T extends KubeObject>(
  server: VerbContext,
  { change, subresource, ...write }: OwnChange<T>,
): Promise<StoredObject> {
  const { served, name } = write;
  const written = await commitWrite(server, {
    ...write,
    async plan(stored) {
      if (!stored) return undefined;
      const old = served.asServed(stored).object as T;
      const object = change(old);
      if (subresource === undefined) return { type: 'put', object };
      const by: ManagerName = { manager: serverManager, operation: 'Update', apiVersion: served.apiVersion, subresource };
      const part = await takeSteps(ownChanged(server, { kind: served.kind, by, object }, { old, part: stored.managed }));
      return { type: 'put', object, ownership: { part } };
    },
  });
  if (!written) throw errors.notFound(served.kind, name);
  return written.stored;
}

type Performed = Exclude<WritePlan, { readonly type: 'keep' }>;

interface Attempt {
  readonly plan: Performed;
  readonly old: StoredObject | undefined;
  readonly change: AllocationRequest;
}
type Conflict = Extract<CommitResult, { readonly ok: false }>;
/** Somebody else was faster at this key. */
interface Lost {
  readonly type: 'lost';
  readonly key: string;
}

function perform(server: VerbContext, write: Write, attempt: Attempt): Promise<WriteResult | Lost> {
  const word = write.dryRun ? undefined : server.allocators.turn(attempt.change);
  return word === undefined ? allocateAndCommit(server, write, attempt) : performInTurn(server, write, attempt, word);
}

async function performInTurn(server: VerbContext, write: Write, attempt: Attempt, word: string): Promise<WriteResult | Lost> {
  using turn = await server.turns.take(word);
  return await allocateAndCommit(server, write, attempt, turn);
}

function changeOf(
  { served, request, namespace, name, dryRun }: Write,
  { plan, old, lost }: Omit<Attempt, 'change'> & { readonly lost: readonly string[] },
): AllocationRequest {
  const { subresource } = request.target;
  const object = plan.type === 'put' ? plan.object : undefined;
  return { kind: served.kind, subresource, namespace, name, dryRun, lost, object, oldObject: old && served.asServed(old).object };
}

function allocateAndCommit(
  server: VerbContext,
  write: Write,
  { plan, change, old }: Attempt,
  turn?: Disposable,
): Promise<WriteResult | Lost> {
  const allocated = server.allocators.allocate(change);
  const also: Also = { allocated, turn };
  if (plan.type === 'put') {
    const { ownership = { part: old?.managed }, lease } = plan;
    return putObject(server, write, { old, also, object: allocated?.object ?? plan.object, managed: ownership.part, lease });
  }
  if (!old) throw errors.notFound(write.served.kind, write.name);
  return removeObject(server, write, { old, also, shown: plan.shown });
}

/** What a commit has to do beside the object's own op. */
interface Also {
  readonly allocated: Allocation | undefined;
  /** over when the write is queued */
  readonly turn: Disposable | undefined;
}

interface Put {
  readonly old: StoredObject | undefined;
  readonly object: KubeObject;
  readonly managed: Part;
  readonly lease: number | undefined;
  readonly also: Also;
}

async function putObject(server: VerbContext, write: Write, put: Put): Promise<WriteResult | Lost> {
  const { old, object, managed, lease: newLease, also } = put;
  const { served } = write;
  const next = served.kind.convertRemotely ? await served.convertToStored(object) : served.toStored(object);
  const draft = draftOf(write, next, managed);
  const isLarge = draft.size > largeBytes;
  if (isLarge) await yieldTurn();
  if (old && isUnchanged(draft, next, old) && isSamePart(managed, old.managed)) return { type: 'kept', stored: old };
  const key = old?.key ?? served.key(write.namespace, write.name);
  if (write.dryRun) return { type: 'stored', stored: draft.storedAs({ key, revision: old?.revision ?? 0 }) };
  if (draft.size > objectBytesMax) throw new StatusError({ code: 500, reason: '', message: 'etcdserver: request is too large' });
  const lease = old ? old.lease : newLease;
  const op: Op = { key, expect: old?.revision ?? 'absent', ...draft.puts, lease };
  const revision = await commit(server, write, op, also);
  if (typeof revision === 'object') return revision;
  // The cache holds the object unless a later write has replaced it already.
  const cached = served.cache.byKey(key);
  const stored = cached?.revision === revision ? cached : draft.storedAs({ key, revision, lease });
  if (server.acts.isWatched) server.acts.changed(write.request, old?.object, stored.object);
  return { type: 'stored', stored };
}

/** What would be too large is stored without managed part, unless somebody applies it. Upstream: create.go, update.go, patch.go. */
function draftOf({ request }: Write, object: KubeObject, managed: Part): Draft {
  const draft = new Draft(object, managed);
  const isApplied = request.verb === 'patch' && request.body?.patchType?.() === 'apply';
  return draft.size > objectBytesMax && managed && !isApplied ? new Draft(object, undefined) : draft;
}

interface Removed {
  readonly old: StoredObject;
  readonly shown: KubeObject | undefined;
  readonly also: Also;
}

async function removeObject(server: VerbContext, write: Write, { old, shown, also }: Removed): Promise<WriteResult | Lost> {
  const { served, dryRun } = write;
  const last = shown && (served.kind.convertRemotely ? await served.convertToStored(shown) : served.toStored(shown));
  const revision = dryRun ? old.revision : await commit(server, write, { key: old.key, expect: old.revision }, also);
  if (typeof revision === 'object') return revision;
  if (!dryRun && server.acts.isWatched) server.acts.changed(write.request, old.object, undefined);
  return { type: 'removed', stored: last ? StoredObject.unstored(old, last, revision) : old.at(revision) };
}

/** All or nothing, at the revision that is given back once the cache shows it. */
async function commit(server: VerbContext, write: Write, op: Op, { allocated, turn }: Also): Promise<Revision | Lost> {
  let underWay = undefined as Disposable | undefined;
  // `using` would cost each write two microseconds, for what few have.
  try {
    const result = await server.storage.commit(allocated ? [op, ...allocated.ops] : [op], (revision) => {
      underWay = allocated?.queued?.(revision);
      turn?.[Symbol.dispose]();
    });
    if (!result.ok) return await lostTo(server, write, op, result);
    const shown = server.cache.caughtUp(result.revision);
    if (shown) await shown;
    return result.revision;
  } finally {
    underWay?.[Symbol.dispose]();
  }
}

/** Waits for what the write lost to: the next attempt starts from it. A pending write that fails never comes; then that one finds out. */
async function lostTo(server: VerbContext, { served }: Write, op: Op, { key, actual }: Conflict): Promise<Lost> {
  // Its kind went meanwhile: the cache would never show it.
  if (served.cache.isClosed) throw errors.pathNotFound();
  const isShown = key !== op.key || served.cache.byKey(key) !== undefined;
  const change = actual > 0 ? server.cache.caughtUp(actual) : isShown && server.cache.nextChange();
  if (change) {
    const done = new AbortController();
    await Promise.race([change, server.clock.sleep(pendingMs, done.signal).catch(() => undefined)]);
    done.abort();
  }
  return { type: 'lost', key };
}

/** Equal objects have equally long bytes, which tells nearly all changes at once. */
function isUnchanged({ bytes }: Draft, object: KubeObject, old: StoredObject): boolean {
  if (bytes.length !== old.valueSize) return false;
  const { metadata, ...rest } = object;
  const { metadata: oldMetadata, ...oldRest } = old.object;
  const { resourceVersion: _new, ...now } = metadata;
  const { resourceVersion: _old, ...before } = oldMetadata;
  return equalJson(now, before) && equalJson(rest, oldRest);
}
