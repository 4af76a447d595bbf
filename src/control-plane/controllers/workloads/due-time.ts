/** When a CronJob is due. Pure, on a parsed schedule. Upstream: pkg/controller/cronjob/utils.go. */
import type { CronJob } from '../../../api/generated/kinds.ts';
import type { CronSchedule } from '../../../api/meta/cron.ts';
import { parseTime } from '../../../api/meta/time.ts';

const missedMax = 100;

export interface Due {
  /** the latest time that has passed since the last run */
  readonly dueMs?: number | undefined;
  /** more were missed than can be a coincidence */
  readonly tooManyMissed: boolean;
  /** what the next time is counted from */
  readonly fromMs: number;
  /** it names no second time, or none at all */
  readonly isEmpty?: boolean | undefined;
}

/** `byDeadline`: only as far back as startingDeadlineSeconds allows. */
export function findDue(cronJob: CronJob, schedule: CronSchedule, nowMs: number, byDeadline: boolean): Due {
  const { startingDeadlineSeconds } = cronJob.spec;
  let fromMs = parseTime(cronJob.status?.lastScheduleTime ?? cronJob.metadata.creationTimestamp) ?? nowMs;
  if (byDeadline && startingDeadlineSeconds !== undefined) fromMs = Math.max(fromMs, nowMs - startingDeadlineSeconds * 1000);
  const first = schedule.next(fromMs);
  if (first === undefined) return { tooManyMissed: false, fromMs, isEmpty: true };
  if (first > nowMs) return { tooManyMissed: false, fromMs };
  const second = schedule.next(first);
  if (second === undefined) return { tooManyMissed: false, fromMs, isEmpty: true };
  if (second > nowMs) return { dueMs: first, tooManyMissed: false, fromMs };
  const periodMs = second - first;
  const missed = Math.floor((nowMs - first) / periodMs) + 1;
  // What is not due within two periods of now, should periods be uneven, is not made up for.
  const dueMs = schedule.last(first + (missed - 2) * periodMs, nowMs);
  return { dueMs, tooManyMissed: missed > missedMax, fromMs };
}
