/**
 * Watch: initial state if asked for, then what was missed, then live events, without a gap.
 *
 * What was missed comes from the cache's ring, else from the store's history; what has been compacted is told as an
 * Expired error event. A selector turns changes into and out of the selection into ADDED and DELETED. A watcher that
 * does not keep up is ended.
 * Upstream: apiserver/pkg/storage/cacher, apiserver/pkg/endpoints/handlers/watch.go.
 */
import type { Status } from '../../api/generated/meta-v1.ts';
import { errors, isStatusError } from '../../api/meta/status-error.ts';
import { CompactedError, type Revision } from '../store/storage.ts';
import { CacheEvent } from './cache-event.ts';
import type { Core } from './core.ts';
import { checkWatchOptions } from './list-options.ts';
import type { CacheWatcher, WatchScope } from './resource-cache.ts';
import type { Answer, RequestOptions, ResourceRequest, WatchAnswer, WatchSink } from './resource-request.ts';
import { awaitRevision, parseRevision } from './revision-wait.ts';
import { parseSelection, type Selection } from './selection.ts';
import type { ServedKind } from './served-kinds.ts';
import { StoredObject } from './stored-object.ts';

/** A watch without timeoutSeconds lives for this long, up to twice as long by chance. */
const timeoutMinMs = 1_800_000;
export const bookmarkPeriodMs = 60_000;
/** Events that a client may leave untaken. */
export const watchBacklogMax = 10_000;

export async function watch(core: Core, request: ResourceRequest): Promise<Answer> {
  const { options } = request;
  checkWatchOptions(options);
  const served = core.kinds.of(request.kind);
  const selection = parseSelection(request);
  const asked = parseRevision(options.resourceVersion);
  const start = planStart(options, asked);
  if (start.initial && asked) await awaitRevision(core, asked, request.signal);
  return { type: 'watch', code: 200, watch: new Watcher(core, served, selection, start, request) };
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
export function planStart(options: RequestOptions, asked: Revision | undefined): WatchStart {
  const { sendInitialEvents } = options;
  if (asked && !sendInitialEvents) return { initial: false, initialEnd: false, after: asked };
  const initial = sendInitialEvents ?? true;
  return { initial, initialEnd: initial && (options.allowWatchBookmarks ?? false) };
}

class Watcher implements CacheWatcher, WatchAnswer {
  readonly scope: WatchScope;
  readonly #core: Core;
  readonly #served: ServedKind;
  readonly #matches: ((stored: StoredObject) => boolean) | undefined;
  readonly #start: WatchStart;
  readonly #request: ResourceRequest;
  readonly #timers: Disposable[] = [];
  readonly #stop = new AbortController();
  readonly #onAbort = (): void => this.stop();
  #sink: WatchSink | undefined;
  #registration: Disposable | undefined;
  /** Events up to this revision have been seen. */
  #seen: Revision = 0;

  constructor(core: Core, served: ServedKind, selection: Selection, start: WatchStart, request: ResourceRequest) {
    this.#core = core;
    this.#served = served;
    this.scope = selection;
    const { matches } = selection;
    this.#matches = matches && ((stored) => matches(served.see(stored).object));
    this.#start = start;
    this.#request = request;
  }

  start(sink: WatchSink): void {
    this.#sink = sink;
    if (this.#request.signal.aborted || this.#core.cache.signal.aborted) {
      this.end();
      return;
    }
    this.#request.signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#setTimers();
    const now = this.#core.cache.revision;
    const { after = now } = this.#start;
    this.#seen = after;
    if (this.#start.initial) this.#sendInitial(now);
    const missed = this.#served.cache.eventsSince(after);
    if (missed) this.#goLive(missed);
    else void this.#replay(after);
  }

  take(event: CacheEvent): void {
    if (event.revision <= this.#seen) return;
    this.#send(event);
    if (this.#sink && this.#sink.backlog > watchBacklogMax) this.end();
  }

  stop(): void {
    this.end();
  }

  end(status?: Status): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#stop.abort();
    this.#registration?.[Symbol.dispose]();
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#request.signal.removeEventListener('abort', this.#onAbort);
    sink?.end(status);
  }

  #sendInitial(revision: Revision): void {
    const { namespace, name } = this.scope;
    const named = name !== undefined && (namespace !== undefined || !this.#served.kind.namespaced) && this.#served.find(namespace, name);
    const objects = named === false || named === undefined ? this.#served.cache.sorted(namespace) : [named];
    for (const stored of objects) {
      if (!this.#matches || this.#matches(stored)) this.#sink?.event('ADDED', this.#served.see(stored), undefined);
    }
    if (this.#start.initialEnd) this.#sink?.bookmark(revision, true);
  }

  #goLive(missed: readonly CacheEvent[]): void {
    for (const event of missed) this.#send(event);
    if (this.#sink) this.#registration = this.#served.cache.addWatcher(this);
  }

  #send(event: CacheEvent): void {
    const seen = event.seenBy(this.#matches);
    if (seen) this.#sink?.event(seen.type, this.#served.see(seen.object), event);
  }

  /** From the store's history until the cache's ring can go on. */
  async #replay(after: Revision): Promise<void> {
    const { prefix } = this.#served.cache;
    try {
      for await (const batch of this.#core.storage.watch({ prefix, revision: after }, this.#stop.signal)) {
        for (const { revision, current, previous } of batch.events) {
          this.#send(new CacheEvent(revision, current && StoredObject.from(current), previous && StoredObject.from(previous)));
        }
        await this.#core.cache.caughtUp(batch.revision);
        this.#seen = batch.revision;
        const missed = this.#served.cache.eventsSince(batch.revision);
        if (missed) return this.#goLive(missed);
      }
      this.end();
    } catch (error) {
      this.end(this.#statusOf(error, after));
    }
  }

  #statusOf(error: unknown, after: Revision): Status {
    if (error instanceof CompactedError)
      return errors.expired(`too old resource version: ${after} (${this.#core.storage.compactedRevision})`).status;
    if (isStatusError(error)) return error.status;
    this.#core.log.error({ error, resource: this.#served.kind.resource }, 'a watch failed');
    return errors.internal(error instanceof Error ? error.message : String(error)).status;
  }

  #setTimers(): void {
    const { clock, random } = this.#core;
    const { timeoutSeconds, allowWatchBookmarks } = this.#request.options;
    const timeoutMs = timeoutSeconds ? timeoutSeconds * 1000 : timeoutMinMs * (1 + random.next());
    const finish = (): void => {
      if (allowWatchBookmarks) this.#bookmark();
      this.end();
    };
    this.#timers.push(clock.setTimeout(finish, timeoutMs));
    if (allowWatchBookmarks) this.#timers.push(this.#core.bookmarks.add(() => this.#bookmark()));
  }

  #bookmark(): void {
    // Before the watch is live it may still miss events up to the cache's revision.
    if (this.#registration) this.#sink?.bookmark(this.#core.cache.revision, false);
  }
}
