/**
 * In which order discovery lists groups and versions: the priorities of upstream's own API services; custom resources
 * come after them.
 * Upstream: pkg/controlplane/apiserver/aggregator.go, cmd/kube-apiserver/app/aggregator.go.
 */

import { versionPriority } from '../../../api/kinds/define-kind.ts';
import type { KindSnapshot } from '../../../api/kinds/kind-snapshot.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import { own } from '../../../api/meta/words.ts';

const groupPriorities: Readonly<Record<string, number>> = {
  '': 18000,
  'apiregistration.k8s.io': 18000,
  apps: 17800,
  'events.k8s.io': 17750,
  'authentication.k8s.io': 17700,
  'authorization.k8s.io': 17600,
  autoscaling: 17500,
  batch: 17400,
  'certificates.k8s.io': 17300,
  'networking.k8s.io': 17200,
  policy: 17100,
  'rbac.authorization.k8s.io': 17000,
  'storage.k8s.io': 16800,
  'apiextensions.k8s.io': 16700,
  'admissionregistration.k8s.io': 16700,
  'scheduling.k8s.io': 16600,
  'coordination.k8s.io': 16500,
  'node.k8s.io': 16300,
  'discovery.k8s.io': 16200,
  'resource.k8s.io': 16200,
  'flowcontrol.apiserver.k8s.io': 16100,
  'internal.apiserver.k8s.io': 16000,
  'storagemigration.k8s.io': 15800,
};
const customPriority = 1000;

const groupPriority = (group: string): number => own(groupPriorities, group) ?? customPriority;

export interface ServedVersion {
  readonly version: string;
  /** by name */
  readonly kinds: readonly Kind[];
}
export interface ServedGroup {
  readonly group: string;
  /** the preferred one first */
  readonly versions: readonly ServedVersion[];
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What is served, in discovery's order; the core group comes first. */
export function servedGroups(served: KindSnapshot): readonly ServedGroup[] {
  const byGroup = Map.groupBy(served.list(), (kind) => kind.group);
  return [...byGroup]
    .map(([group, kinds]) => ({ group, versions: servedVersions(kinds) }))
    .sort((a, b) => groupPriority(b.group) - groupPriority(a.group) || compareText(a.group, b.group));
}

function servedVersions(kinds: readonly Kind[]): readonly ServedVersion[] {
  return [...Map.groupBy(kinds, (kind) => kind.version)]
    .map(([version, list]) => ({ version, kinds: list.toSorted((a, b) => compareText(a.resource, b.resource)) }))
    .sort((a, b) => versionPriority(b.version) - versionPriority(a.version) || compareText(a.version, b.version));
}
