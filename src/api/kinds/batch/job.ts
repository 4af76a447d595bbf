/**
 * Job: its selector is made from its own uid, unless the client takes that upon itself. Most of the spec is fixed; the
 * template opens up while the Job is suspended. Upstream: pkg/registry/batch/job.
 */
import type { JobSpec } from '../../generated/batch-v1.ts';
import { Job } from '../../generated/kinds.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { formatDuration } from '../../meta/duration.ts';
import type { Cell } from '../../meta/kind.ts';
import { ageOf, type CellContext, containerCells, formatSelector } from '../cells.ts';
import { defaultTemplateOf } from '../core/pod-spec/defaults.ts';
import { defineKind, placed } from '../define-kind.ts';
import { isEmptyObject } from '../lists.ts';
import { change, setDefaults } from '../set-defaults.ts';
import { hostnameWarnings } from '../workload-checks.ts';
import { jobSpecWarnings } from './job-warnings.ts';
import { jobRule } from './validate-job.ts';
import { jobStatus } from './validate-job-status.ts';

const int32Max = 2 ** 31 - 1;
const backoffLimit = 6;

export const job = defineKind(Job, {
  hasGeneration: true,
  orphansByDefault: true,
  selectablePaths: { ...placed },
  describeUnknownField: (field) => `field label ${JSON.stringify(field)} not supported for Job`,
  selectableFields: { 'status.successful': (object) => String(object.status?.succeeded ?? 0) },
  hooks: {
    default: defaultJob,
    prepareForCreate: (object) => ({ ...withSelector(object), status: {} }),
    rules: jobRule,
    statusRules: jobStatus,
    warnings(object, old) {
      if (!old) return [...hostnameWarnings(object), ...jobSpecWarnings('spec', object.spec)];
      return equalSemantically(object.spec, old.spec) ? [] : jobSpecWarnings('spec', object.spec);
    },
    deletionWarnings: ({ propagationPolicy, orphanDependents }) =>
      propagationPolicy === undefined && orphanDependents === undefined ? [keepsPods] : [],
    cells,
  },
});

const keepsPods =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning';

function defaultJob(given: Job): Job {
  const object = change(given, 'spec', defaultJobSpec);
  const labels = object.spec.template.metadata?.labels;
  if (!labels || !isEmptyObject(object.metadata.labels)) return object;
  return { ...object, metadata: { ...object.metadata, labels } };
}

function defaultJobSpec(given: JobSpec): JobSpec {
  let spec = defaultTemplateOf(given);
  if (spec.completions === undefined && spec.parallelism === undefined) spec = { ...spec, completions: 1, parallelism: 1 };
  return setDefaults<JobSpec>(spec, {
    parallelism: 1,
    backoffLimit: spec.backoffLimitPerIndex === undefined ? backoffLimit : int32Max,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed',
    manualSelector: false,
  });
}

/** Labels that tell the Job's pods from all others, and a selector of the one that nobody else can have. */
function withSelector(object: Job): Job {
  const { spec, metadata } = object;
  if (spec.manualSelector) return object;
  const given = spec.template.metadata?.labels;
  const own = {
    'job-name': metadata.name,
    'batch.kubernetes.io/job-name': metadata.name,
    'controller-uid': metadata.uid,
    'batch.kubernetes.io/controller-uid': metadata.uid,
  };
  const labels = { ...own, ...given };
  const template = { ...spec.template, metadata: { ...spec.template.metadata, labels } };
  const matchLabels = { 'batch.kubernetes.io/controller-uid': metadata.uid, ...spec.selector?.matchLabels };
  // a Job whose labels are the template's keeps them so
  const follows = isEmptyObject(metadata.labels) || metadata.labels === given;
  return {
    ...object,
    ...(follows && { metadata: { ...metadata, labels } }),
    spec: { ...spec, template, selector: { ...spec.selector, matchLabels } },
  };
}

/** In order of precedence; a Job that is being deleted comes after its end. */
function statusOf({ status, metadata }: Job): string {
  const is = (type: string): boolean => isConditionTrue(status.conditions, type);
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (metadata.deletionTimestamp) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(is) ?? 'Running';
}

function cells(object: Job, at: CellContext): readonly Cell[] {
  const { spec, status } = object;
  const parallelism = spec.parallelism ?? 0;
  const wanted = spec.completions ?? (parallelism > 1 ? `1 of ${parallelism}` : 1);
  const end = status.completionTime ? Date.parse(status.completionTime) : at.nowMs;
  return [
    object.metadata.name,
    statusOf(object),
    `${status.succeeded ?? 0}/${wanted}`,
    status.startTime ? formatDuration(end - Date.parse(status.startTime)) : '',
    ageOf(object, at),
    ...containerCells(spec.template),
    formatSelector(spec.selector),
  ];
}
