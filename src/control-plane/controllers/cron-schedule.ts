/**
 * When a CronJob is due. Pure, on a parsed schedule: five fields, the usual nicknames and `@every 1h30m`. Without a time
 * zone schedules are in UTC. Upstream: pkg/controller/cronjob/utils.go.
 */
import type { CronJob } from '../../api/generated/kinds.ts';
import { parseTime } from '../../api/meta/time.ts';

export interface Schedule {
  /** the first time after this one; undefined: never */
  next(afterMs: number): number | undefined;
}

const everyPattern = /^@every\s+((?:\d+(?:\.\d+)?(?:h|ms|m|s))+)$/;
const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const missedMax = 100;

/** Throws an Error for what is no schedule, or no time zone. */
export async function parseSchedule(text: string, timeZone: string | undefined): Promise<Schedule> {
  const every = everyPattern.exec(text.trim())?.[1];
  if (every) return everySchedule(every);
  const { Cron } = await import('croner');
  const cron = new Cron(text.trim(), { paused: true, mode: '5-part', timezone: timeZone ?? 'UTC' });
  return { next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() };
}

function everySchedule(duration: string): Schedule {
  let periodMs = 0;
  for (const [, count, unit] of duration.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) periodMs += Number(count) * (unitMs[unit ?? ''] ?? 0);
  const wholeMs = Math.max(1000, Math.floor(periodMs / 1000) * 1000);
  return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + wholeMs };
}

export interface Due {
  /** the latest time that has passed since the last run */
  readonly dueMs?: number;
  /** more were missed than can be a coincidence */
  readonly tooManyMissed: boolean;
  /** what the next time is counted from */
  readonly fromMs: number;
}

/** `byDeadline`: only as far back as startingDeadlineSeconds allows. */
export function findDue(cronJob: CronJob, schedule: Schedule, nowMs: number, byDeadline: boolean): Due {
  const { startingDeadlineSeconds } = cronJob.spec;
  let fromMs = parseTime(cronJob.status?.lastScheduleTime ?? cronJob.metadata.creationTimestamp) ?? nowMs;
  if (byDeadline && startingDeadlineSeconds !== undefined) fromMs = Math.max(fromMs, nowMs - startingDeadlineSeconds * 1000);
  const first = schedule.next(fromMs);
  if (first === undefined || first > nowMs) return { tooManyMissed: false, fromMs };
  const second = schedule.next(first);
  if (second === undefined || second > nowMs) return { dueMs: first, tooManyMissed: false, fromMs };
  const periodMs = second - first;
  const missed = Math.floor((nowMs - first) / periodMs) + 1;
  // Jumps close to now, then walks: periods may be uneven.
  let dueMs: number | undefined;
  for (let next = schedule.next(first + (missed - 2) * periodMs); next !== undefined && next <= nowMs; next = schedule.next(next))
    dueMs = next;
  return { ...(dueMs !== undefined && { dueMs }), tooManyMissed: missed > missedMax, fromMs };
}

/** The time as people in the zone write it, with its offset. */
export function formatInZone(ms: number, timeZone = 'UTC'): string {
  const options = { timeZone, hourCycle: 'h23', timeZoneName: 'longOffset', dateStyle: undefined } as const;
  const digits = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
  const parts = new Intl.DateTimeFormat('en-US', { ...options, ...digits }).formatToParts(new Date(ms));
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? '';
  const offset = part('timeZoneName').replace('GMT', '').replace('+00:00', '') || 'Z';
  return `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}:${part('second')}${offset}`;
}
