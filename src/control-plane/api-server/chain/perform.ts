/**
 * The last step of a request: its target does what it was asked for. The verbs of kinds decode, admit, default, prepare,
 * validate (create.ts, update-object.ts) and write (write/commit-write.ts). Nothing here asks whether it is allowed.
 */
import type { Backend } from '../../../api/kinds/kind-snapshot.ts';
import { errors, isStatusError, messageOf } from '../../../api/meta/status-error.ts';
import type { Client } from '../../../client/client.ts';
import type { Answer, ResourceAnswer } from '../request/answer.ts';
import type {
  ApiRequest,
  BackendCallTarget,
  BackendTarget,
  ConnectTarget,
  NonResourceTarget,
  ReadingTarget,
  ResourceRequest,
} from '../request/api-request.ts';
import { textPage } from '../request/non-resource-endpoint.ts';
import { methodNotAllowed, serviceUnavailable } from '../request/refusals.ts';
import type { UserInfo } from '../request/request.ts';
import { callCreateEndpoint } from '../verbs/call-create-endpoint.ts';
import type { ComputedResources } from '../verbs/computed-resources.ts';
import { connect } from '../verbs/connect.ts';
import { create } from '../verbs/create.ts';
import { deleteObject } from '../verbs/delete.ts';
import { deleteCollection } from '../verbs/delete-collection.ts';
import { get } from '../verbs/get.ts';
import { list } from '../verbs/list.ts';
import { patch } from '../verbs/patch.ts';
import { update } from '../verbs/update.ts';
import { watch } from '../verbs/watch.ts';
import type { VerbContext } from '../write/verb-context.ts';
import type { Targets } from './targets.ts';

export interface PerformParts {
  readonly server: VerbContext;
  readonly targets: Pick<Targets, 'path'>;
  readonly computed: ComputedResources;
  /** asks the other servers; absent: none can be reached */
  readonly backends: AskBackend | undefined;
  /** Throws ServiceUnavailable for one that can't be reached. */
  backendClient(backend: Backend, user: UserInfo): Client;
}

/** Answers for another server; what it says goes on by itself, or is a page. */
export type AskBackend = (request: ApiRequest<BackendTarget>) => Promise<Answer>;

export const performer =
  (parts: PerformParts) =>
  (request: ApiRequest): Promise<Answer> => {
    const { target } = request;
    switch (target.type) {
      case 'resource':
        return performVerb(parts, request as ResourceRequest);
      case 'nonResource':
        return readPath(parts.targets, request as ApiRequest<NonResourceTarget>);
      case 'connect':
        return whenFresh(parts.server, request, () => connect(parts.server.admission, request as ApiRequest<ConnectTarget>));
      case 'reading':
        return read(request as ApiRequest<ReadingTarget>);
      case 'backend':
        return parts.backends?.(request as ApiRequest<BackendTarget>) ?? Promise.resolve(unavailablePage);
      case 'backendCall':
        return callBackend(parts, request as ApiRequest<BackendCallTarget>);
      case 'unserved':
        if (target.isInBuiltInGroup) throw errors.pathNotFound();
        return Promise.resolve(notFoundPage);
    }
  };

function performVerb({ server, computed }: PerformParts, request: ResourceRequest): Promise<ResourceAnswer> {
  if (request.target.kind.isComputed) return computed.read(request);
  switch (request.verb) {
    case 'get':
      return get(server, request);
    case 'list':
      return list(server, request);
    case 'watch':
      return watch(server, request);
    default:
      return whenFresh(server, request, () => performWrite(server, request));
  }
}

/**
 * Whatever is not a read that says by its resourceVersion how old its answer may be: what admission looks up, what is
 * replaced, where a connection leads is as whichever server on the store left it.
 */
function whenFresh<T>({ cache }: VerbContext, { signal }: ApiRequest, act: () => Promise<T>): Promise<T> {
  return cache.fresh(signal)?.then(act) ?? act();
}

function performWrite(server: VerbContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const { answeredBy } = request.target;
  switch (request.verb) {
    case 'create':
      return answeredBy ? callCreateEndpoint(server, request, answeredBy) : createOrRefuse(server, request);
    case 'update':
      return update(server, request);
    case 'patch':
      return patch(server, request);
    case 'delete':
      return deleteObject(server, request);
    case 'deletecollection':
      return deleteCollection(server, request);
    default:
      throw errors.pathNotFound();
  }
}

function createOrRefuse(server: VerbContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const { kind, namespace, subresource } = request.target;
  if (subresource) throw errors.pathNotFound();
  if (kind.namespaced && !namespace) throw methodNotAllowed();
  return create(server, request);
}

async function read({ target, signal }: ApiRequest<ReadingTarget>): Promise<Answer> {
  return { type: 'page', code: 200, page: { status: 200, headers: {}, body: await target.read(signal) } };
}

async function readPath(targets: Pick<Targets, 'path'>, request: ApiRequest<NonResourceTarget>): Promise<Answer> {
  const { target } = request;
  const page = await targets.path(target.path)?.handle(target, request);
  return page ? { type: 'page', code: page.status, page } : notFoundPage;
}

async function callBackend(parts: PerformParts, { target, user, verb }: ApiRequest<BackendCallTarget>): Promise<Answer> {
  const { backend, ended, call } = target;
  await call(parts.backendClient(backend, user)).catch((error: unknown) => {
    throw isStatusError(error) ? error : errors.serviceUnavailable(`error trying to reach service: ${messageOf(error)}`);
  });
  if (ended) return { type: 'connection', code: 200, run: () => ended };
  return { type: 'status', code: verb === 'create' ? 201 : 200, status: { kind: 'Status', apiVersion: 'v1', status: 'Success' } };
}

const notFoundPage = textPage(404, '404 page not found');
const unavailablePage = textPage(503, serviceUnavailable);
