/**
 * The one way in which an existing object is changed: get the current one, make the new one from it, check it, and swap
 * it in if the object is still the same; else again. Update, patch and every subresource that writes come through here.
 *
 * Guarantees: an update that changes nothing writes nothing and keeps the resourceVersion; the removal of the last
 * finalizer of an object that is being deleted removes the object; a lost race is retried unless the client named the
 * resourceVersion that it saw.
 * Upstream: apiserver/pkg/registry/generic/registry/store.go (Update), registry/rest/update.go, storage/etcd3/store.go.
 */
import type { ObjectMeta } from '../../api/generated/meta-v1.ts';
import { equalJson } from '../../api/meta/deep-equal.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { collectFieldErrors, errors, fieldErrors } from '../../api/meta/status-error.ts';
import { validateMetadataUpdate } from '../../api/schema/metadata.ts';
import { admissionRequest } from './admission-request.ts';
import { allocate, release } from './allocation-steps.ts';
import type { ResourceRequest } from './api-request.ts';
import { commitDelete, commitObject } from './commit.ts';
import type { Core } from './core.ts';
import { applyDefaults } from './decode.ts';
import { holdsNamespace } from './namespace-deletion.ts';
import type { AdmissionRequest } from './request.ts';
import { isLarge, rest } from './rest.ts';
import type { ServedKind } from './served-kinds.ts';
import { StoredObject } from './stored-object.ts';
import type { UpdateStrategy } from './update-strategy.ts';
import { refuseObject } from './validate.ts';

/** A write that loses this often in a row gives up with a conflict. */
const attemptsMax = 100;

export interface UpdatePlan {
  readonly served: ServedKind;
  readonly request: ResourceRequest;
  readonly name: string;
  readonly strategy: UpdateStrategy;
  /**
   * The object as the client wants it, made from the current one. In the kind's version; decoded and defaulted.
   * `large`: rest between the steps.
   */
  transform(current: KubeObject, large: boolean): KubeObject | Promise<KubeObject>;
}

/** The object as stored; undefined when there is none. */
export async function guaranteedUpdate(core: Core, plan: UpdatePlan): Promise<StoredObject | undefined> {
  const { served, request, name } = plan;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const old = served.find(request.target.namespace, name);
    if (!old) return undefined;
    const written = await attemptUpdate(core, plan, old);
    if (written) return written;
    request.signal.throwIfAborted();
  }
  throw errors.conflict(served.kind, name);
}

/** Undefined: the object changed meanwhile. */
async function attemptUpdate(core: Core, plan: UpdatePlan, stored: StoredObject): Promise<StoredObject | undefined> {
  const { served, request, name, strategy } = plan;
  const { kind } = served;
  const old = served.asServed(stored).object;
  const dryRun = request.dryRun;
  const large = isLarge(request, stored);
  let object = await plan.transform(old, large);
  if (large) await rest();
  checkPreconditions(served, request, object.metadata, old.metadata);
  object = { ...object, metadata: ownMetadata(object.metadata, old.metadata) };
  const base = { ...admissionRequest(request, 'UPDATE', name, dryRun), oldObject: old };
  if (core.admission.mutates(base)) {
    const admitted = await core.admission.admit({ ...base, object });
    if (admitted !== object) object = applyDefaults(kind, { ...admitted, metadata: ownMetadata(admitted.metadata, old.metadata) });
  }
  if (large) await rest();
  object = strategy.join(object, old, kind, { nowMs: core.clock.now(), user: request.user });
  if (large) await rest();
  const found = collectFieldErrors(() => [
    ...validateMetadataUpdate(kind, object.metadata, old.metadata),
    ...strategy.validate(object, old, kind),
  ]);
  refuseObject(kind, name, found);
  if (large) await rest();
  if (!request.target.subresource) for (const message of kind.hooks.warnings?.(object, old) ?? []) request.warn(message);
  const admission: AdmissionRequest = { ...base, object };
  await core.admission.validate(admission);
  if (large) await rest();
  if (isReleased(object, old)) return removeReleased(core, plan, stored, object, dryRun);
  return swap(core, plan, stored, admission);
}

