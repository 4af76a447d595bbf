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
  const compiled = new CompiledSelectors();

  const ofController: DefaultSelector = ({ pod, namespace }) => {
    const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller);
    if (!owner) return undefined;
    const key = `${namespace}/${owner.name}`;
    switch (`${owner.apiVersion} ${owner.kind}`) {
      case 'apps/v1 ReplicaSet':
        return compiled.of(replicaSets.get(key), ({ spec }) => labelMatcher(spec?.selector));
      case 'apps/v1 StatefulSet':
        return compiled.of(statefulSets.get(key), ({ spec }) => labelMatcher(spec?.selector));
      case 'v1 ReplicationController':
        return compiled.of(replicationControllers.get(key), ({ spec }) => labelMatcherOfMap(spec?.selector));
      default:
        return undefined;
    }
  };

  return {
    synced: Promise.all([services.synced, replicaSets.synced, replicationControllers.synced, statefulSets.synced]),
    of: (pod) => {
      const own = ofController(pod);
      const requirements = own ? [...own.requirements] : [];
      for (const service of services.list(pod.namespace)) {
        const matcher = compiled.of(service, ({ spec }) => labelMatcherOfMap(spec?.selector));
        if (matcher && !matcher.isEverything && matcher.matches(pod.labels)) requirements.push(...matcher.requirements);
      }
      if (own?.isNothing || requirements.length === 0) return undefined;
      return requirements.length === own?.requirements.length ? own : new LabelMatcher(requirements);
    },
  };
}

/** Selectors by the object that has them: objects never change, so each is compiled once. */
class CompiledSelectors {
  readonly #matchers = new WeakMap<object, LabelMatcher>();

  of<T extends object>(object: T | undefined, compile: (object: T) => LabelMatcher): LabelMatcher | undefined {
    if (!object) return undefined;
    let matcher = this.#matchers.get(object);
    if (!matcher) {
      matcher = compile(object);
      this.#matchers.set(object, matcher);
    }
    return matcher;
  }
}
