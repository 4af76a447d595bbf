/** Jobs on the whole control plane: what they run, how they end, and what their status says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobSpec } from '../../src/api/generated/batch-v1.ts';
import { Event, Job, Namespace, Pod } from '../../src/api/generated/kinds.ts';
import { jobController } from '../../src/control-plane/controllers/workloads/job.ts';
import { startControlPlane, type TestNodeOptions, testNode } from './control-plane.ts';

type Fate = NonNullable<TestNodeOptions['fate']>;
const at = { namespace: 'n', name: 'j' };

async function start(spec: Partial<JobSpec>, fate: Fate = () => 'succeeded') {
  let current = fate;
  const plane = await startControlPlane([jobController(), testNode({ fate: (pod) => current(pod) })]);
  const { client } = plane;
  await client.create(Namespace, { metadata: { name: 'n' }, spec: {} });
  const labels = { job: 'j' };
  const template = { metadata: { labels }, spec: { restartPolicy: 'Never' as const, containers: [{ name: 'c', image: 'i' }] } };
  const full = {
    parallelism: 1,
    completions: 1,
    backoffLimit: 6,
    manualSelector: true,
    selector: { matchLabels: labels },
    template,
    ...spec,
  };
  await client.create(Job, { metadata: at, spec: full });
  await plane.settle();
  return {
    plane,
    client,
    status: async () => (await client.get(Job, at)).status,
    conditions: async () => (await client.get(Job, at)).status.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`),
    pods: async () => (await client.list(Pod, { namespace: 'n' })).items,
    events: async () => (await client.list(Event, { namespace: 'n' })).items.map(({ reason, message }) => `${reason}: ${message}`),
    /** From now on; pods that are there are looked at again. */
    async change(next: Fate) {
      current = next;
      for (const { metadata } of (await client.list(Pod, { namespace: 'n' })).items) {
        const mark = { metadata: { annotations: { touched: String(plane.clock.now()) } } };
        await client.patch(Pod, metadata, { type: 'merge', body: mark });
      }
      await plane.settle();
    },
  };
}

test('a Job of five, two at a time, completes', async () => {
  const { plane, status, conditions, pods, events } = await start({ completions: 5, parallelism: 2 });
  await using _ = plane;
  await plane.tick(5);
  const { succeeded, active, ready, terminating, uncountedTerminatedPods, startTime, completionTime, failed } = await status();
  assert.deepEqual(
    { succeeded, active, ready, terminating, uncountedTerminatedPods, failed },
    {
      succeeded: 5,
      active: undefined,
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods: {},
      failed: undefined,
    },
  );
  assert.ok(startTime && completionTime);
  assert.deepEqual(await conditions(), ['SuccessCriteriaMet=True CompletionsReached', 'Complete=True CompletionsReached']);
  const all = await pods();
  assert.deepEqual(
    all.map(({ metadata }) => metadata.finalizers),
    Array(5).fill(undefined),
  );
  assert.equal((await events()).at(-1), 'Completed: Job completed');
});

test('never more pods than asked for at a time', async () => {
  const { plane, status, pods, change } = await start({ completions: 6, parallelism: 3 }, () => 'ready');
  await using _ = plane;
  assert.equal((await pods()).length, 3);
  await plane.tick(1);
  assert.deepEqual([(await status()).active, (await status()).ready], [3, 3]);
  await change((pod) => (pod.metadata.creationTimestamp === '2026-01-01T00:00:00Z' ? 'succeeded' : 'ready'));
  await plane.tick(2);
  assert.equal((await status()).active, 3);
});

test('failures are replaced after 10 s, 20 s, … and end it at the limit', async () => {
  const { plane, status, conditions, pods, events } = await start({ backoffLimit: 2 }, () => 'failed');
  await using _ = plane;
  assert.equal((await pods()).length, 1);
  await plane.tick(9);
  assert.equal((await pods()).length, 1);
  await plane.tick(2);
  assert.equal((await pods()).length, 2);
  await plane.tick(18);
  assert.equal((await pods()).length, 2);
  await plane.tick(2);
  assert.equal((await status()).failed, 3);
  assert.deepEqual(await conditions(), ['FailureTarget=True BackoffLimitExceeded', 'Failed=True BackoffLimitExceeded']);
  assert.equal((await events()).at(-1), 'BackoffLimitExceeded: Job has reached the specified backoff limit');
});

test('past its deadline a Job fails, and its pods go', async () => {
  const { plane, status, conditions, pods } = await start({ activeDeadlineSeconds: 30, parallelism: 2, completions: 2 }, () => 'ready');
  await using _ = plane;
  await plane.tick(29);
  assert.equal((await status()).active, 2);
  await plane.tick(2);
  assert.deepEqual(await conditions(), ['FailureTarget=True DeadlineExceeded', 'Failed=True DeadlineExceeded']);
  assert.deepEqual(await pods(), []);
  assert.deepEqual([(await status()).failed, (await status()).active], [2, undefined]);
});

