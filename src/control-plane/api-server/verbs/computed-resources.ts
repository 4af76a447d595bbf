/** Resources whose objects are made when they are read: get and list of them. They have no revision, and nobody watches them. */
import { resourceKey } from '../../../api/kinds/define-kind.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { StoredObject } from '../cache/stored-object.ts';
import type { ResourceAnswer } from '../request/answer.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import type { ComputedResource } from '../request/non-resource-endpoint.ts';
import { checkListOptions } from './list-options.ts';
import { parseSelection } from './selection.ts';

export class ComputedResources {
  readonly #resources: ReadonlyMap<string, ComputedResource>;

  constructor(resources: readonly ComputedResource[]) {
    this.#resources = new Map(resources.map((resource) => [resourceKey(resource), resource]));
  }

  read(request: ResourceRequest): ResourceAnswer {
    const { verb } = request;
    const { name, kind } = request.target;
    const resource = this.#resources.get(resourceKey(kind));
    if (!resource) throw errors.pathNotFound();
    if (verb !== 'get' && verb !== 'list') throw errors.methodNotAllowed(kind, verb);
    const objects = resource.list();
    if (verb === 'list') {
      checkListOptions(request.options);
      const { matches } = parseSelection(request);
      const items = objects.filter((object) => !matches || matches(object));
      return { type: 'list', code: 200, items: items.map((object) => StoredObject.unstored({ key: '' }, object, 0)), revision: 0 };
    }
    const object = objects.find(({ metadata }) => metadata.name === name);
    if (!object) throw errors.notFound({ group: kind.group, resource: kind.singular }, name ?? '');
    return { type: 'value', code: 200, object };
  }
}
