/**
 * How the proxy is, and whether its node should get traffic from load balancers. Healthy: no change waits longer than a
 * minute to become rules. Upstream: pkg/proxy/healthcheck/proxy_health.go, KEP-3836.
 */
import type { Node } from '../../api/generated/kinds.ts';
import type { Clock } from '../../client/clock.ts';

/** Upstream: twice its sync period. */
const staleMs = 60_000;
const toBeDeletedTaint = 'ToBeDeletedByClusterAutoscaler';

/** One that is on its way out drains its connections and takes no new ones. */
export const isEligible = (node: Node | undefined): boolean =>
  node !== undefined && node.metadata.deletionTimestamp === undefined && !node.spec?.taints?.some(({ key }) => key === toBeDeletedTaint);

export interface HealthAnswer {
  readonly status: 200 | 503;
  readonly body: object;
}

export class ProxyHealth {
  readonly #clock: Clock;
  #updatedMs: number;
  #waitsSinceMs: number | undefined;
  #queuedMs: number;
  #nodeEligible = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#updatedMs = clock.now();
    this.#queuedMs = this.#updatedMs;
  }

  /** Something changed that the rules do not say yet. */
  queued(): void {
    this.#queuedMs = this.#clock.now();
    this.#waitsSinceMs ??= this.#queuedMs;
  }

  /** The rules are as they should be. */
  updated(): void {
    this.#updatedMs = this.#clock.now();
    this.#waitsSinceMs = undefined;
  }

  seeNode(node: Node | undefined): void {
    this.#nodeEligible = isEligible(node);
  }

  get isHealthy(): boolean {
    return this.#waitsSinceMs === undefined || this.#clock.now() - this.#waitsSinceMs < staleMs;
  }

  /** seconds since the epoch */
  get times(): { readonly updated: number; readonly queued: number } {
    return { updated: this.#updatedMs / 1000, queued: this.#queuedMs / 1000 };
  }

  /** `/healthz` speaks of the node, too; `/livez` of the proxy alone. */
  answer(path: '/healthz' | '/livez'): HealthAnswer {
    const healthy = this.isHealthy;
    const nodeEligible = path === '/healthz' ? this.#nodeEligible : undefined;
    const isGood = healthy && nodeEligible !== false;
    const currentTime = new Date(this.#clock.now()).toISOString();
    const lastUpdated = new Date(this.#updatedMs).toISOString();
    const status = { IPv4: { lastUpdated, healthy } };
    // Who is well was updated just now, by what older readers expect.
    return {
      status: isGood ? 200 : 503,
      body: { lastUpdated: isGood ? currentTime : lastUpdated, currentTime, nodeEligible, healthy, status },
    };
  }
}
