import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CronJob } from '../../api/generated/kinds.ts';
import { parseTime } from '../../api/meta/time.ts';
import { findDue, formatInZone, parseSchedule } from './cron-schedule.ts';

const ms = (text: string): number => parseTime(text) ?? Number.NaN;
const next: { schedule: string; zone?: string; after: string; want: string }[] = [
  { schedule: '*/5 * * * *', after: '2026-01-01T00:00:00Z', want: '2026-01-01T00:05:00Z' },
  { schedule: '0 3 * * 1', after: '2026-01-01T00:00:00Z', want: '2026-01-05T03:00:00Z' },
  { schedule: '@hourly', after: '2026-01-01T00:30:00Z', want: '2026-01-01T01:00:00Z' },
  { schedule: '@every 1h30m', after: '2026-01-01T00:00:00Z', want: '2026-01-01T01:30:00Z' },
  { schedule: '0 9 * * *', zone: 'Europe/Paris', after: '2026-07-01T00:00:00Z', want: '2026-07-01T07:00:00Z' },
  { schedule: '0 0 13 * 5', after: '2026-01-01T00:00:00Z', want: '2026-01-02T00:00:00Z' },
];
for (const { schedule, zone, after, want } of next) {
  test(`next: ${schedule} ${zone ?? ''}`, async () => assert.equal((await parseSchedule(schedule, zone)).next(ms(after)), ms(want)));
}

for (const [schedule, zone] of [['61 * * * *'], ['* * * *'], ['0 * * * * *'], ['0 0 * * *', 'Nowhere/Land']] as const) {
  test(`refused: ${schedule} ${zone ?? ''}`, () => assert.rejects(async () => (await parseSchedule(schedule, zone)).next(0)));
}

const cronJob = (lastScheduleTime?: string, startingDeadlineSeconds?: number): CronJob =>
  ({
    metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { ...(startingDeadlineSeconds !== undefined && { startingDeadlineSeconds }) },
    status: { ...(lastScheduleTime && { lastScheduleTime }) },
  }) as unknown as CronJob;
const due: { name: string; given: CronJob; now: string; want: string | undefined; tooMany?: boolean }[] = [
  { name: 'not yet', given: cronJob(), now: '2026-01-01T00:04:59Z', want: undefined },
  { name: 'on time', given: cronJob(), now: '2026-01-01T00:05:00Z', want: '2026-01-01T00:05:00Z' },
  { name: 'only the last of those missed', given: cronJob(), now: '2026-01-01T01:03:00Z', want: '2026-01-01T01:00:00Z' },
  { name: 'not again', given: cronJob('2026-01-01T01:00:00Z'), now: '2026-01-01T01:04:00Z', want: undefined },
  { name: 'far too many', given: cronJob(), now: '2026-01-02T00:00:00Z', want: '2026-01-02T00:00:00Z', tooMany: true },
  { name: 'within the deadline only', given: cronJob(undefined, 120), now: '2026-01-01T01:03:00Z', want: undefined },
];
for (const { name, given, now, want, tooMany = false } of due) {
  test(`due: ${name}`, async () => {
    const found = findDue(given, await parseSchedule('*/5 * * * *', undefined), ms(now), true);
    assert.deepEqual([found.dueMs, found.tooManyMissed], [want && ms(want), tooMany]);
  });
}

test('a time in its zone', () => {
  assert.equal(formatInZone(ms('2026-07-01T07:00:00Z'), 'Europe/Paris'), '2026-07-01T09:00:00+02:00');
  assert.equal(formatInZone(ms('2026-07-01T07:00:00Z')), '2026-07-01T07:00:00Z');
});
