/**
 * Which pods a Service leads to, and by which ports: shared by EndpointSlices and Endpoints.
 * Upstream: k8s.io/endpointslice/util/controller_utils.go, endpointslice/utils.go.
 */
import type { ServicePort } from '../../../api/generated/core-v1.ts';
import { Pod, Service } from '../../../api/generated/kinds.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { type KubeObject, keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { type LabelMatcher, labelMatcherOfMap } from '../../../api/meta/selectors.ts';
import { isSidecar } from '../../../api/predicates/pod-resources.ts';
import { isPodReady, isPodTerminal } from '../../../api/predicates/pod-state.ts';
import type { ControllerIO } from '../../../client/controllers/controller.ts';

type Selector = Readonly<Record<string, string>>;

const matchers = new WeakMap<Selector, LabelMatcher>();

/** undefined: the endpoints of this Service are not ours to write */
export function podMatcherOf(service: Service): LabelMatcher | undefined {
  const { selector, type } = service.spec;
  if (type === 'ExternalName' || !selector || Object.keys(selector).length === 0) return undefined;
  let matcher = matchers.get(selector);
  if (!matcher) {
    matcher = labelMatcherOfMap(selector);
    matchers.set(selector, matcher);
  }
  return matcher;
}

const pairOf = (namespace: string | undefined, name: string, value: string): string => `${namespace ?? ''}/${name}=${value}`;
const pairsOf = ({ metadata }: KubeObject): readonly string[] =>
  Object.entries(metadata.labels ?? {}).map(([name, value]) => pairOf(metadata.namespace, name, value));

/** The pods that the Service selects: looked up by the rarest of its labels. */
export function podsOf(service: Service, io: ControllerIO): readonly Pod[] {
  const matcher = podMatcherOf(service);
  if (!matcher) return [];
  const byPair = io.client.informer(Pod).index('label-pairs', pairsOf);
  let fewest: readonly Pod[] | undefined;
  for (const [name, value] of Object.entries(service.spec.selector ?? {})) {
    const pods = byPair(pairOf(service.metadata.namespace, name, value));
    if (!fewest || pods.length < fewest.length) fewest = pods;
  }
  return (fewest ?? []).filter((pod) => matcher.matches(pod.metadata.labels));
}

/** Keys of the Services that a change of a pod concerns: those that select it, or did, if an endpoint would look different. */
export function keysOfServices(pod: Pod, old: Pod | undefined, io: ControllerIO): readonly ObjectKey[] {
  const relabelled = old !== undefined && !equalJson(pod.metadata.labels, old.metadata.labels);
  if (old && !relabelled && equalJson(endpointView(pod), endpointView(old))) return [];
  const services = io.client.informer(Service).list(pod.metadata.namespace);
  const selects = (service: Service): boolean => {
    const matcher = podMatcherOf(service);
    return matcher !== undefined && (matcher.matches(pod.metadata.labels) || (relabelled && matcher.matches(old.metadata.labels)));
  };
  return services.filter(selects).map(keyOf);
}

/** What of a pod its endpoints show. */
function endpointView(pod: Pod): unknown {
  const { hostname, subdomain, nodeName } = pod.spec;
  return [
    pod.status?.podIPs,
    isPodReady(pod),
    isPodTerminal(pod),
    pod.metadata.deletionTimestamp !== undefined,
    hostname,
    subdomain,
    nodeName,
  ];
}

/** Pods that have ended, or have no address yet, are no endpoints. */
export const hasEndpoint = (pod: Pod): boolean => !isPodTerminal(pod) && (pod.status?.podIPs?.length ?? 0) > 0;

/** The port of the pod behind a Service's port; undefined when it has none of that name. */
export function targetPortOf(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target;
  const sidecars = pod.spec.initContainers?.filter(isSidecar) ?? [];
  for (const container of [...pod.spec.containers, ...sidecars]) {
    const named = container.ports?.find((each) => each.name === target && (each.protocol ?? 'TCP') === (port.protocol ?? 'TCP'));
    if (named) return named.containerPort;
  }
  return undefined;
}

/** Pods of a subdomain have names of their own under their Service's. */
export const hostnameOf = (pod: Pod, service: Service): string | undefined =>
  pod.spec.hostname && pod.spec.subdomain === service.metadata.name ? pod.spec.hostname : undefined;

export const hasNoClusterIP = ({ spec }: Service): boolean => spec.clusterIP === 'None' || !spec.clusterIP;

export const targetRefOf = ({ metadata }: Pod) => ({
  kind: 'Pod',
  namespace: metadata.namespace,
  name: metadata.name,
  uid: metadata.uid,
});
