/**
 * In which order discovery lists groups and versions: the priorities of upstream's own API services; custom resources
 * come after them, and what is served elsewhere where it asks to stand.
 * Upstream: kube-aggregator/pkg/apis/apiregistration/v1/helper.
 */
import { versionPriority } from '../../../api/kinds/define-kind.ts';
import { builtInGroupPriority, customPriority } from '../../../api/kinds/group-priorities.ts';
import type { Backend, KindSnapshot } from '../../../api/kinds/kind-snapshot.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import { apiVersionOf } from '../../../api/meta/object.ts';
import { compareText } from '../../../api/meta/order.ts';

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
  const local = builtInGroupPriority(group) ?? customPriority.group;
  return Math.max(...versions.map(({ backend }) => backend?.groupPriorityMinimum ?? local));
}

function byPriority(a: GroupVersion, b: GroupVersion): number {
  return priorityOf(b) - priorityOf(a) || versionPriority(b.version) - versionPriority(a.version) || compareText(a.version, b.version);
}

const priorityOf = ({ group, backend }: GroupVersion): number =>
  backend?.versionPriority ?? (builtInGroupPriority(group) === undefined ? customPriority.version : builtInVersion);
