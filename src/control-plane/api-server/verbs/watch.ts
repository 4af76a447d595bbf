/**
 * Watch: initial state if asked for, then what was missed, then live events, without a gap.
 *
 * What was missed comes from the cache's ring, else from the store's history; what has been compacted is told as an
 * Expired error event. A selector turns changes into and out of the selection into ADDED and DELETED. A client that
 * does not keep up has no queue that grows: it misses, and catches up when it reads again. A watch lasts until its
 * timeoutSeconds: over the wire there always are some (http-wire.ts), in process only when asked for.
 * Upstream: apiserver/pkg/storage/cacher, apiserver/pkg/endpoints/handlers/watch.go.
 */
import type { Status } from '../../../api/generated/meta-v1.ts';
import { errors, isStatusError, messageOf } from '../../../api/meta/status-error.ts';
import { detach } from '../../../client/detached.ts';
import { CompactedError, type Revision } from '../../store/storage.ts';
import { CacheEvent } from '../cache/cache-event.ts';
import type { CacheWatcher, WatchScope } from '../cache/resource-cache.ts';
import { parseRevision } from '../cache/resource-version.ts';
import type { ServedKind } from '../cache/served-kinds.ts';
import { StoredObject } from '../cache/stored-object.ts';
import type { ResourceAnswer, WatchAnswer, WatchSink } from '../request/answer.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import type { RequestOptions } from '../request/request.ts';
import { isLarge, largeBytes, yieldTurn } from '../request/yield-turn.ts';
import type { VerbContext } from '../write/verb-context.ts';
import { checkWatchOptions } from './list-options.ts';
import { parseSelection, type Selection } from './selection.ts';

export const bookmarkPeriodMs = 60_000;

export async function watch(server: VerbContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const { options } = request;
  checkWatchOptions(options);
  const served = server.kinds.of(request.target.kind);
  if (isLarge(request)) await yieldTurn();
  const selection = parseSelection(request);
  const asked = parseRevision(options.resourceVersion);
  const start = planWatchStart(options, asked);
  const behind = start.after === undefined ? server.cache.behind(asked, request.signal) : undefined;
  if (behind) await behind;
  return { type: 'watch', code: 200, watch: new Watcher(server, served, selection, start, request) };
}

export interface WatchStart {
  /** first an ADDED for everything that is there */
  readonly initial: boolean;
  /** and then a bookmark that says so */
  readonly initialEnd: boolean;
  /** Events after this revision; undefined: after now. */
  readonly after?: Revision;
}

/** How a watch begins, by its resourceVersion and sendInitialEvents. Pure. */
export function planWatchStart(options: RequestOptions, asked: Revision | undefined): WatchStart {
  const { sendInitialEvents } = options;
  if (asked && !sendInitialEvents) return { initial: false, initialEnd: false, after: asked };
  const initial = sendInitialEvents ?? true;
  return { initial, initialEnd: initial && (options.allowWatchBookmarks ?? false) };
}

class Watcher implements CacheWatcher, WatchAnswer {
  readonly scope: WatchScope;
  readonly #server: VerbContext;
  readonly #served: ServedKind;
  readonly #matches: ((stored: StoredObject) => boolean) | undefined;
  readonly #start: WatchStart;
  readonly #request: ResourceRequest;
  readonly #timers: Disposable[] = [];
  readonly #stop = new AbortController();
  readonly #onAbort = (): void => this.stop();
  #sink: WatchSink | undefined;
  #registration: Disposable | undefined;
  /** Events up to this revision have been told. Not kept while the watch is live. */
  #seen: Revision = 0;
  #isPausing: boolean = false;

  constructor(server: VerbContext, served: ServedKind, selection: Selection, start: WatchStart, request: ResourceRequest) {
    this.#server = server;
    this.#served = served;
    this.scope = selection;
    const { matches } = selection;
    this.#matches = matches && ((stored) => matches(served.asServed(stored).object));
    this.#start = start;
    this.#request = request;
  }

  start(sink: WatchSink): void {
    this.#sink = sink;
    // A kind that has changed since the request began is watched as it is now, by another request.
    const isCurrent = this.#server.kinds.served.has(this.#served.kind) && this.#served.cache.begin(this);
    if (!isCurrent || this.#request.signal.aborted || this.#server.cache.signal.aborted) {
      this.end();
      return;
    }
    this.#request.signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#seen = this.#start.after ?? this.#server.cache.revision;
    this.#setTimers();
    this.#runSoon(this.#start.initial);
  }

