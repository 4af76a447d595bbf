/**
 * The API server: a store, a watch cache, the request chain, and what hangs on it. Components in the same process
 * talk to it through `clientFor(identity)`; everybody else over HTTPS once it listens.
 *
 * Guarantee: created, it is ready: the cache shows the whole store. Disposed, it has no watcher, timer or socket left;
 * the store is the caller's to close.
 */

import type { KindRegistry } from '../../api/kinds/registry.ts';
import type { Client } from '../../client/client.ts';
import { type Clock, type Random, realClock, realRandom } from '../../client/clock.ts';
import type { ComputedResource, ServeComputed } from '../../client/computed-resource.ts';
import type { Log } from '../../client/log.ts';
import type { Storage } from '../store/storage.ts';
import { ActChannel } from './acts/act-channel.ts';
import { AdmissionChain } from './admission/admission-chain.ts';
import type { AdmissionPlugin } from './admission/plugin.ts';
import { Claims, claimResources } from './allocation/claims.ts';
import { Audit, type AuditSink } from './audit/audit.ts';
import type { AuditPolicy } from './audit/audit-policy.ts';
import type { AuthenticationRequest, Authenticator } from './authentication/authenticator.ts';
import type { Authorize } from './authorization/decide.ts';
import { createObjectReader } from './cache/object-reader.ts';
import { Periodic } from './cache/periodic.ts';
import type { ObjectReader } from './cache/reader.ts';
import { cachedResourceOf, ServedKinds } from './cache/served-kinds.ts';
import { WatchCache } from './cache/watch-cache.ts';
import { RequestChain } from './chain/chain.ts';
import { FlowControl } from './chain/flow-control.ts';
import { type AskBackend, performer } from './chain/perform.ts';
import { RequestMetrics } from './chain/request-metrics.ts';
import { Targets } from './chain/targets.ts';
import type { ConversionMetrics } from './extension/conversion-metrics.ts';
import { type Aggregation, Extension } from './extension/extension.ts';
import { HTTPHandler } from './http/http-handler.ts';
import { type Listening, type ListenOptions, listen } from './http/http-server.ts';
import { InProcessClient, type InProcessEnvironment } from './in-process-client.ts';
import type { ConnectEndpoint, CreateEndpoint } from './request/api-request.ts';
import type { NonResourceEndpoint } from './request/non-resource-endpoint.ts';
import type { UserInfo } from './request/request.ts';
import { groups } from './request/user.ts';
import type { WebhookClient } from './streaming/webhook-client.ts';
import { bindingEndpoints } from './verbs/bind-pod.ts';
import { componentStatuses } from './verbs/component-statuses.ts';
import { ComputedResources } from './verbs/computed-resources.ts';
import { evictionEndpoint } from './verbs/evict-pod.ts';
import { bookmarkPeriodMs } from './verbs/watch.ts';
import { type Allocator, Allocators } from './write/allocator.ts';
import { type ObjectOps, objectOps } from './write/object-ops.ts';
import { repairAllocations } from './write/repair-allocations.ts';
import { SharedLeases } from './write/shared-leases.ts';
import { Turns } from './write/turns.ts';
import type { VerbContext } from './write/verb-context.ts';

/** The server's own identity: what it does on its own account. */
export const loopbackUser: UserInfo = { name: 'system:apiserver', groups: [groups.masters, groups.authenticated] };

/** What the parts that hang on the server may use. */
export interface ServerContext {
  readonly reader: ObjectReader;
  readonly ops: ObjectOps;
  readonly claims: Claims;
  /** the server's own client */
  readonly loopback: Client;
  readonly registry: KindRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: RequestMetrics;
  readonly flow: FlowControl;
  readonly acts: ActChannel;
  /** changes what is served */
  readonly kinds: KindChanges;
  /** false: the cache has lost the store, and is being loaded again */
  readonly isHealthy: () => boolean;
  /** APIServices of its own that the start has not made yet */
  readonly unregistered: () => readonly string[];
}

/** What hangs on the server. What is absent does not happen: without authorizer everything is allowed. */
export interface ServerParts {
  /** in order */
  readonly authenticators?: readonly Authenticator[];
  readonly authorize?: Authorize;
  /** After authentication: the user that the Impersonate-* headers ask for, or the same. */
  impersonate?(user: UserInfo, headers: AuthenticationRequest['headers']): UserInfo | Promise<UserInfo>;
  /** in order */
  readonly admission?: readonly AdmissionPlugin[];
  readonly allocators?: readonly Allocator[];
  readonly nonResourceEndpoints?: readonly NonResourceEndpoint[];
  readonly createEndpoints?: readonly CreateEndpoint[];
  readonly connectEndpoints?: readonly ConnectEndpoint[];
  /** answers for the group-versions of other servers */
  readonly backends?: AskBackend | undefined;
  /** asks the webhooks that convert custom resources; absent: they are not called */
  readonly webhooks?: Pick<WebhookClient, 'post'> | undefined;
  readonly conversionMetrics?: ConversionMetrics | undefined;
  readonly audit?: { readonly policy: AuditPolicy; readonly sink: AuditSink } | undefined;
}

