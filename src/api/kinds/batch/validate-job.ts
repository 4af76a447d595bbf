/** Checks of a Job's spec, alone and inside a CronJob. Upstream: pkg/apis/batch/validation/validation.go. */

import type { Job, JobSpec } from '../../generated/batch-v1.ts';
import type { Affinity, Container, PodSpec, PodTemplateSpec } from '../../generated/core-v1.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { checkDns1123Label, checkDns1123Subdomain } from '../../meta/names.ts';
import { labelMatcher, SelectorError } from '../../meta/selectors.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { own } from '../../meta/words.ts';
import { addJudged } from '../../schema/rules/walk.ts';
import { addInvalid, checkImmutable, checkNonnegative, checkPresent, checkSelector, checkSupported, type Errors } from '../checks.ts';
import { podTemplate } from '../core/pod-spec/validate-pod-spec.ts';
import { isEmptyObject, listOf } from '../lists.ts';
import { omit } from '../set-defaults.ts';
import { checkPodFailurePolicy, checkSuccessPolicy } from './job-policies.ts';

const indexedParallelismMax = 100_000;
const failedIndexesMax = 100_000;
const completionsSoftMax = 100_000;
const manyCompletionsMax = 10_000;
const managedByLengthMax = 63;
const templatePath = 'spec.template.metadata';

export function validateJob(job: Job, old?: Job): readonly FieldError[] {
  const errors: Errors = [];
  checkOwnSelector(errors, job, old);
  checkSpecWithSelector(errors, job.spec);
  const { completionMode, completions = 0 } = job.spec;
  if (completionMode === 'Indexed' && completions > 0) {
    const hostname = `${job.metadata.name}-${completions - 1}`;
    if (checkDns1123Label(hostname).length) {
      const message = `will not able to create pod with invalid DNS label: ${hostname}`;
      errors.push(fieldErrors.invalid('metadata.name', job.metadata.name, message));
    }
  }
  if (old) checkUpdate(errors, job, old);
  return errors;
}

function checkSpecWithSelector(errors: Errors, spec: JobSpec): void {
  checkJobSpec(errors, 'spec', spec);
  checkPresent(errors, 'spec.selector', spec.selector);
  checkSelector(errors, 'spec.selector', spec.selector);
  const labels = spec.template.metadata?.labels;
  if (selects(spec, labels)) return;
  errors.push(fieldErrors.invalid(`${templatePath}.labels`, labels ?? null, '`selector` does not match template `labels`'));
}

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
function checkOwnSelector(errors: Errors, { spec, metadata }: Job, old: Job | undefined): void {
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
    const path = `${templatePath}.labels[${key}]`;
    if (own(labels, key) === undefined) errors.push(fieldErrors.required(path, `must be '${value}'`));
    else if (own(labels, key) !== value) errors.push(fieldErrors.invalid(path, labels, `must be '${value}'`));
  }
  if (!selects(spec, expected)) errors.push(fieldErrors.invalid('spec.selector', spec.selector, '`selector` not auto-generated'));
}

const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;

