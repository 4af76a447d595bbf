/** How the health checks went when somebody asked (if nobody has, now), as the metrics of `/metrics/slis`. Upstream: component-base/metrics/prometheus/slis. */
import type { HealthPath } from './health.ts';

interface Counts {
  isHealthy: boolean;
  success: number;
  error: number;
}

export class HealthRecord {
  /** by the labels of the check */
  readonly #counts = new Map<string, Counts>();

  observe(name: string, path: HealthPath, isHealthy: boolean): void {
    const labels = `name=${JSON.stringify(name)},type="${path}"`;
    const counts = this.#counts.get(labels) ?? { isHealthy, success: 0, error: 0 };
    counts.isHealthy = isHealthy;
    counts[isHealthy ? 'success' : 'error']++;
    this.#counts.set(labels, counts);
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  /** In the text format of Prometheus. */
  render(): string {
    const all = [...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const totals = all.flatMap(([labels, counts]) =>
      (['error', 'success'] as const).flatMap((status) =>
        counts[status] > 0
          ? [`kubernetes_healthchecks_total{${labels.replace(',type', `,status="${status}",type`)}} ${counts[status]}`]
          : [],
      ),
    );
    return [
      '# HELP kubernetes_healthcheck [STABLE] This metric records the result of a single healthcheck.',
      '# TYPE kubernetes_healthcheck gauge',
      ...all.map(([labels, { isHealthy }]) => `kubernetes_healthcheck{${labels}} ${isHealthy ? 1 : 0}`),
      '# HELP kubernetes_healthchecks_total [STABLE] This metric records the results of all healthcheck.',
      '# TYPE kubernetes_healthchecks_total counter',
      ...totals,
      '',
    ].join('\n');
  }
}
