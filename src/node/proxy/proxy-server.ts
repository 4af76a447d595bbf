/**
 * The two ports on which a proxy tells how it is, as kube-proxy's: 10256 for load balancers (`/healthz`, `/livez`), on the
 * node's address and on loopback, and 10249 on loopback alone (`/healthz`, `/proxyMode`, `/metrics`).
 *
 * Clusters that run side by side on one machine have node addresses of their own, but one loopback: there the first one
 * answers, and the others say in their logs that they don't. Nothing else depends on these ports.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import type { Log } from '../../client/log.ts';
import { listenHTTP, type Opener, OpenPorts } from './open-ports.ts';
import type { ProxyHealth } from './proxy-health.ts';
import type { ProxyMetrics } from './proxy-metrics.ts';

export const proxyPorts = { health: 10_256, status: 10_249 } as const;
const loopback = '127.0.0.1';

export interface ProxyServerOptions {
  /** the node's own; absent: every address */
  readonly address: string | undefined;
  readonly health: ProxyHealth;
  readonly metrics: ProxyMetrics;
  readonly registry: Registry;
  readonly log: Log;
  /** default: upstream's */
  readonly ports?: { readonly health: number; readonly status: number };
}

export class ProxyServer implements AsyncDisposable {
  readonly #open: OpenPorts;
  readonly #openers: ReadonlyMap<string, Opener>;

  constructor({ address, log, ports = proxyPorts, ...told }: ProxyServerOptions) {
    const hosts = address === undefined ? ['0.0.0.0'] : [...new Set([address, loopback])];
    const listeners = [
      ...hosts.map((host) => ({ host, port: ports.health, answer: healthAnswers(told) })),
      { host: loopback, port: ports.status, answer: statusAnswers(told) },
    ];
    this.#openers = new Map(listeners.map(({ answer, ...at }) => [`${at.host}:${at.port}`, () => listenHTTP(at, answer)]));
    this.#open = new OpenPorts((key, error) => log.warn({ error, address: key }, 'the proxy can not tell its health there'));
  }

  /** Resolves when it listens where it can. What it could not have is tried again when this is called again. */
  listen(): Promise<void> {
    return this.#open.set(this.#openers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open[Symbol.asyncDispose]();
  }
}

type Told = Pick<ProxyServerOptions, 'health' | 'metrics' | 'registry'>;
const notFound = (response: ServerResponse): unknown => response.writeHead(404, text).end('404 page not found\n');
const text = { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' };
const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1)[0] ?? '';

const healthAnswers =
  ({ health, metrics }: Told): RequestListener =>
  (request, response) => {
    const path = pathOf(request);
    if (path !== '/healthz' && path !== '/livez') return notFound(response);
    const { status, body } = health.answer(path);
    metrics.asked(path, status);
    response.writeHead(status, { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' });
    response.end(JSON.stringify(body));
  };

const statusAnswers =
  ({ registry }: Told): RequestListener =>
  (request, response) => {
    const path = pathOf(request);
    if (path === '/healthz') return response.writeHead(200, text).end('ok');
    if (path === '/proxyMode') return response.writeHead(200, text).end('nftables');
    if (path !== '/metrics') return notFound(response);
    registry.metrics().then(
      (series) => response.writeHead(200, { 'Content-Type': registry.contentType }).end(series),
      () => response.writeHead(500, text).end('the series can not be read\n'),
    );
  };
