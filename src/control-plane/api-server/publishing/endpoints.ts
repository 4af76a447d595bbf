/**
 * What the API server says of itself: discovery, OpenAPI, version, health, metrics, and the index of all of it.
 * Everything is made from the registry when first asked for, and again when the registry changed.
 */
import type { KindRegistry } from '../../../api/kinds/registry.ts';
import type { NonResourceEndpoint, NonResourceResponse } from '../request/non-resource-endpoint.ts';
import { discoveryEndpoint } from './discovery.ts';
import { servedGroups } from './group-order.ts';
import { type HealthCheck, type HealthListener, healthEndpoint, healthPaths, pingCheck, runAll } from './health.ts';
import { HealthRecord } from './health-record.ts';
import { openApiEndpoints } from './openapi.ts';
import { versionInfo } from './version.ts';

/** A prom-client registry, or several merged. */
export interface MetricsSource {
  readonly contentType: string;
  metrics(): Promise<string>;
}

export interface PublishingOptions {
  readonly registry: KindRegistry;
  /** `v1.36.3`, optionally with build metadata */
  readonly version: string;
  /** beside `ping`, in the order in which they are shown */
  readonly checks?: readonly HealthCheck[];
  readonly onHealthFailure?: HealthListener['failed'];
  readonly metrics?: MetricsSource;
  /** `host:port` under which clients reach the server, for `/api` */
  readonly serverAddress?: () => string;
  /** for Expires headers */
  readonly nowMs?: () => number;
  /** further paths for the index: those of other endpoints */
  readonly otherPaths?: readonly string[];
}

export function publishingEndpoints(options: PublishingOptions): readonly NonResourceEndpoint[] {
  const { registry, version, checks = [], metrics, serverAddress = () => '' } = options;
  const record = new HealthRecord();
  const listener: HealthListener = {
    failed: options.onHealthFailure ?? (() => undefined),
    checked: (name, path, isHealthy) => record.observe(name, path, isHealthy),
  };
  const all = [pingCheck, ...checks];
  const slis = async (): Promise<string> => {
    if (record.isEmpty) await runAll(all, listener);
    return record.render();
  };
  return [
    discoveryEndpoint({ registry, serverAddress }),
    ...openApiEndpoints({ registry, version, nowMs: options.nowMs }),
    versionEndpoint(version),
    healthEndpoint('livez', all, listener),
    healthEndpoint('readyz', all, listener),
    healthEndpoint('healthz', all, listener),
    ...(metrics
      ? [metricsEndpoint('/metrics', metrics), metricsEndpoint('/metrics/slis', { contentType: metrics.contentType, metrics: slis })]
      : []),
    indexEndpoint({ ...options, checks: all }),
  ];
}

const indented = (value: object): NonResourceResponse => ({
  status: 200,
  headers: { 'cache-control': 'no-cache, private', 'content-type': 'application/json' },
  body: JSON.stringify(value, null, 2),
});

function versionEndpoint(version: string): NonResourceEndpoint {
  const info = versionInfo(version);
  return { paths: ['/version', '/version/'], handle: () => indented(info) };
}

function metricsEndpoint(path: string, metrics: MetricsSource): NonResourceEndpoint {
  return {
    paths: [path],
    async handle() {
      return { status: 200, headers: { 'content-type': metrics.contentType }, body: await metrics.metrics() };
    },
  };
}

function indexEndpoint(options: PublishingOptions & { readonly checks: readonly HealthCheck[] }): NonResourceEndpoint {
  return { paths: ['/'], handle: () => indented({ paths: indexPaths(options) }) };
}

/** Every path that answers, sorted. */
function indexPaths({
  registry,
  checks,
  metrics,
  otherPaths = [],
}: PublishingOptions & { readonly checks: readonly HealthCheck[] }): readonly string[] {
  const groups = servedGroups(registry.current).flatMap(({ group, versions }) => {
    if (!group) return versions.map((v) => `/api/${v.version}`);
    return [`/apis/${group}`, ...versions.map((v) => `/apis/${group}/${v.version}`)];
  });
  const health = healthPaths.flatMap((path) => [`/${path}`, ...checks.filter((c) => c.of.includes(path)).map((c) => `/${path}/${c.name}`)]);
  const own = [
    '/api',
    '/apis',
    '/apis/',
    '/openapi/v2',
    '/openapi/v3',
    '/openapi/v3/',
    '/version',
    ...(metrics ? ['/metrics', '/metrics/slis'] : []),
  ];
  return [...new Set([...groups, ...health, ...own, ...otherPaths])].sort();
}
