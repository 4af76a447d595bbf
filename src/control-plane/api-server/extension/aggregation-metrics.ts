/**
 * Which APIServices are unavailable, and how often each has become so, under upstream's metric names.
 * Upstream: kube-aggregator/pkg/controllers/status/metrics.
 */
import type { Registry } from 'prom-client';
import { APIService } from '../../../api/generated/kinds.ts';
import { findCondition, isConditionTrue } from '../../../api/meta/conditions.ts';
import type { ObjectReader } from '../cache/reader.ts';
import { addMetric, Counts } from '../request/metric-series.ts';

const isAvailable = ({ status }: APIService): boolean => isConditionTrue(status.conditions, 'Available');

export class AggregationMetrics implements Disposable {
  readonly #reader: ObjectReader;
  readonly #lost = new Counts();
  readonly #followed: Disposable;

  constructor(reader: ObjectReader) {
    this.#reader = reader;
    this.#followed = reader.follow(APIService, (service, old) => {
      if (!service || !old || isAvailable(service) || !isAvailable(old)) return;
      const { reason = 'UnknownReason' } = findCondition(service.status.conditions, 'Available') ?? {};
      this.#lost.add({ name: service.metadata.name, reason });
    });
  }

  /** Adds the metrics to a registry that is scraped. */
  register(registry: Registry): void {
    const name = 'aggregator_unavailable_apiservice';
    addMetric(registry, name, 'gauge', 'Gauge of APIServices which are marked as unavailable broken down by APIService name.', () =>
      [...this.#reader.list(APIService)].map((service) => ({
        labels: { name: service.metadata.name },
        value: isAvailable(service) ? 0 : 1,
      })),
    );
    addMetric(
      registry,
      `${name}_total`,
      'counter',
      'Counter of APIServices which are marked as unavailable broken down by APIService name and reason.',
      () => this.#lost.values(),
    );
  }

  [Symbol.dispose](): void {
    this.#followed[Symbol.dispose]();
  }
}
