/**
 * ComponentStatus, long deprecated and still asked for by `kubectl get cs`: read only, made up when asked. The parts of
 * the control plane live in one process here, so what answers is well; only the store can be out of reach.
 * Upstream: pkg/registry/core/componentstatus.
 */
import type { KubeObject } from '../../api/meta/object.ts';
import { errors } from '../../api/meta/status-error.ts';
import type { Answer, ResourceRequest } from './resource-request.ts';
import { parseSelection } from './selection.ts';
import { StoredObject } from './stored-object.ts';

const components = ['controller-manager', 'scheduler', 'etcd-0'];
const store = 'etcd-0';

export const isComponentStatus = ({ kind }: ResourceRequest): boolean => kind.resource === 'componentstatuses' && kind.group === '';

export function readComponentStatuses(request: ResourceRequest, isStoreHealthy: boolean): Answer {
  const { name, verb, kind } = request;
  if (verb !== 'get' && verb !== 'list') throw errors.methodNotAllowed(kind, verb);
  const statuses = components.map((component) => describe(component, component !== store || isStoreHealthy));
  if (verb === 'list') {
    const { matches } = parseSelection(request);
    const items = statuses.filter((status) => !matches || matches(status));
    return { type: 'list', code: 200, items: items.map((status) => StoredObject.unstored('', status, 0)), revision: 0 };
  }
  const object = statuses.find((status) => status.metadata.name === name);
  if (!object) throw errors.notFound({ group: '', resource: kind.singular }, name ?? '');
  return { type: 'value', code: 200, object };
}

function describe(name: string, isHealthy: boolean): KubeObject {
  const condition = { type: 'Healthy', status: isHealthy ? 'True' : 'False', message: isHealthy ? 'ok' : 'the store is out of reach' };
  return { kind: 'ComponentStatus', apiVersion: 'v1', metadata: { name }, conditions: [condition] } as KubeObject;
}
