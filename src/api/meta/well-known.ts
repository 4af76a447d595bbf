/** Names that Kubernetes gives to things of its own, where more than one room knows them. Upstream: k8s.io/api. */

/** Each node renews its Lease in it. */
export const nodeLeaseNamespace = 'kube-node-lease';

/** The ConfigMap, in every namespace, by which pods check the API server's certificate. */
export const rootCAConfigMap = 'kube-root-ca.crt';

/** How an object's deletion goes on: its dependents stay, or go first. */
export const orphanFinalizer = 'orphan';
export const foregroundFinalizer = 'foregroundDeletion';
