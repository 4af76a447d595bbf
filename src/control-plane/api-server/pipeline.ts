/**
 * The one way of every request for a resource, from HTTP and in-process clients alike: authorize, then the verb (which
 * decodes, admits, defaults, prepares, validates, allocates and stores, see create.ts and guaranteed-update.ts).
 * Authentication, flow control, audit and time-outs lie around it, in the transports.
 *
 * Every failure is a StatusError: what a verb throws beside them is a fault of ours, logged and answered with 500.
 */
import { errors, isStatusError, type StatusError } from '../../api/meta/status-error.ts';
import type { Log } from '../../client/log.ts';
import { StoreUnavailableError } from '../store/storage.ts';
import { namespaceOf } from './admission-request.ts';
import type { Authorize } from './authorization/decide.ts';
import { forbiddenError } from './authorization/forbidden.ts';
import type { ComputedResources } from './computed-resources.ts';
import type { Core } from './core.ts';
import { create } from './create.ts';
import { deleteObject } from './delete.ts';
import { deleteCollection } from './delete-collection.ts';
import type { FunctionCalls } from './function-calls.ts';
import { get } from './get.ts';
import { list } from './list.ts';
import { patch } from './patch.ts';
import { methodNotAllowed } from './refusals.ts';
import type { RequestAttributes } from './request.ts';
import type { RequestMetrics } from './request-metrics.ts';
import type { Answer, ResourceRequest } from './resource-request.ts';
import { update } from './update.ts';
import { ValidationFault } from './validate.ts';
import { watch } from './watch.ts';

export interface PipelineParts {
  readonly core: Core;
  readonly authorize: Authorize;
  readonly functions: FunctionCalls;
  readonly computed: ComputedResources;
  readonly metrics: RequestMetrics;
}

export class Pipeline {
  readonly #parts: PipelineParts;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  async handle(request: ResourceRequest, path = ''): Promise<Answer> {
    try {
      const attributes = attributesOf(request, path);
      const asked = this.#parts.authorize(attributes);
      const decision = asked instanceof Promise ? await asked : asked;
      if (decision.verdict !== 'allow') throw forbiddenError(attributes, decision.reason);
      return await this.#perform(request);
    } catch (error) {
      const { core, metrics } = this.#parts;
      if (error instanceof ValidationFault) metrics.validationBroke();
      const refusal = toStatusError(error, core.log, request);
      if (core.acts.isWatched) core.acts.refused(request, refusal);
      throw refusal;
    }
  }

  /** What a function answers is not kept, and has no Table. */
  hasTable(request: ResourceRequest): boolean {
    return request.verb !== 'create' || !this.#parts.functions.handles(request);
  }

  #perform(request: ResourceRequest): Promise<Answer> {
    const { core, functions, computed } = this.#parts;
    if (request.kind.isComputed) return Promise.resolve(computed.read(request));
    switch (request.verb) {
      case 'get':
        return get(core, request);
      case 'list':
        return list(core, request);
      case 'watch':
        return watch(core, request);
      case 'create':
        return functions.handles(request) ? functions.call(request) : createOrRefuse(core, request);
      case 'update':
        return update(core, request);
      case 'patch':
        return patch(core, request);
      case 'delete':
        return deleteObject(core, request);
      case 'deletecollection':
        return deleteCollection(core, request);
      case 'connect':
        throw errors.pathNotFound();
    }
  }
}

function createOrRefuse(core: Core, request: ResourceRequest): Promise<Answer> {
  if (request.subresource) throw errors.pathNotFound();
  if (request.kind.namespaced && !request.namespace) throw methodNotAllowed();
  return create(core, request);
}

export function attributesOf(request: ResourceRequest, path: string): RequestAttributes {
  const { kind, subresource, user, verb, options } = request;
  const { fieldSelector } = options;
  const name = request.name ?? nameInSelector(fieldSelector);
  const namespace = namespaceOf(request, request.name);
  return {
    user,
    verb,
    path,
    resource: {
      group: kind.group,
      version: kind.version,
      resource: kind.resource,
      ...(subresource && { subresource }),
      ...(namespace !== undefined && { namespace }),
      ...(name !== undefined && { name }),
      ...(fieldSelector && { fieldSelector }),
    },
  };
}

/** Who lists by `metadata.name=…` asks for that one object: the rights to it are enough. */
const nameInSelector = (fieldSelector: string | undefined): string | undefined =>
  /(?:^|,)metadata\.name==?([^,=]+)(?:,|$)/.exec(fieldSelector ?? '')?.[1];

export function toStatusError(error: unknown, log: Log, about: Pick<ResourceRequest, 'verb' | 'kind' | 'signal'>): StatusError {
  if (isStatusError(error)) return error;
  if (about.signal.aborted) return errors.timeout('request did not complete within the allotted time');
  if (error instanceof StoreUnavailableError) return errors.serviceUnavailable(error.message);
  log.error({ error, verb: about.verb, resource: about.kind.resource }, 'a request failed by a fault of the server');
  return errors.internal(error instanceof Error ? error.message : String(error));
}