async function swap(core: Core, plan: UpdatePlan, old: StoredObject, admission: AdmissionRequest): Promise<StoredObject | undefined> {
  const { served } = plan;
  const object = allocate(core, admission);
  if (isUnchanged(served.toStored(object), old.object)) return old;
  if (admission.dryRun) return StoredObject.unstored(old, served.toStored(object), old.revision);
  let written: StoredObject | undefined;
  try {
    written = await commitObject(core, served, { cause: plan.request, object, at: old });
  } finally {
    if (!written) release(core, served.kind, object, admission.oldObject);
  }
  return written;
}

/** The last finalizer is gone: so is the object. The client gets it as it would have been. */
async function removeReleased(
  core: Core,
  plan: UpdatePlan,
  old: StoredObject,
  object: KubeObject,
  dryRun: boolean,
): Promise<StoredObject | undefined> {
  const { served } = plan;
  if (dryRun) return StoredObject.unstored(old, served.toStored(object), old.revision);
  const revision = await commitDelete(core, served, old, plan.request);
  if (revision === undefined) return undefined;
  release(core, served.kind, served.asServed(old).object, undefined);
  return StoredObject.unstored(old, served.toStored(object), revision);
}

function isReleased(object: KubeObject, old: KubeObject): boolean {
  const { metadata } = object;
  if (!old.metadata.deletionTimestamp || metadata.finalizers?.length || holdsNamespace(object)) return false;
  return (old.metadata.deletionGracePeriodSeconds ?? 0) === 0;
}

/** What the client says about the object that it saw. */
function checkPreconditions(served: ServedKind, request: ResourceRequest, meta: ObjectMeta, old: ObjectMeta): void {
  const { kind } = served;
  const name = old.name ?? '';
  if (request.verb === 'update' && meta.uid && meta.uid !== old.uid) {
    throw errors.conflict(
      kind,
      name,
      `StorageError: invalid object, Code: 4, Key: ${served.key(old.namespace, name)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${meta.uid}, UID in object meta: ${old.uid ?? ''}`,
    );
  }
  if (!meta.resourceVersion || meta.resourceVersion === '0') {
    if (kind.allowUnconditionalUpdate) return;
    const error = fieldErrors.invalid('metadata.resourceVersion', 0, 'must be specified for an update');
    throw errors.invalid({ group: kind.group, kind: kind.resource }, name, [error]);
  }
  if (meta.resourceVersion !== old.resourceVersion) throw errors.conflict(kind, name);
}

/** What only the server may say stays as it was; the namespace is the URL's when the object does not say it. */
function ownMetadata(meta: ObjectMeta, old: ObjectMeta): ObjectMeta {
  const { managedFields: _managed, selfLink: _link, generation: _generation, resourceVersion: _version, name, namespace, ...rest } = meta;
  const { generation, uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, resourceVersion } = old;
  const place = namespace || old.namespace;
  return {
    ...(name !== undefined && { name }),
    ...(place && { namespace: place }),
    ...rest,
    ...(resourceVersion && { resourceVersion }),
    ...(generation !== undefined && { generation }),
    ...(uid && !rest.uid && { uid }),
    ...(creationTimestamp && { creationTimestamp }),
    ...(deletionTimestamp && { deletionTimestamp }),
    ...(deletionGracePeriodSeconds !== undefined && rest.deletionGracePeriodSeconds === undefined && { deletionGracePeriodSeconds }),
  };
}

function isUnchanged(object: KubeObject, old: KubeObject): boolean {
  const { metadata, ...rest } = object;
  const { metadata: oldMetadata, ...oldRest } = old;
  const { resourceVersion: _new, ...now } = metadata;
  const { resourceVersion: _old, ...before } = oldMetadata;
  return equalJson(now, before) && equalJson(rest, oldRest);
}
