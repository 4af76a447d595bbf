/**
 * What comes of asking conversion webhooks, and how long it takes, under upstream's metric names.
 * Upstream: apiextensions-apiserver/pkg/apiserver/conversion/metrics.go.
 */
import type { Registry } from 'prom-client';
import { addMetric, Counts, Times } from '../request/metric-series.ts';

/** How an answer is none. */
export type ConversionFailure =
  | 'conversion_webhook_call_failure'
  | 'conversion_webhook_malformed_response_failure'
  | 'conversion_webhook_partial_response_failure'
  | 'conversion_webhook_invalid_converted_object_failure';

export interface Conversion {
  /** the name of the definition */
  readonly crd: string;
  readonly from: string;
  readonly to: string;
  readonly failure: ConversionFailure | undefined;
}

const askSeconds = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 45, 60];
const conversionSeconds = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);

export class ConversionMetrics {
  readonly #requests = new Counts();
  readonly #asked = new Times(askSeconds);
  readonly #converted = new Times(conversionSeconds);

  converted({ crd, from, to, failure }: Conversion, seconds: number): void {
    const labels = { result: failure ? 'failure' : 'success', failure_type: failure ?? '' };
    this.#requests.add(labels);
    this.#asked.observe(labels, seconds);
    this.#converted.observe({ crd_name: crd, from_version: from, to_version: to, succeeded: String(!failure) }, seconds);
  }

  /** Adds the metrics to a registry that is scraped. */
  register(registry: Registry): void {
    const asked = 'apiserver_conversion_webhook_duration_seconds';
    const converted = 'apiserver_crd_conversion_webhook_duration_seconds';
    addMetric(registry, 'apiserver_conversion_webhook_request_total', 'counter', 'Conversion webhook requests', () =>
      this.#requests.values(),
    );
    addMetric(registry, asked, 'histogram', 'Conversion webhook request latency', () => this.#asked.values(asked));
    addMetric(registry, converted, 'histogram', 'CRD webhook conversion duration', () => this.#converted.values(converted));
  }
}
