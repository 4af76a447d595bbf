/** Checks of a Job's spec, alone and inside a CronJob. Upstream: pkg/apis/batch/validation/validation.go. */

import type { Job, JobSpec } from '../../generated/batch-v1.ts';
import type { Affinity, Container, PodSpec, PodTemplateSpec } from '../../generated/core-v1.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { checkDns1123Label } from '../../meta/names.ts';
import { labelMatcher, SelectorError } from '../../meta/selectors.ts';
import { own } from '../../meta/words.ts';
import { all, fields, immutable, oneOf, required } from '../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';
import { immutableMessage } from '../checks.ts';
import { podTemplate } from '../core/pod-spec/validate-pod-spec.ts';
import { isEmptyObject, listOf } from '../lists.ts';
import { counters } from '../replica-status.ts';
import { omit } from '../set-defaults.ts';
import { dnsSubdomain, selector } from '../shared-rules.ts';
import { podFailurePolicy, successPolicy } from './job-policies.ts';

const indexedParallelismMax = 100_000;
const failedIndexesMax = 100_000;
const completionsSoftMax = 100_000;
const manyCompletionsMax = 10_000;
const managedByLengthMax = 63;

/** A Job: what its spec has to be by itself, with its selector, and beside what it was. */
export const jobRule: Rule<Job> = (job, walk, old) => {
  checkOwnSelector(walk, job, old);
  walk.check('spec', job.spec, specWithSelector);
  const { completionMode, completions = 0 } = job.spec;
  const hostname = `${job.metadata.name}-${completions - 1}`;
  if (completionMode === 'Indexed' && completions > 0 && checkDns1123Label(hostname).length) {
    walk.invalid('metadata.name', job.metadata.name, `will not able to create pod with invalid DNS label: ${hostname}`);
  }
  if (old) checkUpdate(walk, job, old);
};

const managedBy: Rule<string> = (name, walk) => {
  const [domain = '', ...rest] = name.split('/');
  if (!name) walk.required('');
  else if (!domain || !rest.join('/')) walk.invalid('', name, 'must be a domain-prefixed path (such as "acme.io/foo")');
  else dnsSubdomain(domain, walk, undefined);
  if (name.length > managedByLengthMax) walk.tooLong('', managedByLengthMax);
};

const ofFailures = oneOf('Failed');
const ofAll = oneOf('Failed', 'TerminatingOrFailed');

/** Of a Job, and of the template in a CronJob. */
export const jobSpec = all<JobSpec>(
  counters(
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ),
  ({ maxFailedIndexes, backoffLimitPerIndex }, walk) => {
    if (maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined) {
      walk.required('backoffLimitPerIndex', 'when maxFailedIndexes is specified');
    }
  },
  fields({ managedBy }),
  checkCompletionMode,
  (spec, walk) => {
    walk.check('podFailurePolicy', spec.podFailurePolicy, podFailurePolicy(spec));
    if (spec.completionMode === 'Indexed') walk.check('successPolicy', spec.successPolicy, successPolicy(spec));
    else if (spec.successPolicy) walk.invalid('successPolicy', spec.successPolicy, 'requires indexed completion mode');
    walk.check('podReplacementPolicy', spec.podReplacementPolicy, spec.podFailurePolicy ? ofFailures : ofAll);
  },
  fields({ template: podTemplate }),
  checkRestartPolicy,
);

const specWithSelector = all<JobSpec>(jobSpec, fields({ selector: required(selector) }), (spec, walk) => {
  const labels = spec.template.metadata?.labels;
  if (!selects(spec, labels)) walk.invalid('template.metadata.labels', labels ?? null, '`selector` does not match template `labels`');
});

/** True also for a selector that can't be read: that is said elsewhere. */
function selects({ selector }: JobSpec, labels: Readonly<Record<string, string>> | undefined): boolean {
  try {
    return labelMatcher(selector).matches(labels);
  } catch (error) {
    if (error instanceof SelectorError) return true;
    throw error;
  }
}

/** A selector that the server makes: the template carries the Job's labels, and they are what is selected. */
function checkOwnSelector(walk: Walk, { spec, metadata }: Job, old: Job | undefined): void {
  if (spec.manualSelector || !spec.selector) return;
  const labels = spec.template.metadata?.labels ?? {};
  const before = old?.spec.template.metadata?.labels;
  const prefix = 'batch.kubernetes.io/';
  const needsPrefixed = !before || (`${prefix}job-name` in before && `${prefix}controller-uid` in before);
  const expected: Record<string, string> = { 'controller-uid': metadata.uid, 'job-name': metadata.name };
  if (needsPrefixed) {
    expected[`${prefix}controller-uid`] = metadata.uid;
    expected[`${prefix}job-name`] = metadata.name;
  }
  for (const [key, value] of Object.entries(expected)) {
    const path = `spec.template.metadata.labels[${key}]`;
    if (own(labels, key) === undefined) walk.required(path, `must be '${value}'`);
    else if (own(labels, key) !== value) walk.invalid(path, labels, `must be '${value}'`);
  }
  if (!selects(spec, expected)) walk.invalid('spec.selector', spec.selector, '`selector` not auto-generated');
}

