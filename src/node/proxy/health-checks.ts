/**
 * The health check node ports of services with externalTrafficPolicy Local: an HTTP server per service tells load
 * balancers whether this node has ready endpoints (200) or none (503). Upstream: pkg/proxy/healthcheck.
 */
import { createServer, type Server } from 'node:http';
import type { EndpointSlice, Service } from '../../api/generated/kinds.ts';
import type { Log } from '../../client/log.ts';
import { isOurs, readyHere } from './service-ports.ts';

export interface HealthCheck {
  readonly port: number;
  readonly service: { readonly namespace: string; readonly name: string };
  /** ready ones of this node */
  readonly localEndpoints: number;
}

export function planHealthCheck(service: Service, slices: readonly EndpointSlice[], nodeName: string): HealthCheck | undefined {
  const { spec, metadata } = service;
  const port = spec.healthCheckNodePort;
  if (!port || !isOurs(service) || spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') return undefined;
  const { namespace = '', name } = metadata;
  return { port, service: { namespace, name }, localEndpoints: readyHere(slices, nodeName).size };
}

export class HealthChecks implements AsyncDisposable {
  readonly #log: Log;
  readonly #open = new Map<number, { readonly server: Server; check: HealthCheck }>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** These, and no others. */
  async set(checks: readonly HealthCheck[]): Promise<void> {
    const wanted = new Map(checks.map((check) => [check.port, check]));
    await Promise.all([...this.#open.keys()].filter((port) => !wanted.has(port)).map((port) => this.#close(port)));
    for (const check of wanted.values()) {
      const known = this.#open.get(check.port);
      if (known) known.check = check;
      else this.#listen(check);
    }
  }

  #listen(check: HealthCheck): void {
    const { port } = check;
    const server = createServer((_request, response) => {
      const { service, localEndpoints } = this.#open.get(port)?.check ?? check;
      response.writeHead(localEndpoints > 0 ? 200 : 503, {
        'Content-Type': 'application/json',
        'X-Content-Type-Options': 'nosniff',
        'X-Load-Balancing-Endpoint-Weight': localEndpoints,
      });
      response.end(JSON.stringify({ service, localEndpoints, serviceProxyHealthy: true }));
    });
    server.on('error', (error) => {
      this.#log.warn({ error, ...check }, 'a health check port can not be served');
      this.#open.delete(port);
    });
    server.listen(port);
    this.#open.set(port, { server, check });
  }

  async #close(port: number): Promise<void> {
    const server = this.#open.get(port)?.server;
    this.#open.delete(port);
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.set([]);
  }
}
