/** CronJob. Upstream: pkg/registry/batch/cronjob, pkg/apis/batch/validation/validation.go. */

import type { CronJobSpec, JobSpec } from '../../generated/batch-v1.ts';
import { CronJob } from '../../generated/kinds.ts';
import { CronError, parseCron } from '../../meta/cron.ts';
import { formatAge } from '../../meta/duration.ts';
import { TimeZone } from '../../meta/time-zone.ts';
import { all, fields, format, nonNegative, oneOf, ratcheted, required } from '../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';
import { ageOf, containerCells, formatSelector } from '../cells.ts';
import { defaultTemplateOf } from '../core/pod-spec/defaults.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { change } from '../set-defaults.ts';
import { hostnameWarnings } from '../workload-checks.ts';
import { jobSpecWarnings } from './job-warnings.ts';
import { jobSpec } from './validate-job.ts';

const nameLengthMax = 52;
const zonePart = /^[A-Za-z.\-_0-9+]{1,14}$/;

export const cronJob = defineKind(CronJob, {
  hasGeneration: true,
  hooks: {
    default: (object) =>
      change(object, 'spec', (spec) => change(spec, 'jobTemplate', (template) => change(template, 'spec', defaultTemplateOf))),
    prepareForCreate: (object) => ({ ...object, status: {} }),
    rules,
    warnings(object, old) {
      if (!old) return [...hostnameWarnings(object), ...jobSpecWarnings('spec.jobTemplate.spec', object.spec.jobTemplate.spec)];
      if (!object.spec.schedule.includes('TZ')) return [];
      const more = 'see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details';
      return [`cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, ${more}`];
    },
    cells: (object, at) => {
      const { spec, status } = object;
      return [
        object.metadata.name,
        spec.schedule,
        spec.timeZone ?? '<none>',
        spec.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False',
        listOf(status.active).length,
        status.lastScheduleTime ? formatAge(status.lastScheduleTime, at.nowMs) : '<none>',
        ageOf(object, at),
        ...containerCells(spec.jobTemplate.spec?.template),
        formatSelector(spec.jobTemplate.spec?.selector),
      ];
    },
  },
});

const schedule: Rule<CronJobSpec> = ({ schedule: given, timeZone: zone }, walk, old) => {
  if (!given) return walk.required('schedule');
  const problem = cronError(given);
  if (problem) walk.invalid('schedule', given, problem);
  if (!given.includes('TZ')) return;
  if (!old?.schedule.includes('TZ')) walk.invalid('schedule', given, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead');
  else if (zone !== undefined) walk.invalid('schedule', given, 'cannot use both timeZone field and TZ or CRON_TZ in schedule');
};

const noSelector: Rule<JobSpec> = ({ selector, manualSelector }, walk) => {
  if (selector) walk.invalid('selector', selector, '`selector` will be auto-generated');
  if (manualSelector) walk.notSupported('manualSelector', true, ['nil', 'false']);
};

const spec = all<CronJobSpec>(
  schedule,
  fields({
    startingDeadlineSeconds: nonNegative,
    timeZone: ratcheted(format(timeZoneErrors)),
    concurrencyPolicy: required(oneOf('Allow', 'Forbid', 'Replace')),
    jobTemplate: fields({ spec: all(jobSpec, noSelector) }),
    successfulJobsHistoryLimit: nonNegative,
    failedJobsHistoryLimit: nonNegative,
  }),
);

function rules({ spec: given, metadata: { name } }: CronJob, walk: Walk, old: CronJob | undefined): void {
  walk.check('spec', given, spec, old?.spec);
  if (!old && name.length > nameLengthMax) walk.invalid('metadata.name', name, `must be no more than ${nameLengthMax} characters`);
}

function cronError(schedule: string): string | undefined {
  try {
    parseCron(schedule);
    return undefined;
  } catch (error) {
    if (error instanceof CronError) return error.message;
    throw error;
  }
}

/** No zone has a longer name. */
const shownZoneMax = 256;

function timeZoneErrors(name: string): readonly string[] {
  if (!name) return ['timeZone must be nil or non-empty string'];
  const isBad = (part: string): boolean => part === '.' || part === '..' || part.startsWith('-') || !zonePart.test(part);
  const unknown = `unknown time zone ${name.slice(0, shownZoneMax)}`;
  if (name.length > shownZoneMax) return [unknown];
  if (name.split('/').some(isBad)) return [unknown];
  const isLocal = name.toLowerCase() === 'local';
  const found = isLocal ? ['timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'] : [];
  return name === 'Local' || TimeZone.find(name) ? found : [...found, unknown];
}
