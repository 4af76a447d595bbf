/**
 * Counts and times of requests under upstream's metric names. Counting is a map lookup and a few additions; text is made
 * only when somebody scrapes. Upstream: apiserver/pkg/endpoints/metrics/metrics.go.
 */
import type { Registry } from 'prom-client';
import { own } from '../../../api/meta/words.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { addMetric, Counts, Histogram, type Labels } from '../request/metric-series.ts';
import type { FlowClass, FlowControl } from './flow-control.ts';

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const sizeBuckets = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/** What a request was about, as metric labels have it. */
export interface MetricSubject {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly scope: 'cluster' | 'namespace' | 'resource' | '';
}

const metricVerbs: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' };

/** Names that a client made up are left out: each would be a series for ever. */
export function metricSubjectOf(request: ApiRequest): MetricSubject {
  const { target } = request;
  const verb = own(metricVerbs, request.verb) ?? request.verb.toUpperCase();
  const nowhere = { verb, group: '', version: '', resource: '', subresource: '', scope: '' } as const;
  if (target.type === 'backend' || target.type === 'backendCall')
    return { ...nowhere, group: target.backend.group, version: target.backend.version };
  if (target.type === 'nonResource' || target.type === 'unserved') return nowhere;
  const { group, version, resource, subresources } = target.kind;
  const { namespace, name } = target.type === 'connect' ? target.at : target;
  const scope = name ? 'resource' : namespace ? 'namespace' : 'cluster';
  const { subresource = '' } = target;
  const known = own(subresources, subresource) ? subresource : '';
  return { verb: target.type === 'connect' ? 'CONNECT' : verb, group, version, resource, subresource: known, scope };
}

interface Series {
  readonly labels: Labels;
  readonly duration: Histogram;
  readonly size: Histogram;
  readonly codes: Map<number, number>;
}

export class RequestMetrics {
  readonly #series = new Map<string, Series>();
  readonly #longRunning = new Counts();
  readonly #terminations = new Counts();

  #validationFaults = 0;

  observe(subject: MetricSubject, code: number, seconds: number, bytes: number): void {
    const key = keyOf(subject);
    let series = this.#series.get(key);
    if (!series) {
      const labels = labelsOf(subject);
      series = { labels, duration: new Histogram(labels, durationBuckets), size: new Histogram(labels, sizeBuckets), codes: new Map() };
      this.#series.set(key, series);
    }
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1);
    series.duration.observe(seconds);
    if (bytes > 0) series.size.observe(bytes);
  }

  /** A watch or connection has begun (+1) or ended (-1). */
  changeLongRunning(subject: MetricSubject, by: 1 | -1): void {
    this.#longRunning.add(labelsOf(subject), by);
  }

  /** A request that was refused for lack of room. */
  terminated(subject: MetricSubject, code: number): void {
    this.#terminations.add({ ...labelsOf(subject), code: String(code) });
  }

  /** A rule of validation broke instead of judging. */
  validationBroke(): void {
    this.#validationFaults++;
  }

  /** Adds the metrics to a registry that is scraped. */
  register(registry: Registry, flow: FlowControl): void {
    const add = addMetric.bind(undefined, registry);
    const all = (): Series[] => [...this.#series.values()];
    const durations = 'apiserver_request_duration_seconds';
    const sizes = 'apiserver_response_sizes';
    const flows: readonly [FlowClass, string][] = [
      ['readOnly', 'readOnly'],
      ['mutating', 'mutating'],
    ];
    add('apiserver_request_total', 'counter', 'Counter of apiserver requests', () =>
      all().flatMap(({ labels, codes }) =>
        [...codes].map(([code, value]) => ({ labels: { ...labels, dry_run: '', code: String(code) }, value })),
      ),
    );
    add(durations, 'histogram', 'Response latency distribution in seconds', () => all().flatMap((s) => s.duration.values(durations)));
    add(sizes, 'histogram', 'Response size distribution in bytes', () => all().flatMap((s) => s.size.values(sizes)));
    add('apiserver_longrunning_requests', 'gauge', 'Gauge of all active long-running apiserver requests', () => this.#longRunning.values());
    add('apiserver_request_terminations_total', 'counter', 'Number of requests which apiserver terminated in self-defense', () =>
      this.#terminations.values(),
    );
    // Upstream's suite reads both, and they must be 0. There is one validation here, so nothing that it could differ from.
    add(
      'apiserver_validation_declarative_validation_mismatch_total',
      'counter',
      'Number of times declarative validation results differed from handwritten validation results for core types.',
      () => [{ labels: {}, value: 0 }],
    );
    add(
      'apiserver_validation_declarative_validation_panic_total',
      'counter',
      'Number of times declarative validation has panicked during validation.',
      () => [{ labels: {}, value: this.#validationFaults }],
    );
    add('apiserver_current_inflight_requests', 'gauge', 'Number of requests that are being worked on', () =>
      flows.map(([kind, label]) => ({ labels: { request_kind: label }, value: flow.executing(kind) })),
    );
    add('apiserver_current_inqueue_requests', 'gauge', 'Number of requests that wait for room', () =>
      flows.map(([kind, label]) => ({ labels: { request_kind: label }, value: flow.waiting(kind) })),
    );
  }
}

const keyOf = (s: MetricSubject): string => `${s.verb} ${s.group}/${s.version}/${s.resource}/${s.subresource} ${s.scope}`;

function labelsOf({ verb, group, version, resource, subresource, scope }: MetricSubject): Labels {
  return { verb, group, version, resource, subresource, scope, component: 'apiserver' };
}
