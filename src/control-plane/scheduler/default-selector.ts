/**
 * Which pods belong together by default: those of the same Services, and of the same controller. What spreading uses
 * for pods without constraints of their own. Upstream: plugins/helper/spread.go.
 */
import { ReplicaSet, ReplicationController, Service, StatefulSet } from '../../api/generated/kinds.ts';
import { LabelMatcher, labelMatcher, labelMatcherOfMap } from '../../api/meta/selectors.ts';
import type { Client } from '../../client/client.ts';
import type { DefaultSelector } from './plugins/pod-topology-spread.ts';

export function createDefaultSelector(client: Client): { readonly synced: Promise<unknown>; readonly of: DefaultSelector } {
  const services = client.informer(Service);
  const replicaSets = client.informer(ReplicaSet);
  const replicationControllers = client.informer(ReplicationController);
  const statefulSets = client.informer(StatefulSet);

  const ofController: DefaultSelector = ({ pod, namespace }) => {
    const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller);
    if (!owner) return undefined;
    const key = `${namespace}/${owner.name}`;
    switch (`${owner.apiVersion} ${owner.kind}`) {
      case 'apps/v1 ReplicaSet':
        return selectorOf(replicaSets.get(key)?.spec.selector);
      case 'apps/v1 StatefulSet':
        return selectorOf(statefulSets.get(key)?.spec.selector);
      case 'v1 ReplicationController': {
        const selector = replicationControllers.get(key)?.spec.selector;
        return selector && labelMatcherOfMap(selector);
      }
      default:
        return undefined;
    }
  };

  return {
    synced: Promise.all([services.synced, replicaSets.synced, replicationControllers.synced, statefulSets.synced]),
    of: (pod) => {
      const requirements = [...(ofController(pod)?.requirements ?? [])];
      for (const service of services.list(pod.namespace)) {
        const { selector } = service.spec;
        if (!selector || Object.keys(selector).length === 0) continue;
        const matcher = labelMatcherOfMap(selector);
        if (matcher.matches(pod.labels)) requirements.push(...matcher.requirements);
      }
      return requirements.length ? new LabelMatcher(requirements) : undefined;
    },
  };
}

const selectorOf = (selector: Parameters<typeof labelMatcher>[0]): LabelMatcher | undefined =>
  selector ? labelMatcher(selector) : undefined;
