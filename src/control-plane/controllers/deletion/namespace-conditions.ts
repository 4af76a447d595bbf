/**
 * What the conditions of a namespace say while it is being deleted. Pure.
 * Upstream: pkg/controller/namespace/deletion/status_condition_utils.go.
 */
import type { NamespaceCondition } from '../../../api/generated/core-v1.ts';
import { findCondition, withCondition } from '../../../api/meta/conditions.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';

/** What is left of a namespace's content. */
export interface Remains {
  /** resource and group, with how many objects are left */
  readonly resources: ReadonlyMap<string, number>;
  readonly finalizers: ReadonlyMap<string, number>;
  readonly discoveryErrors: readonly { readonly groupVersion: string; readonly error: unknown }[];
  readonly deletionErrors: readonly unknown[];
}

const fine = {
  NamespaceDeletionDiscoveryFailure: ['ResourcesDiscovered', 'All resources successfully discovered'],
  NamespaceDeletionGroupVersionParsingFailure: ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
  NamespaceDeletionContentFailure: ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
  NamespaceContentRemaining: ['ContentRemoved', 'All content successfully removed'],
  NamespaceFinalizersRemaining: ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
} as const;

type ConditionType = keyof typeof fine;

export function nextNamespaceConditions(
  before: readonly NamespaceCondition[] | undefined,
  remains: Remains,
  nowMs: number,
): readonly NamespaceCondition[] {
  const failed = failures(remains);
  const lastTransitionTime = formatTime(nowMs);
  let conditions = before ?? [];
  for (const type of Object.keys(fine) as ConditionType[]) {
    const [reason, message] = failed[type] || fine[type];
    const status = failed[type] ? 'True' : 'False';
    const old = findCondition(conditions, type);
    if (old?.status === status && old.reason === reason && old.message === message) continue;
    conditions = withCondition(conditions, { type, status, reason, message, lastTransitionTime });
  }
  return conditions;
}

function failures({
  resources,
  finalizers,
  discoveryErrors,
  deletionErrors,
}: Remains): Partial<Record<ConditionType, readonly [reason: string, message: string] | false>> {
  const list = (counts: ReadonlyMap<string, number>, joint: string): string =>
    [...counts]
      .map(([name, count]) => `${name} ${joint} ${count} resource instances`)
      .sort()
      .join(', ');
  const groups = discoveryErrors.map(({ groupVersion, error }) => `${groupVersion}: ${messageOf(error)}`).sort();
  const errors = deletionErrors.map(messageOf).sort();
  return {
    NamespaceDeletionDiscoveryFailure: groups.length > 0 && [
      'DiscoveryFailed',
      `Discovery failed for some groups, ${groups.length} failing: unable to retrieve the complete list of server APIs: ${groups.join(', ')}`,
    ],
    NamespaceDeletionContentFailure: errors.length > 0 && [
      'ContentDeletionFailed',
      `Failed to delete all resource types, ${errors.length} remaining: ${errors.join(', ')}`,
    ],
    NamespaceContentRemaining: resources.size > 0 && ['SomeResourcesRemain', `Some resources are remaining: ${list(resources, 'has')}`],
    NamespaceFinalizersRemaining: finalizers.size > 0 && [
      'SomeFinalizersRemain',
      `Some content in the namespace has finalizers remaining: ${list(finalizers, 'in')}`,
    ],
  };
}
