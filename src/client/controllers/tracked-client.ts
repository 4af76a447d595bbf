/**
 * A client that remembers what was written through it, so that the next reconcile can wait until the caches show it.
 * This is what keeps a controller from acting twice on a stale cache; it takes the place of upstream's expectations.
 *
 * Per kind only the newest write is kept: caches take changes in the order of their revisions. Deletes that leave
 * nothing behind are kept one by one. Calls without a signal of their own end with the controller's.
 */
import type { Status } from '../../api/generated/meta-v1.ts';
import { type KindRef, type KubeObject, keyOf, type ListOf, type New, type ObjectName } from '../../api/meta/object.ts';
import type {
  Client,
  DeleteRequest,
  GetOptions,
  ListOptions,
  Patch,
  RawOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../client.ts';
import type { Informer, InformerOptions, Written } from '../informers/informer.ts';

/** The informers whose kinds are worth remembering, by `kindId`. */
export type TrackedInformers = ReadonlyMap<string, Informer<KubeObject>>;

export const kindId = (kind: KindRef): string => `${kind.group}/${kind.version}/${kind.resource}`;

export class Writes {
  readonly #informers: TrackedInformers;
  readonly #newest = new Map<string, Written>();
  #gone: { readonly id: string; readonly write: Written }[] = [];

  constructor(informers: TrackedInformers) {
    this.#informers = informers;
  }

  wrote(kind: KindRef, object: KubeObject): void {
    const id = kindId(kind);
    const { uid, resourceVersion } = object.metadata;
    if (!uid || !resourceVersion || !this.#informers.has(id)) return;
    const before = this.#newest.get(id);
    if (before && Number(before.resourceVersion) >= Number(resourceVersion)) return;
    this.#newest.set(id, { key: keyOf(object), uid, resourceVersion });
  }

  deleted(kind: KindRef, at: ObjectName): void {
    const id = kindId(kind);
    const key = keyOf({ metadata: at });
    const uid = this.#informers.get(id)?.get(key)?.metadata.uid;
    if (uid) this.#gone.push({ id, write: { key, uid } });
  }

  /** Whether the caches show everything; forgets what they show. */
  get areShown(): boolean {
    for (const [id, write] of this.#newest) if (this.#informers.get(id)?.shows(write) !== false) this.#newest.delete(id);
    this.#gone = this.#gone.filter(({ id, write }) => this.#informers.get(id)?.shows(write) === false);
    return this.#newest.size === 0 && this.#gone.length === 0;
  }

  async shown(): Promise<void> {
    const all = [...this.#newest].map(([id, write]) => ({ id, write })).concat(this.#gone);
    await Promise.all(all.map(({ id, write }) => this.#informers.get(id)?.whenShown(write)));
  }
}

export interface TrackedClientOptions {
  /** acts, with the controller's own rights */
  readonly client: Client;
  /** whose informers are shared */
  readonly reader: Client;
  readonly writes: Writes;
  readonly signal: AbortSignal;
}

export class TrackedClient implements Client {
  readonly #client: Client;
  readonly #reader: Client;
  readonly #writes: Writes;
  readonly #signal: AbortSignal;

  constructor(options: TrackedClientOptions) {
    this.#client = options.client;
    this.#reader = options.reader;
    this.#writes = options.writes;
    this.#signal = options.signal;
  }

  get<T extends KubeObject>(kind: KindRef<T>, at: ObjectName, options?: GetOptions): Promise<T> {
    return this.#client.get(kind, at, this.#ending(options));
  }
  list<T extends KubeObject>(kind: KindRef<T>, options?: ListOptions): Promise<ListOf<T>> {
    return this.#client.list(kind, this.#ending(options));
  }
  watch<T extends KubeObject>(kind: KindRef<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>> {
    return this.#client.watch(kind, this.#ending(options));
  }
  async create<T extends KubeObject>(kind: KindRef<T>, object: New<T>, options?: WriteOptions): Promise<T> {
    const created = await this.#client.create(kind, object, this.#ending(options));
    if (!options?.dryRun) this.#writes.wrote(kind, created);
    return created;
  }
  async update<T extends KubeObject>(kind: KindRef<T>, object: T, options?: WriteOptions): Promise<T> {
    const updated = await this.#client.update(kind, object, this.#ending(options));
    if (!options?.dryRun) this.#writes.wrote(kind, updated);
    return updated;
  }
  async patch<T extends KubeObject>(kind: KindRef<T>, at: ObjectName, patch: Patch, options?: WriteOptions): Promise<T> {
    const patched = await this.#client.patch(kind, at, patch, this.#ending(options));
    if (!options?.dryRun) this.#writes.wrote(kind, patched);
    return patched;
  }
  async delete<T extends KubeObject>(kind: KindRef<T>, at: ObjectName, options?: DeleteRequest): Promise<T | Status> {
    const answer = await this.#client.delete(kind, at, this.#ending(options));
    if (!options?.dryRun) this.#writes.deleted(kind, at);
    return answer;
  }
  deleteCollection(kind: KindRef, selection: ListOptions, options?: DeleteRequest): Promise<void> {
    return this.#client.deleteCollection(kind, selection, this.#ending(options));
  }
  post<R = unknown>(kind: KindRef, at: ObjectName, subresource: string, body: unknown, options?: WriteOptions): Promise<R> {
    return this.#client.post(kind, at, subresource, body, this.#ending(options));
  }
  raw<R = unknown>(path: string, options?: RawOptions): Promise<R> {
    return this.#client.raw(path, options);
  }
  informer<T extends KubeObject>(kind: KindRef<T>, options?: InformerOptions): Informer<T> {
    return this.#reader.informer(kind, options);
  }
  #ending<O extends { readonly signal?: AbortSignal | undefined }>(options: O | undefined): O & { readonly signal: AbortSignal } {
    return { ...(options as O), signal: options?.signal ?? this.#signal };
  }
  /** Nothing of its own to close. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
