/**
 * The health check node ports of services with externalTrafficPolicy Local: an HTTP server per service tells load
 * balancers whether this node has ready endpoints (200) or none (503). Upstream: pkg/proxy/healthcheck.
 */
import type { ServerResponse } from 'node:http';
import type { EndpointSlice, Service } from '../../api/generated/kinds.ts';
import { listenHTTP, OpenPorts } from './open-ports.ts';
import { isOurs, readyHere } from './service-ports.ts';

export interface ServiceHealthCheck {
  readonly port: number;
  readonly service: { readonly namespace: string; readonly name: string };
  /** ready ones of this node */
  readonly localEndpoints: number;
}

export function planHealthCheck(service: Service, slices: readonly EndpointSlice[], nodeName: string): ServiceHealthCheck | undefined {
  const { spec, metadata } = service;
  const port = spec.healthCheckNodePort;
  if (!port || !isOurs(service) || spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') return undefined;
  const { namespace = '', name } = metadata;
  return { port, service: { namespace, name }, localEndpoints: readyHere(slices, nodeName).size };
}

export interface HealthChecksOptions {
  /** of the proxy itself: a node whose rules are stale takes no traffic */
  readonly isProxyHealthy: () => boolean;
  readonly refused: (check: ServiceHealthCheck, error: unknown) => void;
}

export class HealthChecks implements AsyncDisposable {
  readonly #options: HealthChecksOptions;
  readonly #ports: OpenPorts;
  #checks = new Map<string, ServiceHealthCheck>();

  constructor(options: HealthChecksOptions) {
    this.#options = options;
    this.#ports = new OpenPorts((key, error) => {
      const check = this.#checks.get(key);
      if (check) options.refused(check, error);
    });
  }

  /** These, and no others. */
  async set(checks: Iterable<ServiceHealthCheck>): Promise<void> {
    this.#checks = new Map([...checks].map((check) => [String(check.port), check]));
    const open = (key: string) => listenHTTP({ port: Number(key) }, (_request, response) => this.#answer(key, response));
    await this.#ports.set(new Map([...this.#checks.keys()].map((key) => [key, () => open(key)])));
  }

  #answer(key: string, response: ServerResponse): void {
    const check = this.#checks.get(key);
    if (!check) {
      response.destroy(); // being closed
      return;
    }
    const { service, localEndpoints } = check;
    const serviceProxyHealthy = this.#options.isProxyHealthy();
    response.writeHead(localEndpoints > 0 && serviceProxyHealthy ? 200 : 503, {
      'Content-Type': 'application/json',
      'X-Content-Type-Options': 'nosniff',
      'X-Load-Balancing-Endpoint-Weight': localEndpoints,
    });
    response.end(JSON.stringify({ service, localEndpoints, serviceProxyHealthy }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ports[Symbol.asyncDispose]();
  }
}
