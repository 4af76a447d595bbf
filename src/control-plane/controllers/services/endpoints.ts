/**
 * Endpoints: the elder form of EndpointSlices, for clients that still read it. At most a thousand addresses.
 * Upstream: pkg/controller/endpoint, pkg/api/v1/endpoints/util.go.
 */
import type { EndpointAddress, EndpointPort, EndpointSubset } from '../../../api/generated/core-v1.ts';
import { Endpoints, Pod, Service } from '../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { keyOf, type ObjectKey, parseKey } from '../../../api/meta/object.ts';
import { isNotFound, messageOf } from '../../../api/meta/status-error.ts';
import { headlessLabel } from '../../../api/meta/well-known.ts';
import { isPodReady } from '../../../api/predicates/pod-state.ts';
import { type ControllerIO, defineController, watched } from '../../../client/controllers/controller.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { canonical } from '../template-hash.ts';
import {
  hasEndpoint,
  hasNoClusterIP,
  hostnameOf,
  keysOfServices,
  podMatcherOf,
  podsOf,
  targetPortOf,
  targetRefOf,
} from './service-pods.ts';

const addressesMax = 1000;
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity';
const managedByLabel = 'endpoints.kubernetes.io/managed-by';

export const endpointsController = defineController({
  name: 'endpoint-controller',
  watches: [
    watched(Service),
    watched(Pod, keysOfServices),
    watched(Endpoints, (endpoints) => (endpoints.metadata.labels?.[managedByLabel] ? [keyOf(endpoints)] : [])),
  ],
  concurrency: 5,
  reconcile,
});

async function reconcile(key: ObjectKey, io: ControllerIO): Promise<void> {
  const service = io.client.informer(Service).get(key);
  const current = io.client.informer(Endpoints).get(key);
  if (!service) return current && remove(key, io);
  if (!podMatcherOf(service)) return;
  const { namespace, name } = service.metadata;
  const { subsets, truncated } = truncate(planSubsets(service, podsOf(service, io)));
  const labels = {
    ...service.metadata.labels,
    ...(hasNoClusterIP(service) && { [headlessLabel]: '' }),
    [managedByLabel]: 'endpoint-controller',
  };
  const { [overCapacityAnnotation]: capacity, ...others } = current?.metadata.annotations ?? {};
  const annotations = { ...others, ...(truncated && { [overCapacityAnnotation]: 'truncated' }) };
  const isSame =
    current !== undefined &&
    equalSemantically(current.subsets, subsets) &&
    equalSemantically(current.metadata.labels, labels) &&
    (capacity === 'truncated') === truncated;
  if (isSame) return;
  try {
    if (current) await io.client.update(Endpoints, { ...current, metadata: { ...current.metadata, labels, annotations }, subsets });
    else await io.client.create(Endpoints, { metadata: { namespace, name, labels, annotations }, subsets });
  } catch (error) {
    if (isNamespaceTerminating(error)) return;
    const [reason, message] = current
      ? ['FailedToUpdateEndpoint', `Failed to update endpoint ${key}: ${messageOf(error)}`]
      : ['FailedToCreateEndpoint', `Failed to create endpoint for service ${key}: ${messageOf(error)}`];
    io.events.event(current ?? service, 'Warning', reason, message);
    throw error;
  }
}

