/**
 * What a Job's policies say: of a failed pod, whether it counts and whether it fails the Job or its index; of the
 * indexes that succeeded, whether they suffice. Pure.
 * Upstream: pkg/controller/job/{pod_failure_policy,success_policy}.go.
 */
import type { PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, SuccessPolicy } from '../../../api/generated/batch-v1.ts';
import type { ContainerStatus } from '../../../api/generated/core-v1.ts';
import type { Pod } from '../../../api/generated/kinds.ts';
import { IndexSet } from './job-indexes.ts';

export interface FailureVerdict {
  /** towards the back-off limit */
  readonly counts: boolean;
  readonly failsIndex: boolean;
  /** why the whole Job fails */
  readonly failsJob?: string;
}

const plain: FailureVerdict = { counts: true, failsIndex: false };

/** The first rule that matches decides. */
export function matchFailurePolicy(policy: PodFailurePolicy | undefined, pod: Pod): FailureVerdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const what = rule.onExitCodes ? exitCodeOf(pod, rule.onExitCodes) : conditionOf(pod, rule.onPodConditions ?? []);
    if (!what) continue;
    if (rule.action === 'Ignore') return { counts: false, failsIndex: false };
    if (rule.action === 'FailIndex') return { counts: true, failsIndex: true };
    if (rule.action === 'FailJob') return { ...plain, failsJob: `${what} matching FailJob rule at index ${index}` };
    return plain;
  }
  return plain;
}

function exitCodeOf(pod: Pod, requirement: PodFailurePolicyOnExitCodesRequirement): string | undefined {
  const { namespace, name } = pod.metadata;
  const matches = (status: ContainerStatus): boolean => {
    const exitCode = status.state?.terminated?.exitCode;
    if (exitCode === undefined || exitCode === 0) return false;
    if (requirement.containerName !== undefined && requirement.containerName !== status.name) return false;
    return requirement.values.includes(exitCode) === (requirement.operator === 'In');
  };
  const status = pod.status?.containerStatuses?.find(matches) ?? pod.status?.initContainerStatuses?.find(matches);
  return status && `Container ${status.name} for pod ${namespace}/${name} failed with exit code ${status.state?.terminated?.exitCode}`;
}

function conditionOf(pod: Pod, patterns: readonly { readonly type: string; readonly status?: string }[]): string | undefined {
  const { namespace, name } = pod.metadata;
  const condition = pod.status?.conditions?.find((each) =>
    patterns.some((pattern) => pattern.type === each.type && (pattern.status ?? 'True') === each.status),
  );
  return condition && `Pod ${namespace}/${name} has condition ${condition.type}`;
}

/** Why the Job counts as succeeded already; undefined while it does not. */
export function matchSuccessPolicy(policy: SuccessPolicy | undefined, completions: number, succeeded: IndexSet): string | undefined {
  if (succeeded.size === 0) return undefined;
  const index = (policy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.size >= succeededCount;
    const required = IndexSet.parse(succeededIndexes, completions);
    const common = required.countCommon(succeeded);
    return required.size > 0 && (common === required.size || (succeededCount !== undefined && common >= succeededCount));
  });
  return index < 0 ? undefined : `Matched rules at index ${index}`;
}
