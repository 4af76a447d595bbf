/** CronJob. Upstream: pkg/registry/batch/cronjob, pkg/apis/batch/validation/validation.go. */
import type { CronJobSpec, JobTemplateSpec } from '../../generated/batch-v1.ts';
import { CronJob } from '../../generated/kinds.ts';
import { CronError, parseCron } from '../../meta/cron.ts';
import { formatAge } from '../../meta/duration.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { TimeZone } from '../../meta/time-zone.ts';
import { ageOf, containerCells, formatSelector } from '../cells.ts';
import { addInvalid, checkNonnegative, checkOneOf, checkPresent, type Errors } from '../checks.ts';
import { defaultTemplateOf } from '../core/pod-spec/defaults.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { change } from '../set-defaults.ts';
import { hostnameWarnings } from '../workload-checks.ts';
import { jobSpecWarnings } from './job-warnings.ts';
import { checkJobSpec } from './validate-job.ts';

const nameLengthMax = 52;
const zonePart = /^[A-Za-z.\-_0-9+]{1,14}$/;
const policies = ['Allow', 'Forbid', 'Replace'];

export const cronJob = defineKind(CronJob, {
  hasGeneration: true,
  hooks: {
    default: (object) =>
      change(object, 'spec', (spec) => change(spec, 'jobTemplate', (template) => change(template, 'spec', defaultTemplateOf))),
    prepareForCreate: (object) => ({ ...object, status: {} }),
    validate,
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

function validate(object: CronJob, old?: CronJob): readonly FieldError[] {
  const errors: Errors = [];
  const { spec, metadata } = object;
  if (checkPresent(errors, 'spec.schedule', spec.schedule)) checkSchedule(errors, spec, old?.spec);
  checkNonnegative(errors, 'spec.startingDeadlineSeconds', spec.startingDeadlineSeconds);
  if (spec.timeZone !== undefined && spec.timeZone !== old?.spec.timeZone) {
    addInvalid(errors, 'spec.timeZone', spec.timeZone, timeZoneErrors(spec.timeZone));
  }
  checkOneOf(errors, 'spec.concurrencyPolicy', spec.concurrencyPolicy, { of: policies });
  checkTemplate(errors, 'spec.jobTemplate.spec', spec.jobTemplate);
  checkNonnegative(errors, 'spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit);
  checkNonnegative(errors, 'spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit);
  if (!old && metadata.name.length > nameLengthMax) {
    errors.push(fieldErrors.invalid('metadata.name', metadata.name, `must be no more than ${nameLengthMax} characters`));
  }
  return errors;
}

function checkSchedule(errors: Errors, { schedule, timeZone }: CronJobSpec, old: CronJobSpec | undefined): void {
  const bad = (message: string): void => void errors.push(fieldErrors.invalid('spec.schedule', schedule, message));
  const problem = cronError(schedule);
  if (problem) bad(problem);
  if (!schedule.includes('TZ')) return;
  if (!old?.schedule.includes('TZ')) bad('cannot use TZ or CRON_TZ in schedule, use timeZone field instead');
  else if (timeZone !== undefined) bad('cannot use both timeZone field and TZ or CRON_TZ in schedule');
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

function checkTemplate(errors: Errors, path: string, { spec }: JobTemplateSpec): void {
  if (!spec) return;
  checkJobSpec(errors, path, spec);
  if (spec.selector) errors.push(fieldErrors.invalid(`${path}.selector`, spec.selector, '`selector` will be auto-generated'));
  if (spec.manualSelector) errors.push(fieldErrors.notSupported(`${path}.manualSelector`, true, ['nil', 'false']));
}
