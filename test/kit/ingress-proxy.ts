/** The data plane on loopback ports, with back ends of the test's own: routes, endpoints and certificates are set by hand. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHTTP2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { SecureContext } from 'node:tls';
import { Backend } from '../../src/addons/gateway/backends.ts';
import { makeSelfSigned } from '../../src/addons/gateway/certificates.ts';
import { DataPlane } from '../../src/addons/gateway/data-plane.ts';
import { openUpstream } from '../../src/addons/gateway/open-upstream.ts';
import { type BackendProtocol, defaultPolicy, type RoutePolicy } from '../../src/addons/gateway/route-policy.ts';
import { type Matched, RouteTable } from '../../src/addons/gateway/route-table.ts';
import { realClock } from '../../src/client/clock.ts';
import { type Log, silentLog } from '../../src/client/log.ts';

interface TestRoute extends Matched {
  readonly owner: string;
  readonly policy: RoutePolicy;
  readonly backend: Backend | undefined;
}

export interface RouteOptions {
  readonly host?: string;
  readonly match?: Matched['match'];
  readonly policy?: Partial<RoutePolicy>;
  readonly ports?: readonly number[] | undefined;
  readonly protocol?: BackendProtocol;
}

export class IngressProxy implements AsyncDisposable {
  http = 0;
  https = 0;
  readonly contexts = new Map<string, SecureContext>();
  readonly #routes: TestRoute[] = [];
  readonly #stack = new AsyncDisposableStack();

  static async start(log: Log = silentLog, { headMs }: { readonly headMs?: number } = {}): Promise<IngressProxy> {
    const proxy = new IngressProxy();
    let table = new RouteTable<TestRoute>([]);
    const selfMade = makeSelfSigned(realClock.now());
    const plane = new DataPlane<TestRoute>({
      routing: {
        find: (host, path) => {
          table = new RouteTable(proxy.#routes);
          return table.find(host, path);
        },
        backendOf: ({ backend }) => backend,
      },
      certificates: { contextOf: (name) => proxy.contexts.get(name), selfMade: () => selfMade },
      clock: realClock,
      log,
      headMs,
    });
    proxy.#stack.use(plane);
    proxy.http = await plane.listen(['127.0.0.1'], [0], { isSecure: false });
    proxy.https = await plane.listen(['127.0.0.1'], [0], { isSecure: true });
    return proxy;
  }

  /** Gives what sets its endpoints: ports of 127.0.0.1. */
  route({ host = 'a.test', match = { type: 'prefix', path: '/' }, policy = {}, ports, protocol = 'http' }: RouteOptions) {
    const whole = { ...defaultPolicy, ...policy };
    const backend = new Backend((endpoint, by) => openUpstream(endpoint, by, whole.connectMs), realClock);
    const set = (now: readonly number[]): void =>
      backend.update({ protocol, endpoints: now.map((port) => ({ address: '127.0.0.1', port })) });
    set(ports ?? []);
    this.#routes.push({ host, match, owner: 'shop/web', policy: whole, backend });
    this.#stack.defer(() => backend.destroy());
    return set;
  }

  async serve(handler: RequestListener): Promise<Server & { readonly port: number }> {
    return this.use(createServer(handler));
  }

  async serveHTTP2(onStream: (stream: ServerHttp2Stream, headers: Record<string, string>) => void): Promise<number> {
    const server = createHTTP2Server();
    server.on('stream', (stream: ServerHttp2Stream, headers: object) => {
      stream.on('error', () => undefined);
      onStream(stream, headers as Record<string, string>);
    });
    return (await this.use(server)).port;
  }

  async use<S extends NetServer>(server: S): Promise<S & { readonly port: number }> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#stack.defer(() => {
      (server as unknown as Partial<Server>).closeAllConnections?.();
      server.close();
    });
    return Object.assign(server, { port: (server.address() as AddressInfo).port });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
