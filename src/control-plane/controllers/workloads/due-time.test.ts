import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CronJob } from '../../../api/generated/kinds.ts';
import { parseCron } from '../../../api/meta/cron.ts';
import { parseTime } from '../../../api/meta/time.ts';
import { findDue } from './due-time.ts';

const ms = (text: string): number => parseTime(text) ?? Number.NaN;
const cronJob = (lastScheduleTime?: string, startingDeadlineSeconds?: number): CronJob =>
  ({
    metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { ...(startingDeadlineSeconds !== undefined && { startingDeadlineSeconds }) },
    status: { ...(lastScheduleTime && { lastScheduleTime }) },
  }) as unknown as CronJob;
const due: {
  name: string;
  schedule?: string;
  given: CronJob;
  now: string;
  want: string | undefined;
  tooMany?: boolean;
  isEmpty?: boolean;
}[] = [
  { name: 'not yet', given: cronJob(), now: '2026-01-01T00:04:59Z', want: undefined },
  { name: 'on time', given: cronJob(), now: '2026-01-01T00:05:00Z', want: '2026-01-01T00:05:00Z' },
  { name: 'only the last of those missed', given: cronJob(), now: '2026-01-01T01:03:00Z', want: '2026-01-01T01:00:00Z' },
  { name: 'not again', given: cronJob('2026-01-01T01:00:00Z'), now: '2026-01-01T01:04:00Z', want: undefined },
  { name: 'far too many', given: cronJob(), now: '2026-01-02T00:00:00Z', want: '2026-01-02T00:00:00Z', tooMany: true },
  { name: 'within the deadline only', given: cronJob(undefined, 120), now: '2026-01-01T01:03:00Z', want: undefined },
  { name: 'never', schedule: '0 0 31 2 *', given: cronJob(), now: '2026-01-01T01:03:00Z', want: undefined, isEmpty: true },
];
for (const { name, schedule = '*/5 * * * *', given, now, want, tooMany = false, isEmpty } of due) {
  test(`due: ${name}`, () => {
    const found = findDue(given, parseCron(schedule), ms(now), true);
    assert.deepEqual([found.dueMs, found.tooManyMissed, found.isEmpty], [want && ms(want), tooMany, isEmpty]);
  });
}
