/**
 * Follows every kind that the API server serves, as they come and go: built-in ones by the informers that everybody
 * shares, custom and aggregated ones by informers of its own, which stop with their kind.
 * Upstream: pkg/controller/garbagecollector/garbagecollector.go (Sync).
 */
import { APIService } from '../../../api/generated/kinds.ts';
import type { OwnerReference } from '../../../api/generated/meta-v1.ts';
import { builtInKinds } from '../../../api/kinds/all.ts';
import { apiVersionOf, groupOf, type KindRef, type KubeObject } from '../../../api/meta/object.ts';
import type { ControllerIO, Outcome } from '../../../client/controllers/controller.ts';
import { kindId } from '../../../client/controllers/tracked-client.ts';
import { detach } from '../../../client/detached.ts';
import type { Informer } from '../../../client/informers/informer.ts';
import { createInformer } from '../../../client/informers/informer-cache.ts';
import { type DiscoveredResource, discoverResources } from '../../../client/transport/discovery.ts';

/** How long the start waits for kinds that do not answer. */
const startMsMax = 30_000;
/** After a failed discovery, and while there are servers that may change what they serve without telling. */
const refreshMs = 30_000;

const builtIn: ReadonlySet<string> = new Set(builtInKinds.map(kindId));

const ignored = (kind: KindRef): boolean => kind.resource === 'events' && (kind.group === '' || kind.group === 'events.k8s.io');

export interface Follower {
  put(kind: KindRef, object: KubeObject): void;
  remove(object: KubeObject): void;
}

interface Followed {
  readonly kind: KindRef;
  readonly informer: Informer<KubeObject>;
  readonly resources: AsyncDisposableStack;
}

export class FollowedKinds {
  readonly #follower: Follower;
  readonly #io: ControllerIO;
  readonly #followed = new Map<string, Followed>();
  #kinds: readonly KindRef[] = [];
  #isStarted: boolean = false;

  constructor(io: ControllerIO, follower: Follower) {
    this.#io = io;
    this.#follower = follower;
    io.signal.addEventListener('abort', () => this.#stopSoon(), { once: true });
  }

  /** The resource behind an owner reference; of another version where that one is not served. */
  find({ apiVersion, kind }: OwnerReference): KindRef | undefined {
    const group = groupOf(apiVersion);
    const candidates = this.#kinds.filter((each) => each.kind === kind && each.group === group);
    return candidates.find((each) => apiVersionOf(each) === apiVersion) ?? candidates[0];
  }

  async refresh(io: ControllerIO): Promise<Outcome> {
    const { resources, failures } = await discoverResources(io.client);
    this.#kinds = resources;
    const wanted = new Map(resources.filter(isFollowable).map((kind) => [followedId(kind), kind]));
    const isFailed = (kind: KindRef): boolean => failures.some(({ groupVersion }) => groupVersion === apiVersionOf(kind));
    for (const [id, { kind, resources: held }] of this.#followed) {
      if (wanted.has(id) || isFailed(kind)) continue;
      this.#followed.delete(id);
      await held.disposeAsync();
    }
    const added = [...wanted].filter(([id]) => !this.#followed.has(id)).map(([id, kind]) => this.#start(id, kind));
    if (!this.#isStarted) {
      this.#isStarted = true;
      const patience = io.clock.sleep(startMsMax, io.signal).catch(() => undefined);
      await Promise.race([Promise.all(added.map(({ informer }) => informer.synced)), patience]);
    }
    for (const followed of added) this.#listen(followed);
    const isWatchful = failures.length > 0 || this.#aggregated().length > 0;
    return isWatchful ? { requeueAfterMs: refreshMs } : undefined;
  }

  #start(id: string, { group, version, kind: name, resource, namespaced }: DiscoveredResource): Followed {
    const kind: KindRef = { group, version, kind: name, resource, namespaced };
    const resources = new AsyncDisposableStack();
    const informer = this.#isForeign(kind)
      ? resources.use(createInformer(this.#io.client, kind, {}, this.#io))
      : this.#io.client.informer(kind);
    const followed = { kind, informer, resources };
    this.#followed.set(id, followed);
    return followed;
  }

  #listen({ kind, informer, resources }: Followed): void {
    if (resources.disposed) return;
    const handler = informer.on({
      added: (object) => this.#follower.put(kind, object),
      updated: (object) => this.#follower.put(kind, object),
      deleted: (object) => this.#follower.remove(object),
    });
    resources.use(handler);
  }

  /** Not built in, or served by somebody else: it may go. */
  #isForeign(kind: KindRef): boolean {
    if (!builtIn.has(kindId(kind))) return true;
    return this.#aggregated().some(({ spec }) => spec?.group === kind.group && spec.version === kind.version);
  }

  #aggregated(): readonly APIService[] {
    return this.#io.client
      .informer(APIService)
      .list()
      .filter(({ spec }) => spec?.service !== undefined);
  }

  #stopSoon(): void {
    detach(
      () => this.#stopAll(),
      (error) => this.#io.log.error({ error }, 'an informer did not stop'),
    );
  }

  async #stopAll(): Promise<void> {
    const all = [...this.#followed.values()];
    this.#followed.clear();
    await Promise.all(all.map(({ resources }) => resources.disposeAsync()));
  }
}

/** A custom resource may come again under its name, as another kind. */
const followedId = (kind: KindRef): string => `${kindId(kind)} ${kind.kind} ${kind.namespaced}`;

const isFollowable = (kind: DiscoveredResource): boolean =>
  !ignored(kind) && ['delete', 'list', 'watch'].every((verb) => kind.verbs.includes(verb));
