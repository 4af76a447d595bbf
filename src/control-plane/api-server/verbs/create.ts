/**
 * POST of an object: names, identity, the kind's steps (api/kinds/write-steps.ts) with admission between them, and the
 * write. Upstream: apiserver/pkg/registry/rest/create.go, registry/generic/registry/store.go.
 */
import type { ObjectMeta } from '../../../api/generated/meta-v1.ts';
import { prepareNew } from '../../../api/kinds/write-steps.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors, isStatusError, StatusError } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { admissionRequest } from '../admission/admission-request.ts';
import { forbiddenError } from '../authorization/forbidden.ts';
import type { ServedKind } from '../cache/served-kinds.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { ResourceAnswer } from '../request/answer.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { attributesOf } from '../request/attributes.ts';
import { refuseObject } from '../request/refusals.ts';
import { isLarge, takeInTurns, yieldTurn } from '../request/yield-turn.ts';
import { expectedNamespace } from '../write/check-name.ts';
import { commitWrite, type Ownership } from '../write/commit-write.ts';
import { decodeObject } from '../write/decode.ts';
import { ownAdmitted, ownNew, withoutManagers, writerOf } from '../write/own.ts';
import type { VerbContext } from '../write/verb-context.ts';

const generatedBaseMax = 58;
const generatedSuffixLength = 5;
const generateAttemptsMax = 8;

export async function create(server: VerbContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const served = server.kinds.of(request.target.kind);
  const decoded = await decodeObject(request, request.target.kind);
  const stored = await createObject(server, served, request, decoded);
  return { type: 'object', code: 201, stored: served.asServed(stored) };
}

/** Stores a decoded and defaulted object; answers its stored form. Retries while a generated name is taken. `ownership`: of one that is applied. */
export async function createObject(
  server: VerbContext,
  served: ServedKind,
  request: ResourceRequest,
  decoded: KubeObject,
  ownership?: Ownership,
): Promise<StoredObject> {
  const generates = !decoded.metadata.name && !!decoded.metadata.generateName;
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptCreate(server, served, request, decoded, ownership);
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

async function attemptCreate(
  server: VerbContext,
  served: ServedKind,
  request: ResourceRequest,
  decoded: KubeObject,
  said: Ownership | undefined,
): Promise<StoredObject> {
  const { kind } = served;
  const { dryRun } = request;
  const large = isLarge(request);
  if (large) await yieldTurn();
  const given = inItsNamespace(decoded, request);
  const made = said ? undefined : takeInTurns(ownNew(server, { kind, by: writerOf(request, 'Update'), object: given }), large);
  let ownership = said ?? { part: made instanceof Promise ? await made : made };
  const base = { ...admissionRequest(request, 'CREATE', given.metadata.name ?? '', dryRun), managed: { object: ownership.part } };
  const mutates = server.admission.mutates(base);
  const admitted = mutates ? await server.admission.admit({ ...base, object: withoutManagers(given) }) : given;
  if (mutates) ownership = { part: ownAdmitted(request, admitted, ownership.part) };
  if (large) await yieldTurn();
  const by = { nowMs: server.clock.now(), user: request.user };
  const prepared = await takeInTurns(prepareNew(kind, withIdentity(server, served, inItsNamespace(admitted, request)), by), large);
  const { object } = prepared;
  const { name = '', namespace } = object.metadata;
  refuseObject(kind, name, prepared.problems);
  for (const message of prepared.warnings) request.warn(message);
  if (request.verb !== 'create') await authorizeCreate(server, request);
  await server.admission.validate({ ...base, name, object });
  if (request.verb === 'create' && !dryRun) checkUnversioned(admitted);
  if (large) await yieldTurn();
  const lease = kind.ttlSeconds === undefined || dryRun ? undefined : await server.leases.lease(kind.ttlSeconds);
  const written = await commitWrite(server, {
    served,
    request,
    namespace,
    name,
    dryRun,
    plan(existing) {
      if (existing) throw alreadyExists(served, existing);
      return { type: 'put', object, ownership, lease };
    },
  });
  if (!written) throw new Error('a create stores or throws');
  return written.stored;
}

/** As upstream, only once everybody else has had a say, and not of what is no number. */
function checkUnversioned({ metadata: { resourceVersion = '' } }: KubeObject): void {
  if (!/^0*[1-9]\d*$/.test(resourceVersion)) return;
  throw new StatusError({ code: 500, reason: '', message: 'resourceVersion should not be set on objects to be created' });
}

/** An update or patch that creates needs the right to. */
async function authorizeCreate(server: VerbContext, request: ResourceRequest): Promise<void> {
  const attributes = attributesOf(request, 'create');
  const { verdict, reason } = await server.authorize(attributes);
  if (verdict !== 'allow') throw forbiddenError(attributes, reason);
}

function alreadyExists(served: ServedKind, existing: StoredObject): StatusError {
  const { metadata } = existing.object;
  const error = errors.alreadyExists(served.kind, metadata.name ?? '');
  if (!metadata.deletionTimestamp) return error;
  return new StatusError({ ...error.status, reason: 'AlreadyExists', message: `object is being deleted: ${error.message}` });
}

/** In the namespace of the URL. Throws when the object names another one. */
function inItsNamespace(object: KubeObject, request: ResourceRequest): KubeObject {
  const { namespace: given, ...metadata } = object.metadata;
  const namespace = expectedNamespace(request, given);
  if (namespace === given) return object;
  return { ...object, metadata: { ...metadata, ...(namespace && { namespace }) } };
}

/** Named, and with what only the server may say. */
function withIdentity(server: VerbContext, { kind }: ServedKind, object: KubeObject): KubeObject {
  const {
    name,
    generateName,
    namespace,
    generation,
    resourceVersion: _version,
    uid: _uid,
    creationTimestamp: _created,
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    selfLink: _link,
    managedFields: _managed,
    ...rest
  } = object.metadata;
  const finalName = name || (generateName ? generateName.slice(0, generatedBaseMax) + server.random.suffix(generatedSuffixLength) : '');
  const metadata: ObjectMeta = {
    name: finalName,
    ...(generateName && { generateName }),
    ...(namespace && { namespace }),
    uid: server.random.uuid(),
    ...(kind.hasGeneration ? { generation: 1 } : generation !== undefined && { generation }),
    creationTimestamp: formatTime(server.clock.now()),
    ...rest,
  };
  return { ...object, metadata };
}
