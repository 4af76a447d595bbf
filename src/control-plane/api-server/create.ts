/**
 * Create: names, identity, the kind's hooks, admission, allocation, and the write, in this order:
 * mutating admission → default → identity and name → prepare → validate → validating admission → allocate → store.
 * Upstream: apiserver/pkg/registry/rest/create.go, registry/generic/registry/store.go.
 */
import type { ObjectMeta } from '../../api/generated/meta-v1.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { collectFieldErrors, errors, isStatusError, StatusError } from '../../api/meta/status-error.ts';
import { formatTime } from '../../api/meta/time.ts';
import { validateMetadata } from '../../api/schema/metadata.ts';
import { admissionRequest } from './admission-request.ts';
import { allocate, release } from './allocation-steps.ts';
import type { ResourceAnswer } from './answer.ts';
import type { ResourceRequest } from './api-request.ts';
import { commitObject } from './commit.ts';
import type { Core } from './core.ts';
import { applyDefaults, decodeObject } from './decode.ts';
import type { AdmissionRequest } from './request.ts';
import { withRequestMetadata } from './request-metadata.ts';
import { isLarge, rest } from './rest.ts';
import type { ServedKind } from './served-kinds.ts';
import { StoredObject } from './stored-object.ts';
import { validateObject } from './validate.ts';

const generatedBaseMax = 58;
const generatedSuffixLength = 5;
const generateAttemptsMax = 8;

export async function create(core: Core, request: ResourceRequest): Promise<ResourceAnswer> {
  const served = core.kinds.of(request.target.kind);
  const decoded = await decodeObject(request, request.target.kind);
  const stored = await createObject(core, served, request, decoded);
  return { type: 'object', code: 201, stored: served.asServed(stored) };
}

/** Stores a decoded and defaulted object; answers its stored form. Retries while a generated name is taken. */
export async function createObject(core: Core, served: ServedKind, request: ResourceRequest, decoded: KubeObject): Promise<StoredObject> {
  const generates = !decoded.metadata.name && !!decoded.metadata.generateName;
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptCreate(core, served, request, decoded);
    } catch (error) {
      if (!generates || !isStatusError(error) || error.reason !== 'AlreadyExists') throw error;
      if (attempt < generateAttemptsMax) continue;
      const message = `${error.message}, the server was not able to generate a unique name for the object`;
      throw new StatusError({
        ...error.status,
        message,
        reason: 'AlreadyExists',
        details: { ...error.status.details, retryAfterSeconds: 1 },
      });
    }
  }
}

async function attemptCreate(core: Core, served: ServedKind, request: ResourceRequest, decoded: KubeObject): Promise<StoredObject> {
  const { kind } = served;
  const dryRun = request.dryRun;
  const large = isLarge(request);
  if (large) await rest();
  let object = withRequestMetadata(decoded, request);
  const base = admissionRequest(request, 'CREATE', object.metadata.name ?? '', dryRun);
  if (core.admission.mutates(base)) {
    const admitted = await core.admission.admit({ ...base, object });
    if (large) await rest();
    if (admitted !== object) object = applyDefaults(kind, withRequestMetadata(admitted, request));
  }
  if (large) await rest();
  object = withIdentity(core, served, object);
  if (kind.hooks.prepareForCreate) object = kind.hooks.prepareForCreate(object, { nowMs: core.clock.now(), user: request.user });
  const metadataErrors = collectFieldErrors(() => validateMetadata(kind, object));
  if (large) await rest();
  validateObject(kind, object, undefined, metadataErrors);
  if (large) await rest();
  for (const message of kind.hooks.warnings?.(object) ?? []) request.warn(message);
  const name = object.metadata.name ?? '';
  const admission: AdmissionRequest = { ...base, name, object };
  await core.admission.validate(admission);
  if (large) await rest();
  const key = served.key(object.metadata.namespace, name);
  const existing = served.cache.byKey(key);
  if (existing) throw alreadyExists(served, existing);
  if (dryRun) return StoredObject.unstored({ key }, served.toStored(allocate(core, admission)), 0);
  return storeNew(core, served, { admission, key, cause: request });
}

async function storeNew(
  core: Core,
  served: ServedKind,
  { admission, key, cause }: { readonly admission: AdmissionRequest; readonly key: string; readonly cause: ResourceRequest },
): Promise<StoredObject> {
  const object = allocate(core, admission);
  let stored: StoredObject | undefined;
  try {
    const lease = served.kind.ttlSeconds === undefined ? undefined : await core.leases.lease(served.kind.ttlSeconds);
    stored = await commitObject(core, served, { cause, object, at: { key, lease } });
  } finally {
    if (!stored) release(core, served.kind, object, undefined);
  }
  if (!stored) throw alreadyExists(served, served.cache.byKey(key));
  return stored;
}

function alreadyExists(served: ServedKind, existing: StoredObject | undefined): StatusError {
  const { name } = existing?.object.metadata ?? {};
  const error = errors.alreadyExists(served.kind, name ?? '');
  if (!existing?.object.metadata.deletionTimestamp) return error;
  return new StatusError({ ...error.status, reason: 'AlreadyExists', message: `object is being deleted: ${error.message}` });
}

function withIdentity(core: Core, served: ServedKind, object: KubeObject): KubeObject {
  const { name, generateName, namespace, generation, resourceVersion, ...rest } = object.metadata;
  if (resourceVersion && resourceVersion !== '0')
    throw new StatusError({ code: 500, reason: '', message: 'resourceVersion should not be set on objects to be created' });
  const finalName = name || (generateName ? generateName.slice(0, generatedBaseMax) + core.random.suffix(generatedSuffixLength) : '');
  const metadata: ObjectMeta = {
    name: finalName,
    ...(generateName && { generateName }),
    ...(namespace && { namespace }),
    uid: core.random.uuid(),
    ...(served.kind.hasGeneration ? { generation: 1 } : generation !== undefined && { generation }),
    creationTimestamp: formatTime(core.clock.now()),
    ...rest,
  };
  return { ...object, metadata };
}
