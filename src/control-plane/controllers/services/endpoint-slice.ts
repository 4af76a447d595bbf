/**
 * EndpointSlices: where the pods of a Service are, for proxies and DNS. Which slices there should be is planned in
 * endpoint-slice-plan.ts. Endpoints that people write are endpoint-slice-mirroring.ts's. Upstream: pkg/controller/endpointslice.
 */
import { EndpointSlice, Node, Pod, Service } from '../../../api/generated/kinds.ts';
import { keyOf, type ObjectKey, parseKey } from '../../../api/meta/object.ts';
import { isNotFound, messageOf } from '../../../api/meta/status-error.ts';
import { serviceNameLabel, sliceManagedByLabel } from '../../../api/meta/well-known.ts';
import { type ControllerIO, defineController, watched } from '../../../client/controllers/controller.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { planSlices, type SlicePlan, sliceManager } from './endpoint-slice-plan.ts';
import { keysOfServices, podMatcherOf, podsOf } from './service-pods.ts';

const isOurs = (slice: EndpointSlice): boolean => slice.metadata.labels?.[sliceManagedByLabel] === sliceManager;

const keyOfService = (slice: EndpointSlice): readonly ObjectKey[] => {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name && isOurs(slice) ? [`${slice.metadata.namespace}/${name}`] : [];
};

export const endpointSliceController = defineController({
  name: 'endpoint-slice-controller',
  serviceAccount: 'endpointslice-controller',
  watches: [
    watched(Service),
    watched(Pod, keysOfServices),
    watched(EndpointSlice, (slice, old) => [...keyOfService(slice), ...(old ? keyOfService(old) : [])]),
    watched(Node, (node, old, io) => (old ? [] : keysWaitingFor(node, io))),
  ],
  concurrency: 5,
  reconcile,
});

/** A new node: the Services of the pods that were there before it. */
function keysWaitingFor(node: Node, io: ControllerIO): readonly ObjectKey[] {
  const pods = io.client.informer(Pod).index('node', (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []))(node.metadata.name);
  return [...new Set(pods.flatMap((pod) => keysOfServices(pod, undefined, io)))];
}

async function reconcile(key: ObjectKey, io: ControllerIO): Promise<void> {
  const service = io.client.informer(Service).get(key);
  if (!service || !podMatcherOf(service)) return;
  const slices = io.client.informer(EndpointSlice).index('service', keyOfService)(key);
  const plan = planSlices({
    service,
    pods: podsOf(service, io),
    nodeOf: (name) => io.client.informer(Node).get(name),
    existing: slices.filter((slice) => !slice.metadata.deletionTimestamp),
  });
  try {
    await apply(service, plan, io);
  } catch (error) {
    if (isNamespaceTerminating(error)) return;
    const message = `Error updating Endpoint Slices for Service ${key}: ${messageOf(error)}`;
    io.events.event(service, 'Warning', 'FailedToUpdateEndpointSlices', message);
    throw error;
  }
  for (const pod of plan.skipped) io.log.debug({ pod: keyOf(pod), node: pod.spec.nodeName }, 'pod without a node is no endpoint yet');
}

async function apply(service: Service, plan: SlicePlan, io: ControllerIO): Promise<void> {
  if (!service.metadata.deletionTimestamp) for (const slice of plan.create) await io.client.create(EndpointSlice, slice);
  for (const slice of plan.update) await io.client.update(EndpointSlice, slice);
  for (const slice of plan.remove) {
    await io.client.delete(EndpointSlice, parseKey(keyOf(slice))).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}
