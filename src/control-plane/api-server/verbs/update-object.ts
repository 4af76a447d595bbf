/**
 * The change of an object that is stored: PUT, PATCH, scale and every subresource that writes. The client's object is made
 * from the current one, checked against it, and planned as what takes its place; the last finalizer of an object that is
 * being deleted takes the object with it.
 * Upstream: apiserver/pkg/registry/generic/registry/store.go (Update), registry/rest/update.go.
 */
import type { ObjectMeta } from '../../../api/generated/meta-v1.ts';
import type { UpdateStrategy } from '../../../api/kinds/update-strategy.ts';
import { prepareChanged } from '../../../api/kinds/write-steps.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors, fieldErrors } from '../../../api/meta/status-error.ts';
import { admissionRequest } from '../admission/admission-request.ts';
import type { ServedKind } from '../cache/served-kinds.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { refuseObject } from '../request/refusals.ts';
import { isLarge, takeInTurns, yieldTurn } from '../request/yield-turn.ts';
import { expectedNamespace } from '../write/check-name.ts';
import { commitWrite, type Ownership, type WritePlan } from '../write/commit-write.ts';
import { ownAdmitted, ownChanged, withoutManagers, writerOf } from '../write/own.ts';
import type { VerbContext } from '../write/verb-context.ts';
import { holdsNamespace } from './namespace-deletion.ts';

export interface ObjectUpdate {
  readonly served: ServedKind;
  readonly request: ResourceRequest;
  readonly name: string;
  readonly strategy: UpdateStrategy;
  /**
   * The object as the client wants it, made from the current one. In the kind's version; decoded and defaulted.
   * `large`: rest between the steps.
   */
  transform(current: KubeObject, how: Transform): Transformed | Promise<Transformed>;
}

export interface Transform {
  readonly stored: StoredObject;
  readonly large: boolean;
}
export interface Transformed {
  readonly object: KubeObject;
  /** who owns its fields, where that does not follow from what is changed */
  readonly ownership?: Ownership | undefined;
  /** what admission sees, where that is not the object: its Scale */
  readonly view?: AdmittedView | undefined;
}

export interface AdmittedView {
  /** as the client wants it */
  readonly wanted: KubeObject;
  of(object: KubeObject): KubeObject;
  /** The object with what admission has made of the view. */
  into(object: KubeObject, view: KubeObject): KubeObject;
}

const whole: Omit<AdmittedView, 'wanted'> = { of: (object) => object, into: (_, admitted) => admitted };

/** The object as stored; undefined when there is none. */
export async function updateObject(server: VerbContext, update: ObjectUpdate): Promise<StoredObject | undefined> {
  const { served, request, name } = update;
  const written = await commitWrite(server, {
    served,
    request,
    namespace: request.target.namespace,
    name,
    dryRun: request.dryRun,
    plan: (stored) => stored && planUpdate(server, update, stored),
  });
  return written?.stored;
}

async function planUpdate(server: VerbContext, update: ObjectUpdate, stored: StoredObject): Promise<WritePlan> {
  const { served, request, name, strategy } = update;
  const { kind } = served;
  const old = served.asServed(stored).object;
  const large = isLarge(request, stored);
  const transformed = await update.transform(old, { stored, large });
  let { object } = transformed;
  if (large) await yieldTurn();
  const write = { kind, by: writerOf(request, 'Update'), object };
  const made = transformed.ownership ? undefined : takeInTurns(ownChanged(server, write, { old, part: stored.managed }), large);
  let ownership = transformed.ownership ?? { part: made instanceof Promise ? await made : made };
  checkUID(served, request, object.metadata, old.metadata);
  const { view = { ...whole, wanted: withoutManagers(object) } } = transformed;
  const managed = transformed.view ? undefined : { object: ownership.part, old: stored.managed };
  const base = { ...admissionRequest(request, 'UPDATE', name, request.dryRun), oldObject: view.of(old), isLarge: large, managed };
  if (server.admission.mutates(base)) {
    const wanted = inNamespaceOf(old, view.wanted);
    const admitted = await server.admission.admit({ ...base, object: wanted });
    if (admitted !== wanted) {
      ownership = { part: ownAdmitted(request, admitted, ownership.part) };
      object = view.into(object, admitted);
      expectedNamespace(request, object.metadata.namespace);
    }
  }
  checkResourceVersion(served, object.metadata, old.metadata);
  object = { ...object, metadata: ownMetadata(object.metadata, old.metadata) };
  if (large) await yieldTurn();
  const by = { nowMs: server.clock.now(), user: request.user };
  const prepared = await takeInTurns(prepareChanged(kind, { object, old, strategy }, by), large);
  refuseObject(kind, object.metadata.name ?? name, prepared.problems);
  for (const message of prepared.warnings) request.warn(message);
  await server.admission.validate({ ...base, object: view.of(prepared.object) });
  if (large) await yieldTurn();
  if (isReleased(prepared.object, old)) return { type: 'remove', shown: prepared.object };
  return { type: 'put', object: prepared.object, ownership };
}

/** The client need not say it. */
function inNamespaceOf({ metadata: { namespace } }: KubeObject, object: KubeObject): KubeObject {
  if (!namespace || object.metadata.namespace) return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}

/** The last finalizer is gone: so is the object. The client gets it as it would have been. */
function isReleased(object: KubeObject, old: KubeObject): boolean {
  const { metadata } = object;
  if (!old.metadata.deletionTimestamp || metadata.finalizers?.length || holdsNamespace(object)) return false;
  return (old.metadata.deletionGracePeriodSeconds ?? 0) === 0;
}

/** What the client says about the object that it saw. */
function checkUID(served: ServedKind, request: ResourceRequest, meta: ObjectMeta, old: ObjectMeta): void {
  if (request.verb !== 'update' || !meta.uid || meta.uid === old.uid) return;
  const { name = '' } = old;
  throw errors.conflict(
    served.kind,
    name,
    `StorageError: invalid object, Code: 4, Key: ${served.key(old.namespace, name)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${meta.uid}, UID in object meta: ${old.uid ?? ''}`,
  );
}

function checkResourceVersion({ kind }: ServedKind, meta: ObjectMeta, old: ObjectMeta): void {
  const name = old.name ?? '';
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
