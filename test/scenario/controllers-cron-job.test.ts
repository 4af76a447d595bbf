/** CronJobs on the whole control plane and a moving clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CronJobSpec } from '../../src/api/generated/batch-v1.ts';
import { CronJob, Event, Job, Namespace } from '../../src/api/generated/kinds.ts';
import { garbageCollector } from '../../src/control-plane/controllers/deletion/garbage-collector.ts';
import { cronJobController } from '../../src/control-plane/controllers/workloads/cron-job.ts';
import { jobController } from '../../src/control-plane/controllers/workloads/job.ts';
import { startControlPlane, type TestNodeOptions, testNode } from './control-plane.ts';

async function start(spec: Partial<CronJobSpec> = {}, fate: TestNodeOptions['fate'] = () => 'succeeded') {
  const plane = await startControlPlane([cronJobController, jobController(), garbageCollector(), testNode({ fate })]);
  const { client, clock } = plane;
  await client.create(Namespace, { metadata: { name: 'n' }, spec: {} });
  const template = { spec: { restartPolicy: 'Never' as const, containers: [{ name: 'c', image: 'i' }] } };
  const jobTemplate = { spec: { template } };
  const full = { schedule: '*/10 * * * *', successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1, jobTemplate, ...spec };
  await client.create(CronJob, { metadata: { namespace: 'n', name: 'c' }, spec: full });
  await plane.settle();
  return {
    plane,
    client,
    minutes: async (count: number) => {
      for (let i = 0; i < count; i++) {
        await clock.advance(60_000);
        await plane.settle();
      }
    },
    status: async () => (await client.get(CronJob, { namespace: 'n', name: 'c' })).status,
    jobs: async () =>
      (await client.list(Job, { namespace: 'n' })).items.map(
        ({ metadata }) => metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'],
      ),
    events: async () => (await client.list(Event, { namespace: 'n' })).items.map(({ reason }) => reason),
  };
}

test('a Job for each time, the newest of which are kept', async () => {
  const { plane, jobs, minutes, status, events } = await start();
  await using _ = plane;
  await minutes(9);
  assert.deepEqual(await jobs(), []);
  await minutes(2);
  assert.deepEqual(await jobs(), ['2026-01-01T00:10:00Z']);
  await minutes(41);
  assert.deepEqual(await jobs(), ['2026-01-01T00:40:00Z', '2026-01-01T00:50:00Z']);
  const { active, lastScheduleTime, lastSuccessfulTime } = await status();
  assert.deepEqual([active, lastScheduleTime], [undefined, '2026-01-01T00:50:00Z']);
  assert.match(lastSuccessfulTime ?? '', /^2026-01-01T00:50:/);
  assert.deepEqual(
    [...new Set(await events())].filter((reason) => reason?.includes('Job')),
    ['SawCompletedJob'],
  );
});

for (const [concurrencyPolicy, want] of [
  ['Allow', 3],
  ['Forbid', 1],
  ['Replace', 1],
] as const) {
  test(`Jobs that take long: ${concurrencyPolicy}`, async () => {
    const { plane, jobs, minutes, status } = await start({ concurrencyPolicy }, () => 'running');
    await using _ = plane;
    await minutes(32);
    const all = await jobs();
    assert.equal(all.length, want);
    assert.equal((await status()).active?.length, want);
    assert.equal(all.at(-1), concurrencyPolicy === 'Forbid' ? '2026-01-01T00:10:00Z' : '2026-01-01T00:30:00Z');
  });
}

test('suspended, it makes none; resumed, it makes up for the last one', async () => {
  const { plane, client, jobs, minutes } = await start({ suspend: true });
  await using _ = plane;
  await minutes(35);
  assert.deepEqual(await jobs(), []);
  await client.patch(CronJob, { namespace: 'n', name: 'c' }, { type: 'merge', body: { spec: { suspend: false } } });
  await plane.settle();
  assert.deepEqual(await jobs(), ['2026-01-01T00:30:00Z']);
});
