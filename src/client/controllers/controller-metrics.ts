/** What the controllers' runner measures, as Prometheus series under upstream's names. */
import type { Registry } from 'prom-client';
import type { ControllerMetrics } from './controller-runner.ts';

const durationBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Registers the series in `registry`. */
export async function createControllerMetrics(registry: Registry): Promise<ControllerMetrics> {
  const { Counter, Gauge, Histogram } = await import('prom-client');
  const registers = [registry];
  const depth = new Gauge({ name: 'workqueue_depth', help: 'Current depth of workqueue', labelNames: ['name'], registers });
  const total = new Counter({
    name: 'controller_reconcile_total',
    help: 'Reconciles per controller and result',
    labelNames: ['controller', 'result'],
    registers,
  });
  const duration = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long in seconds processing an item from workqueue takes.',
    labelNames: ['name'],
    buckets: durationBuckets,
    registers,
  });
  return {
    queueDepth: (controller, value) => depth.set({ name: controller }, value),
    reconciled: (controller, result, durationSeconds) => {
      total.inc({ controller, result });
      duration.observe({ name: controller }, durationSeconds);
    },
  };
}
