/**
 * In which order discovery lists groups and versions: the priorities of upstream's own API services; custom resources
 * come after them, and what is served elsewhere where it asks to stand.
 * Upstream: pkg/controlplane/apiserver/aggregator.go, cmd/kube-apiserver/app/aggregator.go,
 * kube-aggregator/pkg/apis/apiregistration/v1/helper.
 */
import { versionPriority } from '../../../api/kinds/define-kind.ts';
import type { Backend, KindSnapshot } from '../../../api/kinds/kind-snapshot.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import { apiVersionOf } from '../../../api/meta/object.ts';
import { compareText } from '../../../api/meta/order.ts';
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
/** Of a custom resource's group-versions. Upstream: pkg/controlplane/controller/crdregistration. */
const custom = { group: 1000, version: 100 } as const;
/** Of a built-in version: among themselves they stand in the order of their names. */
const builtInVersion = 15;

export interface ServedVersion {
  readonly version: string;
  /** by name */
  readonly kinds: readonly Kind[];
  /** another server answers for it */
  readonly backend?: Backend | undefined;
}
export interface ServedGroup {
  readonly group: string;
  /** the preferred one first */
  readonly versions: readonly ServedVersion[];
}

/** What is served, in discovery's order; the core group comes first. */
export function servedGroups(served: KindSnapshot): readonly ServedGroup[] {
  const groups = Map.groupBy([...localVersions(served), ...backendVersions(served)], ({ group }) => group);
  return [...groups]
    .map(([group, versions]) => ({ group, versions: versions.sort(byPriority), priority: groupPriority(group, versions) }))
    .sort((a, b) => b.priority - a.priority || compareText(a.group, b.group))
    .map(({ group, versions }) => ({ group, versions }));
}

type GroupVersion = ServedVersion & { readonly group: string };

function localVersions(served: KindSnapshot): readonly GroupVersion[] {
  return [...Map.groupBy(served.list(), apiVersionOf).values()].flatMap((kinds) => {
    const [first] = kinds;
    return first ? [{ ...versionOf(first), kinds: kinds.toSorted((a, b) => compareText(a.resource, b.resource)) }] : [];
  });
}

const backendVersions = (served: KindSnapshot): readonly GroupVersion[] =>
  [...served.backends].map((backend) => ({ ...versionOf(backend), kinds: [], backend }));

const versionOf = ({ group, version }: { readonly group: string; readonly version: string }) => ({ group, version });

/** The greatest that any of its versions asks for. */
function groupPriority(group: string, versions: readonly GroupVersion[]): number {
  const local = own(groupPriorities, group) ?? custom.group;
  return Math.max(...versions.map(({ backend }) => backend?.groupPriorityMinimum ?? local));
}

function byPriority(a: GroupVersion, b: GroupVersion): number {
  return priorityOf(b) - priorityOf(a) || versionPriority(b.version) - versionPriority(a.version) || compareText(a.version, b.version);
}

const priorityOf = ({ group, backend }: GroupVersion): number =>
  backend?.versionPriority ?? (own(groupPriorities, group) === undefined ? custom.version : builtInVersion);