  take(event: CacheEvent): void {
    if (event.revision <= this.#seen) return;
    if (this.#served.kind.convertRemotely && this.#converting([event])) {
      this.#pauseBefore(event);
      return;
    }
    try {
      this.#send(event);
    } catch (error) {
      this.end(this.#statusOf(error)); // this watch only: others have to hear of the event
    }
    if (!this.#sink?.full || this.#isPausing) return;
    // What the store wrote together is told to its end.
    this.#isPausing = true;
    queueMicrotask(() => this.#pause());
  }

  stop(): void {
    this.end();
  }

  end(status?: Status): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#stop.abort();
    this.#served.cache.leave(this);
    this.#registration?.[Symbol.dispose]();
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#request.signal.removeEventListener('abort', this.#onAbort);
    sink?.end(status);
  }

  #runSoon(initial: boolean): void {
    detach(
      () => this.#run(initial),
      (error) => this.#server.log.error({ error, resource: this.#served.kind.resource }, 'a watch failed'),
    );
  }

  /** Until the watch is live, or at its end. */
  async #run(initial: boolean): Promise<void> {
    try {
      if (initial) await this.#sendInitial();
      while (this.#sink && !this.#registration) {
        if (this.#sink.full) await this.#sink.full;
        const converting = this.#served.kind.convertRemotely && this.#converting(this.#served.cache.eventsSince(this.#seen) ?? []);
        if (converting) await converting;
        else if (!this.#catchUp()) await this.#replay();
      }
    } catch (error) {
      this.end(this.#statusOf(error));
    }
  }

  #pause(): void {
    this.#isPausing = false;
    if (!this.#registration) return;
    this.#registration[Symbol.dispose]();
    this.#registration = undefined;
    this.#seen = this.#server.cache.revision;
    this.#runSoon(false);
  }

  /** Somebody else has to convert it first: it is missed now, and caught up with. */
  #pauseBefore({ revision }: CacheEvent): void {
    this.#registration?.[Symbol.dispose]();
    this.#registration = undefined;
    this.#seen = revision - 1;
    this.#runSoon(false);
  }

  /** What `#send` of these events has to wait for. */
  #converting(events: readonly CacheEvent[]): Promise<unknown> | undefined {
    return this.#served.converted(events.flatMap((event) => event.versions));
  }

  async #sendInitial(): Promise<void> {
    const { namespace, name } = this.scope;
    const revision = this.#seen;
    const named = name !== undefined && (namespace !== undefined || !this.#served.kind.namespaced) && this.#served.find(namespace, name);
    const objects = named === false || named === undefined ? [...this.#served.cache.sorted(namespace)] : [named];
    const converting = this.#served.converted(objects);
    if (converting) await converting;
    for (const stored of objects) {
      if (this.#matches && !this.#matches(stored)) continue;
      if (stored.size > largeBytes) await yieldTurn();
      this.#sink?.event('ADDED', this.#served.asServed(stored), undefined);
      if (this.#sink?.full) await this.#sink.full;
      if (!this.#sink) return;
    }
    if (this.#start.initialEnd) this.#sink?.bookmark(revision, true);
  }

  /** From the cache's ring; false when it no longer has what is missing. */
  #catchUp(): boolean {
    const missed = this.#served.cache.eventsSince(this.#seen);
    if (!missed) return false;
    for (const event of missed) {
      if (event.revision > this.#seen && this.#sink?.full) return true;
      this.#send(event);
      this.#seen = event.revision;
    }
    if (this.#sink) this.#registration = this.#served.cache.addWatcher(this);
    return true;
  }

  #send(event: CacheEvent): void {
    const seen = event.seenBy(this.#matches);
    if (seen) this.#sink?.event(seen.type, this.#served.asServed(seen.object), event);
  }

  /** From the store's history until the cache's ring can go on. */
  async #replay(): Promise<void> {
    const { prefix } = this.#served.cache;
    for await (const batch of this.#server.storage.watch({ prefix, revision: this.#seen }, this.#stop.signal)) {
      const events = batch.events.map(
        ({ revision, current, previous }) =>
          new CacheEvent(revision, current && StoredObject.from(current), previous && StoredObject.from(previous)),
      );
      const converting = this.#served.kind.convertRemotely && this.#converting(events);
      if (converting) await converting;
      for (const event of events) this.#send(event);
      await this.#server.cache.caughtUp(batch.revision);
      this.#seen = batch.revision;
      if (this.#sink?.full) await this.#sink.full;
      if (this.#served.cache.eventsSince(this.#seen)) return;
    }
    this.end();
  }

  #statusOf(error: unknown): Status {
    if (error instanceof CompactedError)
      return errors.expired(`too old resource version: ${this.#seen} (${this.#server.storage.compactedRevision})`).status;
    if (isStatusError(error)) return error.status;
    this.#server.log.error({ error, resource: this.#served.kind.resource }, 'a watch failed');
    return errors.internal(messageOf(error)).status;
  }

  #setTimers(): void {
    const { timeoutSeconds, allowWatchBookmarks } = this.#request.options;
    const finish = (): void => {
      if (allowWatchBookmarks) this.#bookmark();
      this.end();
    };
    if (timeoutSeconds) this.#timers.push(this.#server.clock.setTimeout(finish, timeoutSeconds * 1000));
    if (allowWatchBookmarks) this.#timers.push(this.#server.bookmarks.add(() => this.#bookmark()));
  }

  #bookmark(): void {
    // Before the watch is live it may still miss events up to the cache's revision.
    if (this.#registration) this.#sink?.bookmark(this.#server.cache.revision, false);
  }
}
