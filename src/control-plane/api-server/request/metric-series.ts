/**
 * What the server counts and times of requests. Counting is a map lookup and an addition; text is made only when somebody
 * scrapes. Who names the series bounds them; beyond `seriesMax` no further one is begun.
 */
import type { Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;

export interface MetricValue {
  readonly metricName?: string;
  readonly labels: Labels;
  readonly value: number;
}

const seriesMax = 10_000;

class Series<T extends { readonly labels: Labels }> {
  readonly #byKey = new Map<string, T>();

  of(labels: Labels, make: () => T): T | undefined {
    const key = Object.values(labels).join('\0');
    const known = this.#byKey.get(key);
    if (known || this.#byKey.size >= seriesMax) return known;
    const made = make();
    this.#byKey.set(key, made);
    return made;
  }
  all(): readonly T[] {
    return [...this.#byKey.values()];
  }
}

/** Counts by labels, which have the same names in the same order each time. */
export class Counts {
  readonly #series = new Series<{ readonly labels: Labels; count: number }>();

  add(labels: Labels, by = 1): void {
    const known = this.#series.of(labels, () => ({ labels, count: 0 }));
    if (known) known.count += by;
  }
  values(): MetricValue[] {
    return this.#series.all().map(({ labels, count }) => ({ labels, value: count }));
  }
}

export class Histogram {
  readonly labels: Labels;
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(labels: Labels, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }
  observe(value: number): void {
    this.#sum += value;
    this.#count++;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    if (at >= 0) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }
  values(name: string): MetricValue[] {
    let below = 0;
    const buckets = this.#bounds.map((bound, i) => {
      below += this.#counts[i] ?? 0;
      return { metricName: `${name}_bucket`, labels: { ...this.labels, le: String(bound) }, value: below };
    });
    return [
      ...buckets,
      { metricName: `${name}_bucket`, labels: { ...this.labels, le: '+Inf' }, value: this.#count },
      { metricName: `${name}_sum`, labels: this.labels, value: this.#sum },
      { metricName: `${name}_count`, labels: this.labels, value: this.#count },
    ];
  }
}

/** Times by labels, as `Counts` has them. */
export class Times {
  readonly #series = new Series<Histogram>();
  readonly #bounds: readonly number[];

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }
  observe(labels: Labels, seconds: number): void {
    this.#series.of(labels, () => new Histogram(labels, this.#bounds))?.observe(seconds);
  }
  values(name: string): MetricValue[] {
    return this.#series.all().flatMap((each) => each.values(name));
  }
}

/** Adds one to a registry that is scraped. */
export function addMetric(
  registry: Registry,
  name: string,
  type: 'counter' | 'gauge' | 'histogram',
  help: string,
  values: () => MetricValue[],
): void {
  const metric = {
    name,
    help,
    type,
    aggregator: 'sum',
    get: async () => ({ name, help, type, aggregator: 'sum', values: values() }),
    reset() {},
  };
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
}
