/** What the proxy measures, as Prometheus series under upstream's names. Upstream: pkg/proxy/metrics/metrics.go. */
import type { Registry } from 'prom-client';

export interface ProxyMetrics {
  /** A transaction, from its plan to nft's word. */
  synced(durationSeconds: number): void;
  syncFailed(): void;
  changed(what: 'service' | 'endpoint'): void;
  asked(path: '/healthz' | '/livez', code: number): void;
  flowsForgotten(count: number): void;
}

/** Asked whenever the series are read. */
export interface ProxyGauges {
  /** seconds since the epoch */
  readonly times: () => { readonly updated: number; readonly queued: number };
  /** service ports with endpoints elsewhere only, by the policy that leaves none here */
  readonly withoutLocalEndpoints: () => Readonly<Record<'internal' | 'external', number>>;
}

const family = { ip_family: 'IPv4' };
/** from 1 ms on, each twice the one before */
const buckets = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);

/** Registers the series in `registry`. */
export async function createProxyMetrics(registry: Registry, { times, withoutLocalEndpoints }: ProxyGauges): Promise<ProxyMetrics> {
  const { Counter, Gauge, Histogram } = await import('prom-client');
  const registers = [registry];
  const labelNames = ['ip_family'];
  const counter = (name: string, help: string, labels: readonly string[] = []) =>
    new Counter({ name: `kubeproxy_${name}`, help, labelNames: [...labels], registers });
  const gauge = (name: string, help: string, read: () => number): void => {
    const options = { name: `kubeproxy_${name}`, help, labelNames, registers };
    new Gauge({
      ...options,
      collect() {
        this.set(family, read());
      },
    });
  };
  const duration = new Histogram({
    name: 'kubeproxy_sync_proxy_rules_duration_seconds',
    help: 'SyncProxyRules latency in seconds',
    labelNames,
    buckets,
    registers,
  });
  const failures = counter('sync_proxy_rules_nftables_sync_failures_total', 'Cumulative proxy nftables sync failures', labelNames);
  const changes = {
    service: counter('sync_proxy_rules_service_changes_total', 'Cumulative proxy rules Service changes'),
    endpoint: counter('sync_proxy_rules_endpoint_changes_total', 'Cumulative proxy rules Endpoint changes'),
  };
  const asked = {
    '/healthz': counter('proxy_healthz_total', 'Cumulative proxy healthz HTTP status', ['code']),
    '/livez': counter('proxy_livez_total', 'Cumulative proxy livez HTTP status', ['code']),
  };
  const forgotten = counter('conntrack_reconciler_deleted_entries_total', 'Cumulative conntrack flows deleted', labelNames);
  gauge('sync_proxy_rules_last_timestamp_seconds', 'The last time proxy rules were successfully synced', () => times().updated);
  gauge('sync_proxy_rules_last_queued_timestamp_seconds', 'The last time a sync of proxy rules was queued', () => times().queued);
  new Gauge({
    name: 'kubeproxy_sync_proxy_rules_no_local_endpoints_total',
    help: 'Number of services with a Local traffic policy and no endpoints',
    labelNames: ['traffic_policy', ...labelNames],
    registers,
    collect() {
      for (const [traffic_policy, count] of Object.entries(withoutLocalEndpoints())) this.set({ traffic_policy, ...family }, count);
    },
  });
  failures.inc(family, 0);
  return {
    synced: (seconds) => duration.observe(family, seconds),
    syncFailed: () => failures.inc(family),
    changed: (what) => changes[what].inc(),
    asked: (path, code) => asked[path].inc({ code }),
    flowsForgotten: (count) => forgotten.inc(family, count),
  };
}
