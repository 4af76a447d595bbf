/** Checks of a Job's pod failure policy and success policy, and of lists of indexes. Upstream: pkg/apis/batch/validation. */

import type {
  JobSpec,
  PodFailurePolicy,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicy,
  SuccessPolicyRule,
} from '../../generated/batch-v1.ts';
import { all, each, fields, itemsMax, nonNegative, oneOf, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { repeats } from '../checks.ts';
import { listOf } from '../lists.ts';
import { demandedQualifiedName } from '../shared-rules.ts';

const rulesMax = 20;
const patternsMax = 20;
const exitCodesMax = 255;
const indexesLengthMax = 64 * 1024;
const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const statuses = ['False', 'True', 'Unknown'];
const operators = ['In', 'NotIn'];

/** `[]string{"a", "b"}` as Go's %q writes it. */
const quoted = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;

const action = required(oneOf(...actions), `valid values: ${quoted(actions)}`);
const operator = required(oneOf(...operators), `valid values: ${quoted(operators)}`);
const pattern = fields<PodFailurePolicyOnPodConditionsPattern>({
  type: demandedQualifiedName,
  status: required(oneOf(...statuses), `valid values: ${quoted(statuses)}`),
});
const patterns = all<readonly PodFailurePolicyOnPodConditionsPattern[]>(itemsMax(patternsMax), each(pattern));

export const podFailurePolicy = (spec: JobSpec): Rule<PodFailurePolicy> =>
  fields({ rules: all(itemsMax(rulesMax), each(failureRule(spec))) });

const failureRule = (spec: JobSpec): Rule<PodFailurePolicyRule> => {
  const exitCodes = exitCodesOf(spec);
  return (rule, walk, old) => {
    if (rule.action !== 'FailIndex') acts(rule, walk, old);
    else if (spec.backoffLimitPerIndex === undefined) {
      walk.invalid('action', rule.action, 'requires the backoffLimitPerIndex to be set');
    }
    walk.check('onExitCodes', rule.onExitCodes, exitCodes);
    walk.check('onPodConditions', rule.onPodConditions, patterns);
    if (!rule.onExitCodes === !!rule.onPodConditions?.length) return;
    const both = 'specifying both OnExitCodes and OnPodConditions is not supported';
    const none = 'specifying one of OnExitCodes and OnPodConditions is required';
    walk.invalidWithoutValue('', rule.onExitCodes ? both : none);
  };
};
const acts = fields<PodFailurePolicyRule>({ action });
const operates = fields<PodFailurePolicyOnExitCodesRequirement>({ operator });

const exitCodesOf =
  ({ template }: JobSpec): Rule<PodFailurePolicyOnExitCodesRequirement> =>
  (codes, walk, old) => {
    operates(codes, walk, old);
    const containers = [...listOf(template.spec?.containers), ...listOf(template.spec?.initContainers)];
    const { containerName, operator: how } = codes;
    if (containerName !== undefined && !containers.some((container) => container.name === containerName)) {
      walk.invalid('containerName', containerName, 'must be one of the container or initContainer names in the pod template');
    }
    const values = listOf(codes.values);
    if (!values.length) walk.invalid('values', values, 'at least one value is required');
    else if (values.length > exitCodesMax) walk.tooMany('values', values.length, exitCodesMax);
    const isRepeated = repeats<number>();
    const code: Rule<number> = (value, at) => {
      if (how === 'In' && value === 0) at.invalid('', value, 'must not be 0 for the In operator');
      if (isRepeated(value)) at.duplicate('', value);
    };
    walk.check('values', values, each(code));
    if (values.some((value, i) => i > 0 && (values[i - 1] ?? 0) > value)) walk.invalid('values', values, 'must be ordered');
  };

export const successPolicy = ({ completions = 0 }: JobSpec): Rule<SuccessPolicy> =>
  fields({
    rules: all(
      required<SuccessPolicy['rules']>(undefined, 'at least one rules must be specified when the successPolicy is specified'),
      itemsMax(rulesMax),
      each(successRule(completions)),
    ),
  });

const successRule =
  (completions: number): Rule<SuccessPolicyRule> =>
  ({ succeededCount: count, succeededIndexes: indexes }, walk) => {
    if (count === undefined && indexes === undefined) {
      walk.required('', 'at least one of succeededCount or succeededIndexes must be specified');
    }
    if ((indexes?.length ?? 0) > indexesLengthMax) walk.tooLong('succeededIndexes', indexesLengthMax);
    const parsed = parseIndexes(indexes ?? '', completions);
    const total = 'error' in parsed ? 0 : parsed.intervals.reduce((sum, [from, to]) => sum + to - from + 1, 0);
    if ('error' in parsed) walk.invalid('succeededIndexes', indexes, `error parsing succeededIndexes: ${parsed.error}`);
    if (count === undefined) return;
    const bound = (most: number, what: string): void => {
      if (count > most) walk.invalid('succeededCount', count, `must be less than or equal to ${most} (${what})`);
    };
    walk.check('succeededCount', count, nonNegative);
    bound(completions, 'the number of specified completions');
    if (indexes !== undefined) bound(total, 'the number of indexes in the specified succeededIndexes field');
  };

type Interval = readonly [from: number, to: number];

/** `1,3-5`: growing indexes below `completions`. */
export function parseIndexes(text: string, completions: number): { intervals: readonly Interval[] } | { error: string } {
  const intervals: Interval[] = [];
  for (const fragment of text ? text.split(',') : []) {
    const limits = fragment.split('-');
    if (limits.length > 2) {
      const rule = "violates the requirement that an index interval can have at most two parts separated by '-'";
      return { error: `the fragment ${JSON.stringify(fragment)} ${rule}` };
    }
    const bad = limits.find((limit) => !/^\d+$/.test(limit));
    if (bad !== undefined) return { error: `cannot convert string to integer for index: ${JSON.stringify(bad)}` };
    const large = limits.find((limit) => Number(limit) >= completions);
    if (large !== undefined) return { error: `too large index: ${JSON.stringify(large)}` };
    const [from = 0, to = from] = limits.map(Number);
    const last = intervals.at(-1)?.[1];
    if (limits.length > 1 && from >= to) return { error: `non-increasing order, previous: ${from}, current: ${to}` };
    if (last !== undefined && last >= from) return { error: `non-increasing order, previous: ${last}, current: ${from}` };
    intervals.push([from, to]);
  }
  return { intervals };
}