export interface ApiServerOptions {
  readonly storage: Storage;
  readonly registry: KindRegistry;
  readonly clock: Clock;
  /** what connections and their requests wait by; default: the real one, where their other end lives */
  readonly wireClock?: Clock;
  readonly random: Random;
  readonly log: Log;
  /** how other servers are reached; absent: they are not */
  readonly aggregation?: Aggregation | undefined;
  /** for readers of acts that read from the server before this one */
  readonly keepsFirstActs?: boolean | undefined;
  /** Made once the cache is loaded. */
  readonly parts?: (context: ServerContext) => ServerParts | Promise<ServerParts>;
}

export type KindChanges = Pick<ServedKinds, 'put' | 'remove' | 'putBackend' | 'removeBackend'>;

export interface ApiServer extends AsyncDisposable {
  readonly reader: ObjectReader;
  /** the server's own client */
  readonly loopback: Client;
  /** what is done through it */
  readonly acts: Pick<ActChannel, 'subscribe'>;
  /** changes what is served, while requests run */
  readonly kinds: KindChanges;
  /** Serves what is computed elsewhere in the process. */
  readonly serve: ServeComputed;
  /** A client that acts as this user. Disposed with the server, if not before. */
  clientFor(user: UserInfo): Client;
  /** Opens a port; may be called more than once. Closed with the server, if not before. */
  listen(options: ListenOptions): Promise<Listening>;
}

export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { storage, registry, clock, random, log } = options;
  const cache = new WatchCache({ storage, clock, log });
  await cache.start([...registry.current.storedKinds().map(cachedResourceOf), ...claimResources]);
  const server = new Server(options, cache);
  await server.extension.load();
  const context: ServerContext = {
    reader: server.reader,
    ops: server.ops,
    claims: server.claims,
    loopback: server.loopback,
    registry,
    clock,
    random,
    log,
    metrics: server.metrics,
    flow: server.flow,
    acts: server.acts,
    kinds: server.kinds,
    isHealthy: () => cache.healthy,
    unregistered: () => server.extension.unregistered(),
  };
  await server.assemble((await options.parts?.(context)) ?? {});
  return server;
}

const allowAll: Authorize = () => ({ verdict: 'allow', reason: '' });

class Server implements ApiServer {
  readonly reader: ObjectReader;
  readonly ops: ObjectOps;
  readonly claims: Claims;
  readonly loopback: Client;
  readonly #options: ApiServerOptions;
  readonly #cache: WatchCache;
  readonly kinds: ServedKinds;
  readonly #clients = new Set<Client>();
  readonly #stop = new AbortController();
  readonly metrics = new RequestMetrics();
  readonly flow = new FlowControl();
  readonly acts: ActChannel;
  readonly extension: Extension;
  readonly #listening = new Set<Listening>();
  readonly #computed = new ComputedResources([componentStatuses(() => this.#cache.healthy)]);
  #assembled: Assembled | undefined;
  readonly #starting = Promise.withResolvers<void>();

  constructor(options: ApiServerOptions, cache: WatchCache) {
    this.#options = options;
    this.#cache = cache;
    this.kinds = new ServedKinds(options.registry, cache);
    this.acts = new ActChannel(options.clock, this.kinds, { keepsFirst: options.keepsFirstActs });
    this.reader = createObjectReader(this.kinds);
    this.ops = objectOps(this.kinds, options);
    this.claims = new Claims(cache);
    this.loopback = this.#clientOf(loopbackUser, { watchesLast: true }); // what it watches would else cost each minute of a virtual year
    const { kinds, reader, claims, loopback: client } = this;
    this.extension = new Extension({ ...options, kinds, reader, claims, client, user: loopbackUser });
  }

