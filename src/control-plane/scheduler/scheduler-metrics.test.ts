import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { createSchedulerMetrics } from './scheduler-metrics.ts';

test('series have the names and labels that dashboards ask for', async () => {
  const registry = new Registry();
  const metrics = await createSchedulerMetrics(registry);
  metrics.watchQueue(() => ({ active: 1, backOff: 2, unschedulable: 3, gated: 4 }));
  metrics.attempted('scheduled', 0.003);
  metrics.decided(0.001);
  metrics.scheduled(20, 0.5);
  metrics.preemptionTried();
  metrics.preempted(3);
  const text = await registry.metrics();
  for (const line of [
    'scheduler_schedule_attempts_total{result="scheduled",profile="default-scheduler"} 1',
    'scheduler_scheduling_attempt_duration_seconds_count{result="scheduled",profile="default-scheduler"} 1',
    'scheduler_scheduling_algorithm_duration_seconds_count 1',
    'scheduler_pod_scheduling_attempts_sum 20',
    'scheduler_pod_scheduling_sli_duration_seconds_count{attempts="15+"} 1',
    'scheduler_preemption_attempts_total 1',
    'scheduler_preemption_victims_sum 3',
    'scheduler_pending_pods{queue="active"} 1',
    'scheduler_pending_pods{queue="backoff"} 2',
    'scheduler_pending_pods{queue="unschedulable"} 3',
    'scheduler_pending_pods{queue="gated"} 4',
  ])
    assert.ok(text.includes(line), `${line} in\n${text}`);
});
