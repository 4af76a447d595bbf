/** Names that Kubernetes gives to things of its own, where more than one room knows them. Upstream: k8s.io/api. */

/** Each node renews its Lease in it. */
export const nodeLeaseNamespace = 'kube-node-lease';

/** The ConfigMap, in every namespace, by which pods check the API server's certificate. */
export const rootCAConfigMap = 'kube-root-ca.crt';

/** How an object's deletion goes on: its dependents stay, or go first. */
export const orphanFinalizer = 'orphan';
export const foregroundFinalizer = 'foregroundDeletion';

/** On EndpointSlices: the Service that they are of, and who keeps them. */
export const serviceNameLabel = 'kubernetes.io/service-name';
export const sliceManagedByLabel = 'endpointslice.kubernetes.io/managed-by';

/** On Services without a cluster IP, and on their Endpoints and EndpointSlices. */
export const headlessLabel = 'service.kubernetes.io/headless';

/** Where a node is. */
export const zoneLabel = 'topology.kubernetes.io/zone';
export const regionLabel = 'topology.kubernetes.io/region';
export const hostnameLabel = 'kubernetes.io/hostname';
/** On nodes whose containers are not real; the key of their taint, too. */
export const simulatedLabel = 'timonier.dev/simulated';

/** Taints of nodes: what their conditions and their cordon come to. */
export const notReadyTaint = 'node.kubernetes.io/not-ready';
export const unreachableTaint = 'node.kubernetes.io/unreachable';
export const unschedulableTaint = 'node.kubernetes.io/unschedulable';
