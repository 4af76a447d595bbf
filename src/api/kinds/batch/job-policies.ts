/** Checks of a Job's pod failure policy and success policy, and of lists of indexes. Upstream: pkg/apis/batch/validation. */
import type { JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule, SuccessPolicyRule } from '../../generated/batch-v1.ts';
import { checkQualifiedName } from '../../meta/names.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import { addInvalid, checkNonnegative, checkOneOf, type Errors, repeats } from '../checks.ts';
import { listOf } from '../lists.ts';

const rulesMax = 20;
const patternsMax = 20;
const exitCodesMax = 255;
const indexesLengthMax = 64 * 1024;
const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const statuses = ['False', 'True', 'Unknown'];
const operators = ['In', 'NotIn'];

/** `[]string{"a", "b"}` as Go's %q writes it. */
const quoted = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
const enumOf = (of: readonly string[]) => ({ of, detail: `valid values: ${quoted(of)}` });

export function checkPodFailurePolicy(errors: Errors, path: string, spec: JobSpec): void {
  const rules = listOf(spec.podFailurePolicy?.rules);
  if (rules.length > rulesMax) errors.push(fieldErrors.tooMany(`${path}.rules`, rules.length, rulesMax));
  rules.forEach((rule, i) => {
    checkFailureRule(errors, `${path}.rules[${i}]`, rule, spec);
  });
}

function checkFailureRule(errors: Errors, path: string, rule: PodFailurePolicyRule, spec: JobSpec): void {
  if (rule.action !== 'FailIndex') checkOneOf(errors, `${path}.action`, rule.action, enumOf(actions));
  else if (spec.backoffLimitPerIndex === undefined) {
    errors.push(fieldErrors.invalid(`${path}.action`, rule.action, 'requires the backoffLimitPerIndex to be set'));
  }
  const patterns = listOf(rule.onPodConditions);
  if (rule.onExitCodes) checkExitCodes(errors, `${path}.onExitCodes`, rule.onExitCodes, spec);
  if (patterns.length > patternsMax) errors.push(fieldErrors.tooMany(`${path}.onPodConditions`, patterns.length, patternsMax));
  patterns.forEach(({ type, status }, i) => {
    const at = `${path}.onPodConditions[${i}]`;
    addInvalid(errors, `${at}.type`, type, checkQualifiedName(type));
    checkOneOf(errors, `${at}.status`, status, enumOf(statuses));
  });
  if (!rule.onExitCodes === patterns.length > 0) return;
  const both = 'specifying both OnExitCodes and OnPodConditions is not supported';
  const none = 'specifying one of OnExitCodes and OnPodConditions is required';
  errors.push(fieldErrors.invalidWithoutValue(path, rule.onExitCodes ? both : none));
}

function checkExitCodes(errors: Errors, path: string, codes: PodFailurePolicyOnExitCodesRequirement, { template }: JobSpec): void {
  checkOneOf(errors, `${path}.operator`, codes.operator, enumOf(operators));
  const containers = [...listOf(template.spec?.containers), ...listOf(template.spec?.initContainers)];
  const { containerName } = codes;
  if (containerName !== undefined && !containers.some((container) => container.name === containerName)) {
    const message = 'must be one of the container or initContainer names in the pod template';
    errors.push(fieldErrors.invalid(`${path}.containerName`, containerName, message));
  }
  const values = listOf(codes.values);
  const at = `${path}.values`;
  if (!values.length) errors.push(fieldErrors.invalid(at, values, 'at least one value is required'));
  else if (values.length > exitCodesMax) errors.push(fieldErrors.tooMany(at, values.length, exitCodesMax));
  const isRepeated = repeats<number>();
  values.forEach((value, i) => {
    if (codes.operator === 'In' && value === 0) errors.push(fieldErrors.invalid(`${at}[${i}]`, value, 'must not be 0 for the In operator'));
    if (isRepeated(value)) errors.push(fieldErrors.duplicate(`${at}[${i}]`, value));
  });
  if (values.some((value, i) => i > 0 && (values[i - 1] ?? 0) > value)) errors.push(fieldErrors.invalid(at, values, 'must be ordered'));
}

export function checkSuccessPolicy(errors: Errors, path: string, spec: JobSpec): void {
  const rules = listOf(spec.successPolicy?.rules);
  const at = `${path}.rules`;
  if (!rules.length) {
    errors.push(fieldErrors.required(at, 'at least one rules must be specified when the successPolicy is specified'));
  }
  if (rules.length > rulesMax) errors.push(fieldErrors.tooMany(at, rules.length, rulesMax));
  rules.forEach((rule, i) => {
    checkSuccessRule(errors, `${at}[${i}]`, rule, spec.completions ?? 0);
  });
}

function checkSuccessRule(errors: Errors, path: string, rule: SuccessPolicyRule, completions: number): void {
  const { succeededCount: count, succeededIndexes: indexes } = rule;
  if (count === undefined && indexes === undefined) {
    errors.push(fieldErrors.required(path, 'at least one of succeededCount or succeededIndexes must be specified'));
  }
  const at = `${path}.succeededIndexes`;
  if ((indexes?.length ?? 0) > indexesLengthMax) errors.push(fieldErrors.tooLong(at, indexesLengthMax));
  const parsed = parseIndexes(indexes ?? '', completions);
  const total = 'error' in parsed ? 0 : parsed.intervals.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  if ('error' in parsed) errors.push(fieldErrors.invalid(at, indexes, `error parsing succeededIndexes: ${parsed.error}`));
  if (count === undefined) return;
  const bound = (max: number, what: string): void => {
    if (count <= max) return;
    errors.push(fieldErrors.invalid(`${path}.succeededCount`, count, `must be less than or equal to ${max} (${what})`));
  };
  checkNonnegative(errors, `${path}.succeededCount`, count);
  bound(completions, 'the number of specified completions');
  if (indexes !== undefined) bound(total, 'the number of indexes in the specified succeededIndexes field');
}

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
