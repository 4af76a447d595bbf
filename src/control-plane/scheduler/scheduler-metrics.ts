/** What the scheduler measures, as Prometheus series under upstream's names. Upstream: pkg/scheduler/metrics/metrics.go. */
import type { Registry } from 'prom-client';
import type { QueueCounts } from './scheduling-queue.ts';

export interface SchedulerMetrics {
  /** One try of a pod, from its choice to its binding or its rejection. */
  attempted(result: 'scheduled' | 'unschedulable' | 'error', durationSeconds: number): void;
  /** The choice alone. */
  decided(durationSeconds: number): void;
  /** A pod got its node: after how many tries, and how long since the first could have been. */
  scheduled(attempts: number, durationSeconds: number): void;
  preemptionTried(): void;
  preempted(victims: number): void;
  /** Asked whenever the series are read. */
  watchQueue(counts: () => QueueCounts): void;
}

/** The smallest bucket, and how many there are, each twice the one before. */
const doubling = (least: number, count: number): number[] => Array.from({ length: count }, (_, i) => least * 2 ** i);
const attemptsNamedMax = 15;

/** Registers the series in `registry`. */
export async function createSchedulerMetrics(registry: Registry, profile = 'default-scheduler'): Promise<SchedulerMetrics> {
  const { Counter, Gauge, Histogram } = await import('prom-client');
  const registers = [registry];
  const attempts = new Counter({
    name: 'scheduler_schedule_attempts_total',
    help: 'Tries to place pods, by result',
    labelNames: ['result', 'profile'],
    registers,
  });
  const attemptSeconds = new Histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'How long a try takes, binding included',
    labelNames: ['result', 'profile'],
    buckets: doubling(0.001, 15),
    registers,
  });
  const algorithmSeconds = new Histogram({
    name: 'scheduler_scheduling_algorithm_duration_seconds',
    help: 'How long the choice of a node takes',
    buckets: doubling(0.001, 15),
    registers,
  });
  const podSeconds = new Histogram({
    name: 'scheduler_pod_scheduling_sli_duration_seconds',
    help: 'How long a pod takes from the queue to its node, all tries included',
    labelNames: ['attempts'],
    buckets: doubling(0.01, 20),
    registers,
  });
  const podAttempts = new Histogram({
    name: 'scheduler_pod_scheduling_attempts',
    help: 'How many tries a pod took to its node',
    buckets: doubling(1, 5),
    registers,
  });
  const preemptions = new Counter({ name: 'scheduler_preemption_attempts_total', help: 'Tries to make room by preemption', registers });
  const victims = new Histogram({
    name: 'scheduler_preemption_victims',
    help: 'How many pods a preemption costs',
    buckets: doubling(1, 7),
    registers,
  });
  return {
    attempted: (result, seconds) => {
      attempts.inc({ result, profile });
      attemptSeconds.observe({ result, profile }, seconds);
    },
    decided: (seconds) => algorithmSeconds.observe(seconds),
    scheduled: (tries, seconds) => {
      podAttempts.observe(tries);
      podSeconds.observe({ attempts: tries >= attemptsNamedMax ? `${attemptsNamedMax}+` : `${tries}` }, seconds);
    },
    preemptionTried: () => preemptions.inc(),
    preempted: (count) => victims.observe(count),
    watchQueue: (counts) => {
      new Gauge({
        name: 'scheduler_pending_pods',
        help: 'Pods that wait for a node, by why',
        labelNames: ['queue'],
        registers,
        collect() {
          const { active, backOff, unschedulable, gated } = counts();
          for (const [queue, value] of Object.entries({ active, backoff: backOff, unschedulable, gated })) this.set({ queue }, value);
        },
      });
    },
  };
}