  async assemble(parts: ServerParts): Promise<void> {
    const { storage, clock, random, log } = this.#options;
    const server: VerbContext = {
      storage,
      cache: this.#cache,
      kinds: this.kinds,
      authorize: parts.authorize ?? allowAll,
      admission: new AdmissionChain([...this.extension.admission, ...(parts.admission ?? [])]),
      allocators: new Allocators([...this.extension.allocators, ...(parts.allocators ?? [])]),
      turns: new Turns(),
      acts: this.acts,
      leases: new SharedLeases(storage, clock),
      bookmarks: new Periodic(clock, bookmarkPeriodMs),
      clock,
      random,
      log,
    };
    const targets = new Targets({
      registry: this.#options.registry,
      createEndpoints: [...bindingEndpoints(server), evictionEndpoint(server), ...(parts.createEndpoints ?? [])],
      paths: parts.nonResourceEndpoints ?? [],
      connections: parts.connectEndpoints ?? [],
      coming: (resource) => this.extension.coming(resource),
    });
    const wireClock = this.#options.wireClock ?? realClock;
    const chain = new RequestChain({
      flow: this.flow,
      authorize: parts.authorize ?? allowAll,
      perform: performer({
        server,
        targets,
        computed: this.#computed,
        backends: parts.backends ?? this.extension.backends,
        backendClient: (backend, user) => this.extension.clientOf(backend, user),
      }),
      audit: parts.audit && new Audit({ ...parts.audit, clock }),
      acts: this.acts,
      metrics: this.metrics,
      clock,
      wireClock,
      log,
    });
    const handler = new HTTPHandler({
      chain,
      targets,
      authenticate: authenticateBy(parts.authenticators ?? []),
      impersonate: parts.impersonate ?? ((user) => user),
      clock,
      wireClock,
      random: realRandom, // whoever asks over the wire changes nothing of a cluster that a seed makes
    });
    this.#assembled = { targets, chain, handler };
    this.#starting.resolve();
    await repairAllocations(server);
    this.extension.start({ server, webhooks: parts.webhooks, conversionMetrics: parts.conversionMetrics });
  }

  get #parts(): Assembled {
    if (!this.#assembled) throw new Error('the server is still being put together');
    return this.#assembled;
  }

  async serve(resources: readonly ComputedResource[]): Promise<AsyncDisposable> {
    await using served = new AsyncDisposableStack();
    for (const resource of resources) {
      const { kind } = resource;
      served.use(this.#computed.add(resource));
      served.defer(async () => {
        await this.kinds.remove(kind);
      });
      await this.kinds.put({ group: kind.group, resource: kind.resource, versions: [kind], stored: kind });
    }
    return served.move();
  }

  clientFor(user: UserInfo): Client {
    return this.#clientOf(user);
  }

  #clientOf(user: UserInfo, how: Pick<InProcessEnvironment, 'watchesLast'> = {}): Client {
    const { clock, random, log } = this.#options;
    const starting = (): Promise<void> | undefined => (this.#assembled ? undefined : this.#starting.promise);
    const targets = (): Targets => this.#parts.targets;
    const answer: RequestChain['answer'] = (request) => this.#parts.chain.answer(request);
    const client = new InProcessClient(
      {
        starting,
        targets,
        answer,
        backend: ({ group, version }) => this.#options.registry.current.backend(group, version),
        ...how,
        clock,
        random,
        log,
        signal: this.#stop.signal,
      },
      user,
    );
    this.#clients.add(client);
    return client;
  }

  async listen(options: ListenOptions): Promise<Listening> {
    const { log, wireClock = realClock } = this.#options;
    const stopWatches = (): void => {
      for (const cache of this.#cache.resources()) cache.endWatchers();
      this.acts.end();
    };
    const listening = await listen(this.#parts.handler, options, { clock: wireClock, log, stopWatches });
    this.#listening.add(listening);
    return listening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#listening].map((listening) => listening.close()));
    await this.extension[Symbol.asyncDispose]();
    this.#stop.abort();
    this.acts.end();
    this.#assembled?.handler[Symbol.dispose]();
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
    await this.#cache[Symbol.asyncDispose]();
  }
}

interface Assembled {
  readonly targets: Targets;
  readonly chain: RequestChain;
  readonly handler: HTTPHandler;
}

/** The first authenticator that knows the credentials decides. */
function authenticateBy(
  authenticators: readonly Authenticator[],
): (credentials: AuthenticationRequest) => UserInfo | undefined | Promise<UserInfo | undefined> {
  const from = (index: number, credentials: AuthenticationRequest): UserInfo | undefined | Promise<UserInfo | undefined> => {
    for (let i = index; i < authenticators.length; i++) {
      const user = authenticators[i]?.authenticate(credentials);
      if (user instanceof Promise) return user.then((found) => found ?? from(i + 1, credentials));
      if (user) return user;
    }
    return undefined;
  };
  return (credentials) => from(0, credentials);
}