async function remove(key: ObjectKey, io: ControllerIO): Promise<void> {
  await io.client.delete(Endpoints, parseKey(key)).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

interface Endpoint {
  readonly address: EndpointAddress;
  readonly ready: boolean;
  /** undefined among them: of a headless Service without ports */
  readonly ports: readonly (EndpointPort | undefined)[];
}

interface Group {
  readonly ports: (EndpointPort | undefined)[];
  readonly endpoints: readonly Endpoint[];
}

/** Ports that have the same addresses, ready and not, share a subset. Sorted, so that the same pods give the same subsets. */
export function planSubsets(service: Service, pods: readonly Pod[]): readonly EndpointSubset[] {
  const byPort = new Map<string, { port: EndpointPort | undefined; endpoints: Endpoint[] }>();
  for (const endpoint of endpointsOf(service, pods)) {
    for (const port of endpoint.ports) {
      const key = canonical(port ?? null);
      const found = byPort.get(key) ?? { port, endpoints: [] };
      byPort.set(key, found);
      found.endpoints.push(endpoint);
    }
  }
  const groups = new Map<string, Group>();
  for (const { port, endpoints } of byPort.values()) {
    const key = endpoints.map(({ address, ready }) => `${orderOf(address)} ${ready}`).join();
    const group = groups.get(key) ?? { ports: [], endpoints };
    groups.set(key, group);
    group.ports.push(port);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => subsetOf(group));
}

const orderOf = ({ ip, targetRef }: EndpointAddress): string => `${ip} ${targetRef?.uid ?? ''}`;

/** By address, each with what it serves. */
function endpointsOf(service: Service, pods: readonly Pod[]): readonly Endpoint[] {
  const { publishNotReadyAddresses = false } = service.spec;
  const found = pods.flatMap((pod): Endpoint[] => {
    if (!hasEndpoint(pod) || (pod.metadata.deletionTimestamp && !publishNotReadyAddresses)) return [];
    const address = addressOf(service, pod);
    return address ? [{ address, ready: isPodReady(pod) || publishNotReadyAddresses, ports: portsOf(service, pod) }] : [];
  });
  return found.sort((a, b) => (orderOf(a.address) < orderOf(b.address) ? -1 : 1));
}

function subsetOf({ ports, endpoints }: Group): EndpointSubset {
  const ready = endpoints.filter((endpoint) => endpoint.ready).map(({ address }) => address);
  const notReady = endpoints.filter((endpoint) => !endpoint.ready).map(({ address }) => address);
  const named = ports.filter((port) => port !== undefined);
  return {
    ...(ready.length > 0 && { addresses: ready }),
    ...(notReady.length > 0 && { notReadyAddresses: notReady }),
    ...(named.length > 0 && { ports: named }),
  };
}

/** The pod's address of the Service's first family. */
function addressOf(service: Service, pod: Pod): EndpointAddress | undefined {
  const { clusterIP, ipFamilies } = service.spec;
  const wantsIPv6 = ipFamilies?.[0] === 'IPv6' || (!ipFamilies?.length && clusterIP?.includes(':') === true);
  const ip = pod.status.podIPs?.find((each) => each.ip.includes(':') === wantsIPv6)?.ip;
  if (!ip) return undefined;
  const hostname = hostnameOf(pod, service);
  return { ip, ...(hostname && { hostname }), ...(pod.spec.nodeName && { nodeName: pod.spec.nodeName }), targetRef: targetRefOf(pod) };
}

function portsOf(service: Service, pod: Pod): Endpoint['ports'] {
  const { ports = [], clusterIP } = service.spec;
  if (ports.length === 0 && clusterIP === 'None') return [undefined];
  return ports.flatMap((port) => {
    const target = targetPortOf(pod, port);
    const { name, protocol = 'TCP', appProtocol } = port;
    return target === undefined ? [] : [{ ...(name && { name }), port: target, protocol, ...(appProtocol && { appProtocol }) }];
  });
}

/** Ready addresses before those that are not, in proportion to the sizes of the subsets. */
function truncate(subsets: readonly EndpointSubset[]): { subsets: readonly EndpointSubset[]; truncated: boolean } {
  const count = (of: (subset: EndpointSubset) => readonly unknown[] | undefined): number =>
    subsets.reduce((sum, subset) => sum + (of(subset)?.length ?? 0), 0);
  const ready = count((subset) => subset.addresses);
  const notReady = count((subset) => subset.notReadyAddresses);
  if (ready + notReady <= addressesMax) return { subsets, truncated: false };
  const readyRatio = Math.min(1, addressesMax / ready);
  const notReadyRatio = ready >= addressesMax ? 0 : (addressesMax - ready) / notReady;
  const cut = subsets.map(({ addresses = [], notReadyAddresses = [], ports }) => ({
    addresses: addresses.slice(0, Math.floor(addresses.length * readyRatio)),
    notReadyAddresses: notReadyAddresses.slice(0, Math.floor(notReadyAddresses.length * notReadyRatio)),
    ...(ports && { ports }),
  }));
  return { subsets: cut, truncated: true };
}