const knownMode = oneOf('NonIndexed', 'Indexed');

function checkCompletionMode(spec: JobSpec, walk: Walk): void {
  const { completionMode: mode = 'NonIndexed', completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  walk.check('completionMode', mode, knownMode);
  if (mode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      if (spec[field] !== undefined) walk.invalid(field, spec[field], 'requires indexed completion mode');
    }
  }
  if (mode !== 'Indexed') return;
  const bound = (field: 'parallelism' | 'maxFailedIndexes', max: number, suffix: string): void => {
    const value = spec[field] ?? 0;
    if (value > max) walk.invalid(field, value, `must be less than or equal to ${max}${suffix}`);
  };
  if (completions === undefined) walk.required('completions', 'when completion mode is Indexed');
  if (parallelism) bound('parallelism', indexedParallelismMax, ' when completion mode is Indexed');
  if (completions !== undefined && (maxFailedIndexes ?? 0) > completions) {
    walk.invalid('maxFailedIndexes', maxFailedIndexes, 'must be less than or equal to completions');
  }
  bound('maxFailedIndexes', failedIndexesMax, '');
  if ((completions ?? 0) <= completionsSoftMax || backoffLimitPerIndex === undefined) return;
  if (maxFailedIndexes === undefined) {
    const message = `must be specified when completions is above ${completionsSoftMax}`;
    walk.required('maxFailedIndexes', message);
  }
  const suffix = ` when completions are above ${completionsSoftMax} and used with backoff limit per index`;
  bound('parallelism', manyCompletionsMax, suffix);
  bound('maxFailedIndexes', manyCompletionsMax, suffix);
}

function checkRestartPolicy(spec: JobSpec, walk: Walk): void {
  const path = 'template.spec.restartPolicy';
  const policy = spec.template.spec?.restartPolicy;
  if (!policy || policy === 'Always') walk.required(path, 'valid values: "OnFailure", "Never"');
  else if (policy !== 'OnFailure' && policy !== 'Never') walk.notSupported(path, policy, ['OnFailure', 'Never']);
  else if (spec.podFailurePolicy && policy !== 'Never') {
    walk.invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified');
  }
}

const fixedCompletions = fields<JobSpec>({ completions: immutable() });
const fixedSelector = fields<JobSpec>({ selector: immutable() });
const fixed = fields<JobSpec>({
  completionMode: immutable(),
  podFailurePolicy: immutable(),
  backoffLimitPerIndex: immutable(),
  managedBy: immutable(),
  successPolicy: immutable(),
});

function checkUpdate(walk: Walk, { spec }: Job, old: Job): void {
  const before = old.spec;
  if (spec.completionMode !== 'Indexed') walk.check('spec', spec, fixedCompletions, before);
  else if (spec.completions !== undefined && spec.completions !== before.completions && spec.completions !== spec.parallelism) {
    walk.invalid('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism');
  }
  walk.check('spec', spec, fixedSelector, before);
  checkTemplateUpdate(walk, spec.template, old);
  walk.check('spec', spec, fixed, before);
}

/** While suspended, and with no pods of its own, a Job may change where its pods run and what resources they ask for. */
function checkTemplateUpdate(walk: Walk, template: PodTemplateSpec, old: Job): void {
  const before = old.spec.template;
  const { status } = old;
  const suspended = old.spec.suspend ?? false;
  const idle = !status.active && (!status.startTime || isConditionTrue(status.conditions, 'Suspended'));
  if (!suspended || !idle) {
    if (!equalSemantically(template, before)) walk.invalid('spec.template', template, immutableMessage);
    return;
  }
  const [now, was] = [withoutDirectives(template), withoutDirectives(before)];
  if (!equalSemantically(now, was)) walk.invalid('spec.template.spec', template.spec, 'field is immutable');
}

function withoutDirectives({ spec }: PodTemplateSpec): PodSpec | undefined {
  if (!spec) return undefined;
  const affinity: Affinity = omit(spec.affinity ?? {}, 'nodeAffinity');
  const bare = (containers: readonly Container[] | undefined): readonly Container[] =>
    listOf(containers).map((container) => omit(container, 'resources'));
  return {
    ...omit(spec, 'affinity', 'nodeSelector', 'tolerations', 'schedulingGates'),
    ...(!isEmptyObject(affinity) && { affinity }),
    containers: bare(spec.containers),
    ...(spec.initContainers && { initContainers: bare(spec.initContainers) }),
  };
}