test('an indexed Job runs each index once, and the pods know theirs', async () => {
  const { plane, status, pods } = await start({ completionMode: 'Indexed', completions: 4, parallelism: 2 });
  await using _ = plane;
  await plane.tick(3);
  assert.deepEqual([(await status()).completedIndexes, (await status()).succeeded], ['0-3', 4]);
  const all = (await pods()).toSorted((a, b) => ((a.spec.hostname ?? '') < (b.spec.hostname ?? '') ? -1 : 1));
  assert.deepEqual(
    all.map(({ spec }) => spec.hostname),
    ['j-0', 'j-1', 'j-2', 'j-3'],
  );
  assert.deepEqual(all[1]?.metadata.annotations?.['batch.kubernetes.io/job-completion-index'], '1');
  assert.equal(all[1]?.spec.containers[0]?.env?.[0]?.name, 'JOB_COMPLETION_INDEX');
});

test('backoffLimitPerIndex: an index that fails for good does not stop the others', async () => {
  const fate: Fate = (pod) => (pod.spec.hostname === 'j-1' ? 'failed' : 'succeeded');
  const spec = { completionMode: 'Indexed' as const, completions: 3, parallelism: 3, backoffLimitPerIndex: 1, backoffLimit: 100 };
  const { plane, status, conditions } = await start(spec, fate);
  await using _ = plane;
  await plane.tick(15);
  assert.deepEqual([(await status()).completedIndexes, (await status()).failedIndexes, (await status()).failed], ['0,2', '1', 2]);
  assert.deepEqual(await conditions(), ['FailureTarget=True FailedIndexes', 'Failed=True FailedIndexes']);
});

test('what pods do within a second is one step: all that failed meanwhile are told, not the first few', async () => {
  const spec = { completionMode: 'Indexed' as const, completions: 4, parallelism: 4, backoffLimitPerIndex: 0, maxFailedIndexes: 2 };
  const { plane, status, conditions } = await start(spec, () => 'failed');
  await using _ = plane;
  await plane.settle();
  assert.equal((await status()).failedIndexes, '');
  await plane.tick(2);
  assert.equal((await status()).failedIndexes, '0-3');
  assert.deepEqual(await conditions(), ['FailureTarget=True MaxFailedIndexesExceeded', 'Failed=True MaxFailedIndexesExceeded']);
});

test('a success policy ends the Job before all have run', async () => {
  const fate: Fate = (pod) => (pod.spec.hostname === 'j-0' ? 'succeeded' : 'ready');
  const spec = {
    completionMode: 'Indexed' as const,
    completions: 3,
    parallelism: 3,
    successPolicy: { rules: [{ succeededIndexes: '0' }] },
  };
  const { plane, conditions, pods } = await start(spec, fate);
  await using _ = plane;
  await plane.tick(2);
  assert.deepEqual(await conditions(), ['SuccessCriteriaMet=True SuccessPolicy', 'Complete=True SuccessPolicy']);
  assert.deepEqual(
    (await pods()).map(({ spec: { hostname } }) => hostname),
    ['j-0'],
  );
});

test('a pod failure policy can fail the Job at once', async () => {
  const rules = [{ action: 'FailJob' as const, onExitCodes: { operator: 'In' as const, values: [1] } }];
  const { plane, status, conditions } = await start({ podFailurePolicy: { rules } }, () => 'failed');
  await using _ = plane;
  await plane.tick(2);
  assert.deepEqual(await conditions(), ['FailureTarget=True PodFailurePolicy', 'Failed=True PodFailurePolicy']);
  assert.match(
    (await status()).conditions?.[0]?.message ?? '',
    /^Container c for pod n\/j-\w+ failed with exit code 1 matching FailJob rule at index 0$/,
  );
});

test('suspended, a Job has no pods; resumed, it starts anew', async () => {
  const { plane, client, status, conditions, pods, events } = await start({ suspend: true }, () => 'ready');
  await using _ = plane;
  assert.deepEqual([await pods(), (await status()).startTime], [[], undefined]);
  assert.deepEqual(await conditions(), ['Suspended=True JobSuspended']);
  const suspend = async (value: boolean) => {
    await client.patch(Job, at, { type: 'merge', body: { spec: { suspend: value } } });
    await plane.settle();
  };
  await suspend(false);
  assert.equal((await pods()).length, 1);
  assert.ok((await status()).startTime);
  await suspend(true);
  assert.deepEqual(await pods(), []);
  assert.deepEqual([(await status()).failed, (await status()).active], [undefined, undefined]);
  assert.deepEqual(
    (await events()).filter((event) => event.startsWith('Resumed') || event.startsWith('Suspended')),
    ['Suspended: Job suspended', 'Resumed: Job resumed'],
  );
});

test('pods of a deleted Job are not held back', async () => {
  const { plane, client, pods } = await start({ parallelism: 2, completions: 2 }, () => 'ready');
  await using _ = plane;
  await client.delete(Job, at, { propagationPolicy: 'Background' });
  await plane.settle();
  assert.deepEqual(
    (await pods()).map(({ metadata }) => metadata.finalizers),
    [undefined, undefined],
  );
});
