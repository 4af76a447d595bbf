/**
 * How a server's own group-versions stand beside others: what their APIServices say, and so the order of discovery.
 * A version that is not named stands among its group by its name, and has no APIService.
 * Upstream: pkg/controlplane/apiserver/aggregator.go, cmd/kube-apiserver/app/aggregator.go; for custom resources
 * pkg/controlplane/controller/crdregistration; for metrics metrics-server's manifests.
 */
import { own } from '../meta/words.ts';

export interface Priority {
  /** what the group has at least */
  readonly group: number;
  /** within the group */
  readonly version: number;
}

interface GroupRow {
  readonly group: number;
  readonly versions: Readonly<Record<string, number>>;
}

const groups: Readonly<Record<string, GroupRow>> = {
  '': { group: 18000, versions: { v1: 1 } },
  'apiregistration.k8s.io': { group: 18000, versions: {} },
  apps: { group: 17800, versions: { v1: 15 } },
  'events.k8s.io': { group: 17750, versions: { v1: 15, v1beta1: 5 } },
  'authentication.k8s.io': { group: 17700, versions: { v1: 15, v1beta1: 9, v1alpha1: 1 } },
  'authorization.k8s.io': { group: 17600, versions: { v1: 15 } },
  autoscaling: { group: 17500, versions: { v2: 30, v1: 15, v2beta1: 9, v2beta2: 1 } },
  batch: { group: 17400, versions: { v1: 15, v1beta1: 9, v2alpha1: 9 } },
  'certificates.k8s.io': { group: 17300, versions: { v1: 15, v1beta1: 9, v1alpha1: 1 } },
  'networking.k8s.io': { group: 17200, versions: { v1: 15, v1beta1: 9 } },
  policy: { group: 17100, versions: { v1: 15, v1beta1: 9 } },
  'rbac.authorization.k8s.io': { group: 17000, versions: { v1: 15 } },
  'storage.k8s.io': { group: 16800, versions: { v1: 15, v1beta1: 9, v1alpha1: 1 } },
  'apiextensions.k8s.io': { group: 16700, versions: { v1: 15 } },
  'admissionregistration.k8s.io': { group: 16700, versions: { v1: 15, v1beta1: 12, v1alpha1: 9 } },
  'scheduling.k8s.io': { group: 16600, versions: { v1: 15, v1alpha2: 2 } },
  'coordination.k8s.io': { group: 16500, versions: { v1: 15, v1beta1: 13, v1alpha2: 12 } },
  'node.k8s.io': { group: 16300, versions: { v1: 15, v1beta1: 9, v1alpha1: 1 } },
  'discovery.k8s.io': { group: 16200, versions: { v1: 15, v1beta1: 12 } },
  'resource.k8s.io': { group: 16200, versions: { v1: 21, v1beta2: 15, v1beta1: 9, v1alpha3: 1 } },
  'flowcontrol.apiserver.k8s.io': { group: 16100, versions: { v1: 21, v1beta3: 18, v1beta2: 15, v1beta1: 12, v1alpha1: 9 } },
  'internal.apiserver.k8s.io': { group: 16000, versions: { v1alpha1: 9 } },
  'storagemigration.k8s.io': { group: 15800, versions: { v1beta1: 9 } },
  'metrics.k8s.io': { group: 100, versions: { v1beta1: 100 } },
};

/** Of a custom resource's group-versions: low, and ordered by their names. */
export const customPriority: Priority = { group: 1000, version: 100 };

/** Undefined: none of the server's own. */
export const builtInGroupPriority = (group: string): number | undefined => own(groups, group)?.group;

/** Undefined: it has no APIService. */
export function builtInPriority({ group, version }: { readonly group: string; readonly version: string }): Priority | undefined {
  const row = own(groups, group);
  const rank = row && own(row.versions, version);
  return row && rank !== undefined ? { group: row.group, version: rank } : undefined;
}