export function checkJobSpec(errors: Errors, path: string, spec: JobSpec): void {
  for (const field of counts) checkNonnegative(errors, `${path}.${field}`, spec[field]);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(fieldErrors.required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (spec.managedBy !== undefined) checkManagedBy(errors, `${path}.managedBy`, spec.managedBy);
  checkCompletionMode(errors, path, spec);
  if (spec.podFailurePolicy) checkPodFailurePolicy(errors, `${path}.podFailurePolicy`, spec);
  if (spec.successPolicy) {
    if (spec.completionMode === 'Indexed') checkSuccessPolicy(errors, `${path}.successPolicy`, spec);
    else errors.push(fieldErrors.invalid(`${path}.successPolicy`, spec.successPolicy, 'requires indexed completion mode'));
  }
  const replacements = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  checkSupported(errors, `${path}.podReplacementPolicy`, spec.podReplacementPolicy, replacements);
  addJudged(errors, `${path}.template`, spec.template, podTemplate);
  checkRestartPolicy(errors, `${path}.template.spec.restartPolicy`, spec);
}

function checkManagedBy(errors: Errors, path: string, name: string): void {
  const [domain = '', ...rest] = name.split('/');
  if (!name) errors.push(fieldErrors.required(path));
  else if (!domain || !rest.join('/')) {
    errors.push(fieldErrors.invalid(path, name, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  } else addInvalid(errors, path, domain, checkDns1123Subdomain(domain));
  if (name.length > managedByLengthMax) errors.push(fieldErrors.tooLong(path, managedByLengthMax));
}

function checkCompletionMode(errors: Errors, path: string, spec: JobSpec): void {
  const { completionMode: mode = 'NonIndexed', completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  checkSupported(errors, `${path}.completionMode`, mode, ['NonIndexed', 'Indexed']);
  if (mode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      if (spec[field] !== undefined) errors.push(fieldErrors.invalid(`${path}.${field}`, spec[field], 'requires indexed completion mode'));
    }
  }
  if (mode !== 'Indexed') return;
  const bound = (field: 'parallelism' | 'maxFailedIndexes', max: number, suffix: string): void => {
    const value = spec[field] ?? 0;
    if (value > max) errors.push(fieldErrors.invalid(`${path}.${field}`, value, `must be less than or equal to ${max}${suffix}`));
  };
  if (completions === undefined) errors.push(fieldErrors.required(`${path}.completions`, 'when completion mode is Indexed'));
  if (parallelism) bound('parallelism', indexedParallelismMax, ' when completion mode is Indexed');
  if (completions !== undefined && (maxFailedIndexes ?? 0) > completions) {
    errors.push(fieldErrors.invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions'));
  }
  bound('maxFailedIndexes', failedIndexesMax, '');
  if ((completions ?? 0) <= completionsSoftMax || backoffLimitPerIndex === undefined) return;
  if (maxFailedIndexes === undefined) {
    const message = `must be specified when completions is above ${completionsSoftMax}`;
    errors.push(fieldErrors.required(`${path}.maxFailedIndexes`, message));
  }
  const suffix = ` when completions are above ${completionsSoftMax} and used with backoff limit per index`;
  bound('parallelism', manyCompletionsMax, suffix);
  bound('maxFailedIndexes', manyCompletionsMax, suffix);
}

function checkRestartPolicy(errors: Errors, path: string, spec: JobSpec): void {
  const policy = spec.template.spec?.restartPolicy;
  if (!policy || policy === 'Always') errors.push(fieldErrors.required(path, 'valid values: "OnFailure", "Never"'));
  else if (policy !== 'OnFailure' && policy !== 'Never') errors.push(fieldErrors.notSupported(path, policy, ['OnFailure', 'Never']));
  else if (spec.podFailurePolicy && policy !== 'Never') {
    errors.push(fieldErrors.invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified'));
  }
}

const fixed = ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const;

function checkUpdate(errors: Errors, { spec }: Job, old: Job): void {
  const before = old.spec;
  if (spec.completionMode !== 'Indexed') checkImmutable(errors, 'spec.completions', spec.completions, before.completions);
  else if (spec.completions !== undefined && spec.completions !== before.completions && spec.completions !== spec.parallelism) {
    errors.push(fieldErrors.invalid('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism'));
  }
  checkImmutable(errors, 'spec.selector', spec.selector, before.selector);
  checkTemplateUpdate(errors, spec.template, old);
  for (const field of fixed) checkImmutable(errors, `spec.${field}`, spec[field], before[field]);
}

/** While suspended, and with no pods of its own, a Job may change where its pods run and what resources they ask for. */
function checkTemplateUpdate(errors: Errors, template: PodTemplateSpec, old: Job): void {
  const before = old.spec.template;
  const { status } = old;
  const suspended = old.spec.suspend ?? false;
  const idle = !status.active && (!status.startTime || isConditionTrue(status.conditions, 'Suspended'));
  if (!suspended || !idle) {
    if (!equalSemantically(template, before)) checkImmutable(errors, 'spec.template', template, before);
    return;
  }
  const [now, was] = [withoutDirectives(template), withoutDirectives(before)];
  if (!equalSemantically(now, was)) errors.push(fieldErrors.invalid('spec.template.spec', template.spec, 'field is immutable'));
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
