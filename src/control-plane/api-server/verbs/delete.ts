/**
 * Delete: at once, after a grace period, or after finalizers. An object that stays gets a deletionTimestamp; whoever
 * holds it (kubelet, garbage collector, a controller) lets go by a delete without grace or by taking its finalizer away.
 * Upstream: apiserver/pkg/registry/rest/delete.go, registry/generic/registry/store.go (Delete).
 */
import type { DeleteOptions, ObjectMeta } from '../../../api/generated/meta-v1.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { formatTime, parseTime } from '../../../api/meta/time.ts';
import { foregroundFinalizer, orphanFinalizer } from '../../../api/meta/well-known.ts';
import { admissionRequest } from '../admission/admission-request.ts';
import type { ServedKind } from '../cache/served-kinds.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { ResourceAnswer } from '../request/answer.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { commitWrite, type WritePlan, type WriteResult } from '../write/commit-write.ts';
import type { VerbContext } from '../write/verb-context.ts';
import { readDeleteOptions } from './delete-options.ts';
import { holdsNamespace, isNamespaceKind, markTerminating } from './namespace-deletion.ts';

export async function deleteObject(server: VerbContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const { kind, name = '' } = request.target;
  const served = server.kinds.of(kind);
  const options = await readDeleteOptions(request);
  const written = await remove(server, request, { served, name, options });
  if (!written) throw errors.notFound(kind, name);
  for (const message of kind.hooks.deletionWarnings?.(options) ?? []) request.warn(message);
  const { stored } = written;
  const deleted = written.type === 'removed';
  if (!kind.returnsDeletedObject && deleted) return { type: 'status', code: 200, status: deletedStatus(kind, stored.object) };
  const code = !deleted && options.orphanDependents === false ? 202 : 200;
  return { type: 'object', code, stored: served.asServed(stored) };
}

function deletedStatus(kind: Kind, object: KubeObject) {
  const { name, uid } = object.metadata;
  return {
    kind: 'Status' as const,
    apiVersion: 'v1' as const,
    metadata: {},
    status: 'Success',
    details: { ...(name && { name }), ...(kind.group && { group: kind.group }), kind: kind.resource, ...(uid && { uid }) },
  };
}

/** One object, named. Undefined when there is none. */
export function remove(
  server: VerbContext,
  request: ResourceRequest,
  { served, name, options }: { readonly served: ServedKind; readonly name: string; readonly options: DeleteOptions },
): Promise<WriteResult | undefined> {
  const { kind } = served;
  const dryRun = (options.dryRun?.length ?? 0) > 0;
  return commitWrite(server, {
    served,
    request,
    namespace: request.target.namespace,
    name,
    dryRun,
    async plan(stored) {
      if (!stored) return undefined;
      const { object } = served.asServed(stored);
      checkPreconditions(kind, object.metadata, options);
      if (request.verb !== 'create') await admitDelete(server, request, stored, { object, options, dryRun });
      return planDeletion(kind, object, options, server.clock.now());
    },
  });
}

interface AdmittedDelete {
  readonly object: KubeObject;
  readonly options: DeleteOptions;
  readonly dryRun: boolean;
}

/** A delete that is part of another request (an eviction) has been admitted as that. */
async function admitDelete(
  server: VerbContext,
  request: ResourceRequest,
  { managed }: StoredObject,
  { object: oldObject, options: given, dryRun }: AdmittedDelete,
): Promise<void> {
  const { name = '', uid } = oldObject.metadata;
  // A namespace is deleted by its uid, whoever asks for it.
  const options = isNamespaceKind(request.target.kind) ? { ...given, preconditions: { uid, ...given.preconditions } } : given;
  const isOfCollection = request.verb === 'deletecollection';
  const admission = { ...admissionRequest(request, 'DELETE', name, dryRun), oldObject, options, isOfCollection, managed: { old: managed } };
  await server.admission.admitOperation(admission);
  await server.admission.validate(admission);
}

function checkPreconditions(kind: Kind, meta: ObjectMeta, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const named = { group: kind.group, resource: kind.kind };
  if (uid !== undefined && uid !== meta.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${meta.uid ?? ''}). The object might have been deleted and then recreated`;
    throw errors.conflict(named, meta.name ?? '', why);
  }
  if (resourceVersion !== undefined && resourceVersion !== meta.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${meta.resourceVersion ?? ''}). The object might have been modified`;
    throw errors.conflict(named, meta.name ?? '', why);
  }
}

