/**
 * The API server: a store, a watch cache, the request pipeline, and what hangs on it. Components in the same process
 * talk to it through `clientFor(identity)`; everybody else over HTTPS once it listens.
 *
 * Guarantee: created, it is ready: the cache shows the whole store. Disposed, it has no watcher, timer or socket left;
 * the store is the caller's to close.
 */
import type { KindRegistry } from '../../api/kinds/registry.ts';
import type { Client } from '../../client/client.ts';
import type { Clock, Random } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import type { Storage } from '../store/storage.ts';
import type { AdmissionPlugin } from './admission/plugin.ts';
import { AdmissionChain } from './admission-chain.ts';
import type { Authenticator, Credentials } from './authentication/authenticator.ts';
import type { Authorize } from './authorization/decide.ts';
import type { Core } from './core.ts';
import type { Allocator, ConnectEndpoint, FunctionEndpoint, PathEndpoint } from './endpoint.ts';
import { FunctionCalls } from './function-calls.ts';
import { InProcessClient } from './in-process-client.ts';
import { createObjectReader } from './object-reader.ts';
import { Pipeline } from './pipeline.ts';
import type { ObjectReader } from './reader.ts';
import type { UserInfo } from './request.ts';
import { cachedResourceOf, ServedKinds } from './served-kinds.ts';
import { SharedLeases } from './shared-leases.ts';
import { WatchCache } from './watch-cache.ts';

/** The server's own identity: what it does on its own account. */
export const loopbackUser: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

/** What the parts that hang on the server may use. */
export interface ServerContext {
  readonly reader: ObjectReader;
  /** the server's own client */
  readonly loopback: Client;
  readonly registry: KindRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** of all resources; for health checks */
  readonly cacheHealthy: () => boolean;
}

/** What hangs on the server. What is absent does not happen: without authorizer everything is allowed. */
export interface ServerParts {
  /** in order */
  readonly authenticators?: readonly Authenticator[];
  readonly authorize?: Authorize;
  /** After authentication: the user that the Impersonate-* headers ask for, or the same. */
  impersonate?(user: UserInfo, headers: Credentials['headers']): UserInfo | Promise<UserInfo>;
  /** in order */
  readonly admission?: readonly AdmissionPlugin[];
  readonly allocators?: readonly Allocator[];
  readonly pathEndpoints?: readonly PathEndpoint[];
  readonly functionEndpoints?: readonly FunctionEndpoint[];
  readonly connectEndpoints?: readonly ConnectEndpoint[];
}

export interface ApiServerOptions {
  readonly storage: Storage;
  readonly registry: KindRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Made once the cache is loaded. */
  readonly parts?: (context: ServerContext) => ServerParts | Promise<ServerParts>;
}

export interface ApiServer extends AsyncDisposable {
  readonly reader: ObjectReader;
  /** the server's own client */
  readonly loopback: Client;
  /** A client that acts as this user. Disposed with the server, if not before. */
  clientFor(user: UserInfo): Client;
}

export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { storage, registry, clock, random, log } = options;
  const cache = new WatchCache({ storage, clock, log });
  await cache.start(registry.storedKinds().map(cachedResourceOf));
  const server = new Server(options, cache);
  const context = { reader: server.reader, loopback: server.loopback, registry, clock, random, log, cacheHealthy: () => cache.healthy };
  server.assemble((await options.parts?.(context)) ?? {});
  return server;
}

const allowAll: Authorize = () => ({ verdict: 'allow', reason: '' });

class Server implements ApiServer {
  readonly reader: ObjectReader;
  readonly loopback: Client;
  readonly #options: ApiServerOptions;
  readonly #cache: WatchCache;
  readonly #kinds: ServedKinds;
  readonly #clients = new Set<Client>();
  readonly #stop = new AbortController();
  #pipeline: Pipeline | undefined;

  constructor(options: ApiServerOptions, cache: WatchCache) {
    this.#options = options;
    this.#cache = cache;
    this.#kinds = new ServedKinds(options.registry, cache);
    this.reader = createObjectReader((kind) => this.#kinds.view(kind));
    this.loopback = this.clientFor(loopbackUser);
  }

  assemble(parts: ServerParts): void {
    const { storage, clock, random, log } = this.#options;
    const core: Core = {
      storage,
      cache: this.#cache,
      kinds: this.#kinds,
      admission: new AdmissionChain(parts.admission ?? []),
      allocators: parts.allocators ?? [],
      leases: new SharedLeases(storage, clock),
      clock,
      random,
      log,
    };
    const functions = new FunctionCalls(core, parts.functionEndpoints ?? []);
    this.#pipeline = new Pipeline({ core, authorize: parts.authorize ?? allowAll, functions });
  }

  get pipeline(): Pipeline {
    if (!this.#pipeline) throw new Error('the server is still being put together');
    return this.#pipeline;
  }

  clientFor(user: UserInfo): Client {
    const { registry, clock, random, log } = this.#options;
    const handle: Pipeline['handle'] = (request, path) => this.pipeline.handle(request, path);
    const raw = (_user: UserInfo, path: string): Promise<unknown> => Promise.reject(new Error(path));
    const client = new InProcessClient({ pipeline: { handle }, registry, clock, random, log, raw, signal: this.#stop.signal }, user);
    this.#clients.add(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
    await this.#cache[Symbol.asyncDispose]();
  }
}
