/**
 * POSTs that a function answers instead of the store: reviews, tokens, bindings, evictions. The body is decoded,
 * defaulted and admitted like any object. Upstream: rest.NamedCreater and the review resources of pkg/registry.
 */

import { errors } from '../../api/meta/status-error.ts';
import { own } from '../../api/meta/words.ts';
import { admissionRequest } from './admission-request.ts';
import type { Core } from './core.ts';
import { decodeBodyAs, isDryRun } from './decode.ts';
import type { FunctionEndpoint } from './endpoint.ts';
import { expectedNamespace } from './request-metadata.ts';
import type { Answer, ResourceRequest } from './resource-request.ts';
import { isLarge, rest } from './rest.ts';

export class FunctionCalls {
  readonly #core: Core;
  readonly #endpoints = new Map<string, FunctionEndpoint>();

  constructor(core: Core, endpoints: readonly FunctionEndpoint[]) {
    this.#core = core;
    for (const endpoint of endpoints) this.#endpoints.set(keyOf(endpoint.group, endpoint.resource, endpoint.subresource), endpoint);
  }

  handles(request: ResourceRequest): boolean {
    return this.#find(request) !== undefined;
  }

  async call(request: ResourceRequest): Promise<Answer> {
    const endpoint = this.#find(request);
    if (!endpoint) throw errors.pathNotFound();
    const { kind, subresource, namespace, name, user, signal } = request;
    const dryRun = isDryRun(request.options);
    const given = await decodeBodyAs(request, (subresource && own(kind.subresources, subresource)?.kind) || kind);
    const large = isLarge(request);
    if (large) await rest();
    const inNamespace = expectedNamespace(request, given.metadata.namespace);
    const decoded = inNamespace ? { ...given, metadata: { ...given.metadata, namespace: inNamespace } } : given;
    const admission = { ...admissionRequest(request, 'CREATE', name ?? decoded.metadata.name ?? '', dryRun), object: decoded };
    const body = await this.#core.admission.admit(admission);
    await this.#core.admission.validate({ ...admission, object: body });
    if (large) await rest();
    const at = { ...(namespace !== undefined && { namespace }), name: name ?? body.metadata.name ?? '' };
    const object = await endpoint.handle({ cause: request, kind, at, body, user, dryRun, signal });
    return { type: 'value', code: 201, object };
  }

  #find({ kind, subresource }: ResourceRequest): FunctionEndpoint | undefined {
    return this.#endpoints.get(keyOf(kind.group, kind.resource, subresource));
  }
}

const keyOf = (group: string, resource: string, subresource: string | undefined): string => `${group}/${resource}/${subresource ?? ''}`;