/** What a delete does to an object: it goes, it stays in another form until somebody lets go, or nothing changes. Pure. */
export function planDeletion(kind: Kind, object: KubeObject, options: DeleteOptions, nowMs: number): WritePlan {
  const marked = object.metadata.deletionTimestamp ? undefined : kind.hooks.markDeleted?.(object, { nowMs });
  if (marked) return { type: 'put', object: marked };
  const grace = planGrace(kind, object.metadata, object, options, nowMs);
  if (grace === 'pending') return { type: 'keep' };
  const finalizers = planFinalizers(kind, object.metadata, options);
  const held = finalizers.length > 0;
  let { metadata } = object;
  if (finalizers !== metadata.finalizers && (held || metadata.finalizers)) {
    const { finalizers: _, ...rest } = metadata;
    metadata = { ...rest, ...(held && { finalizers }) };
  }
  if (grace) {
    const going = { ...object, metadata: withDeletion(metadata, grace.atMs, grace.seconds) };
    return grace.seconds === 0 && !held ? { type: 'remove', shown: going } : { type: 'put', object: going };
  }
  if (isNamespaceKind(kind) && object.metadata.deletionTimestamp && holdsNamespace(object)) return { type: 'keep' };
  if (isNamespaceKind(kind) && !object.metadata.deletionTimestamp) {
    return { type: 'put', object: markTerminating({ ...object, metadata: withDeletion(metadata, nowMs, undefined) }) };
  }
  if (!held) return { type: 'remove' };
  const isMarked = object.metadata.deletionTimestamp !== undefined && object.metadata.deletionGracePeriodSeconds === 0;
  if (isMarked && metadata === object.metadata) return { type: 'keep' };
  const beforeMs = parseTime(object.metadata.deletionTimestamp ?? '');
  return { type: 'put', object: { ...object, metadata: withDeletion(metadata, Math.min(beforeMs ?? nowMs, nowMs), 0) } };
}

function withDeletion(metadata: ObjectMeta, atMs: number, seconds: number | undefined): ObjectMeta {
  const { generation } = metadata;
  return {
    ...metadata,
    ...(generation !== undefined && generation > 0 && !metadata.deletionTimestamp && { generation: generation + 1 }),
    deletionTimestamp: formatTime(atMs),
    ...(seconds !== undefined && { deletionGracePeriodSeconds: seconds }),
  };
}

/** Graceful deletion: when and how long; 'pending' when it goes on as it is; undefined for kinds and objects without it. */
function planGrace(
  kind: Kind,
  meta: ObjectMeta,
  object: KubeObject,
  options: DeleteOptions,
  nowMs: number,
): { readonly atMs: number; readonly seconds: number } | 'pending' | undefined {
  const hook = kind.hooks.gracePeriodSeconds;
  if (!hook) return undefined;
  const requested = options.gracePeriodSeconds === undefined || options.gracePeriodSeconds >= 0 ? options.gracePeriodSeconds : 1;
  if (!meta.deletionTimestamp) {
    const seconds = hook(object, requested);
    return seconds === undefined ? undefined : { atMs: nowMs + seconds * 1000, seconds };
  }
  const current = meta.deletionGracePeriodSeconds ?? 0;
  if (current === 0) return undefined;
  if (requested === undefined || requested >= current) return 'pending';
  const startMs = (parseTime(meta.deletionTimestamp) ?? nowMs) - current * 1000;
  const atMs = startMs + requested * 1000;
  if (atMs >= nowMs) return { atMs, seconds: requested };
  return { atMs: nowMs, seconds: requested === 0 ? 0 : 1 };
}

/** The finalizers with the garbage collector's two set as the options and the kind say; the same list when nothing changes. */
function planFinalizers(kind: Kind, meta: ObjectMeta, options: DeleteOptions): readonly string[] {
  const current = meta.finalizers ?? [];
  if (!kind.isCollected) return current;
  const wanted = garbageFinalizer(kind, current, options);
  const isSame = wanted === undefined ? !current.some(isGarbageFinalizer) : current.filter(isGarbageFinalizer).join() === wanted;
  if (isSame) return current;
  const others = current.filter((finalizer) => !isGarbageFinalizer(finalizer));
  return wanted ? [...others, wanted] : others;
}

const isGarbageFinalizer = (finalizer: string): boolean => finalizer === orphanFinalizer || finalizer === foregroundFinalizer;

function garbageFinalizer(kind: Kind, current: readonly string[], options: DeleteOptions): string | undefined {
  if (options.orphanDependents !== undefined) return options.orphanDependents ? orphanFinalizer : undefined;
  if (options.propagationPolicy === 'Orphan') return orphanFinalizer;
  if (options.propagationPolicy === 'Foreground') return foregroundFinalizer;
  if (options.propagationPolicy === 'Background') return undefined;
  const there = current.find(isGarbageFinalizer);
  return there ?? (kind.orphansByDefault ? orphanFinalizer : undefined);
}
