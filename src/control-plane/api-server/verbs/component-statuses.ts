/**
 * ComponentStatus, long deprecated and still asked for by `kubectl get cs`. Of the store it says how it is. Scheduler and
 * controllers are told as healthy: by default they live in this process. What it does not do: ask them where they don't.
 * Upstream: pkg/registry/core/componentstatus.
 */
import { componentStatus } from '../../../api/kinds/core/component-status.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { ComputedResource } from '../../../client/computed-resource.ts';

const store = 'etcd-0';
const components = ['controller-manager', 'scheduler', store];

export const componentStatuses = (isStoreHealthy: () => boolean): ComputedResource => ({
  kind: componentStatus,
  list: () => components.map((component) => describe(component, component !== store || isStoreHealthy())),
});

function describe(name: string, isHealthy: boolean): KubeObject {
  const condition = { type: 'Healthy', status: isHealthy ? 'True' : 'False', message: isHealthy ? 'ok' : 'the store is out of reach' };
  return { kind: 'ComponentStatus', apiVersion: 'v1', metadata: { name }, conditions: [condition] } as KubeObject;
}
