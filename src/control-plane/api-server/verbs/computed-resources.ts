/** Answers for resources that are computed (client/computed-resource.ts): the server's own from the start, others while they are there. */
import { resourceKey } from '../../../api/kinds/define-kind.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { ComputedResource } from '../../../client/computed-resource.ts';
import { StoredObject } from '../cache/stored-object.ts';
import type { ResourceAnswer } from '../request/answer.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { checkListOptions } from './list-options.ts';
import { parseSelection } from './selection.ts';

export class ComputedResources {
  readonly #resources = new Map<string, ComputedResource>();

  constructor(resources: readonly ComputedResource[]) {
    for (const resource of resources) this.add(resource);
  }

  /** What it answers for has to be served besides. */
  add(resource: ComputedResource): Disposable {
    const key = resourceKey(resource.kind);
    this.#resources.set(key, resource);
    return {
      [Symbol.dispose]: () => {
        this.#resources.delete(key);
      },
    };
  }

  async read(request: ResourceRequest): Promise<ResourceAnswer> {
    const { verb, options, target } = request;
    const { kind, subresource } = target;
    const resource = this.#resources.get(resourceKey(kind));
    if (!resource || subresource !== undefined) throw errors.pathNotFound();
    if (verb === 'get') return { type: 'value', code: 200, object: await find(resource, request) };
    if (verb !== 'list') throw errors.methodNotAllowed(kind, verb);
    checkListOptions(options);
    const { matches } = parseSelection(request);
    const objects = await resource.list({ namespace: target.namespace, labelSelector: options.labelSelector });
    const items = objects.filter((object) => !matches || matches(object));
    return { type: 'list', code: 200, items: items.map((object) => StoredObject.unstored({ key: '' }, object, 0)), revision: 0 };
  }
}

async function find(resource: ComputedResource, { target }: ResourceRequest) {
  const { kind, namespace, name = '' } = target;
  if (resource.get) return await resource.get({ namespace, name });
  const found = (await resource.list({ namespace })).find(({ metadata }) => metadata.name === name);
  if (!found) throw errors.notFound({ group: kind.group, resource: kind.singular }, name);
  return found;
}
