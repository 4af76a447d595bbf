/**
 * The store in an etcd that others run: of one member or several, beside whom there may be further API servers.
 *
 * Beyond the contract: what is written here is seen by watchers here when etcd tells them, not before the commit resolves.
 * Commits that are under way at the same time have no order among them. A commit that got no answer may have been made;
 * its error says so. Attachments are not carried. A lease lives by etcd's clock, two seconds at least, and etcd restarts
 * its time when its leader changes. Old revisions are compacted as in the engine; other servers may do so sooner.
 * Upstream: apiserver/pkg/storage/etcd3 (store.go, watcher.go, compact.go, lease_manager.go).
 */
import { randomInt } from 'node:crypto';
import type { Timer } from '../../../client/clock.ts';
import { checkOps } from '../check-ops.ts';
import { Compactor } from '../compactor.ts';
import {
  type CommitResult,
  CompactedError,
  type KeyValue,
  LeaseNotFoundError,
  type Op,
  type RangeQuery,
  type RangeResult,
  type Revision,
  type Storage,
  type StoreEvent,
  type StoreEvents,
  StoreUnavailableError,
} from '../storage.ts';
import { historyMsDefault, historyRevisionsDefault, progressMsDefault, type StoreOptions, writableKeptMs } from '../store-options.ts';
import { createEtcdClient, type EtcdClient, type EtcdServers, noSpace } from './etcd-client.ts';
import { EtcdKeys, EtcdLeases, type KeyPlace } from './etcd-keys.ts';
import type {
  AlarmAnswer,
  EtcdEvent,
  EtcdKeyValue,
  Header,
  KeepAliveAnswer,
  RangeAnswer,
  StatusAnswer,
  TxnAnswer,
} from './etcd-messages.ts';
import { joinValue, loadDecoder, needsDecoder, splitValue, type ValueParts } from './etcd-value.ts';
import { EtcdWatcher } from './etcd-watcher.ts';

export interface EtcdStoreOptions extends StoreOptions, EtcdServers {
  readonly keys: KeyPlace;
}

/** The first versions in which a watcher is told of progress only after the events before it. */
const firstPatches: Readonly<Record<string, number>> = { '3.4': 31, '3.5': 13 };
const firstRevision = 1;
/** No key: what is asked for is not what is there, but the revision. */
const nowhere = Buffer.of(0);
const leaseIdMax = 2 ** 48 - 1;
const read = { isRead: true } as const;
const write = { isRead: false } as const;

/** Rejects when no etcd of those answers, or one that is too old. */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<EtcdStore> {
  const client = await createEtcdClient(options);
  try {
    const { version } = await client.unary<StatusAnswer>('Maintenance', 'Status', {}, read);
    const problem = versionProblem(version);
    if (problem) throw new StoreUnavailableError(problem);
    const { header } = await client.unary<RangeAnswer>('KV', 'Range', { key: nowhere, countOnly: true }, read);
    const revision = Number(header.revision);
    const compacted = await compactedIn(client);
    options.log?.info({ servers: options.servers, version, revision, compacted }, 'store opened');
    return new EtcdStore(client, options, { revision, compacted });
  } catch (error) {
    client[Symbol.dispose]();
    throw error;
  }
}

/** Undefined: it will do. Pure. */
export function versionProblem(version: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+-]/).map(Number);
  const isOld = major < 3 || (major === 3 && minor < 4);
  if (!isOld && patch >= (firstPatches[`${major}.${minor}`] ?? 0)) return undefined;
  return `etcd ${version} tells a watch of progress too early: it takes 3.4.31, 3.5.13, 3.6 or later`;
}

/** Of what is compacted only a watch says how far. */
async function compactedIn(client: EtcdClient): Promise<Revision> {
  const first = client.unary('KV', 'Range', { key: nowhere, revision: firstRevision, countOnly: true }, read);
  const isWhole = await first.then(
    () => true,
    (error: unknown) => {
      if (error instanceof CompactedError) return false;
      throw error;
    },
  );
  if (isWhole) return firstRevision;
  const { call } = client.stream('Watch', 'Watch');
  try {
    call.write({ createRequest: { key: nowhere, startRevision: firstRevision } });
    for await (const { compactRevision } of call as AsyncIterable<{ compactRevision: string }>) {
      if (compactRevision !== '0') return Number(compactRevision);
    }
  } finally {
    call.cancel();
  }
  return firstRevision;
}

export class EtcdStore implements Storage {
  readonly #client: EtcdClient;
  readonly #options: EtcdStoreOptions;
  readonly #keys: EtcdKeys;
  readonly #leases = new EtcdLeases();
  readonly #compactor: Compactor;
  readonly #watchers = new Set<EtcdWatcher>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #closed = new AbortController();
  /** the last one that anybody here has heard of */
  #known: Revision;
  #compacted: Revision;
  #asking: Promise<unknown> = Promise.resolve();
  #nextAsking: Promise<Revision> | undefined;
  #progress: Timer | undefined;
  #probing: Promise<void> | undefined;
  #writableUntilMs = 0;
  #closing: Promise<void> | undefined;

  constructor(client: EtcdClient, options: EtcdStoreOptions, { revision, compacted }: { revision: Revision; compacted: Revision }) {
    this.#client = client;
    this.#options = options;
    this.#keys = new EtcdKeys(options.keys);
    this.#known = revision;
    this.#compacted = compacted;
    this.#compactor = new Compactor({
      clock: options.clock,
      historyMs: options.historyMs ?? historyMsDefault,
      historyRevisions: options.historyRevisions ?? historyRevisionsDefault,
      revision,
      unfinished: false,
      compacted: () => this.#compacted,
      compact: (at) => this.compact(at),
    });
  }

  get compactedRevision(): Revision {
    return this.#compacted;
  }

  /** All who ask while one request is under way share the next. */
  latestRevision(): Promise<Revision> {
    this.#nextAsking ??= this.#asking.then(() => {
      this.#nextAsking = undefined;
      const asked = this.#range({ key: nowhere, countOnly: true }).then(({ header }) => Number(header.revision));
      this.#asking = asked.catch(() => undefined);
      return asked;
    });
    return this.#nextAsking;
  }

  async range({ key, prefix = '', startAfter, limit = 0, atRevision, countOnly = false }: RangeQuery): Promise<RangeResult> {
    const keys = key === undefined ? this.#keys.range(prefix, startAfter) : { key: this.#keys.stored(key) };
    const { kvs, more, count, header } = await this.#range({ ...keys, limit, revision: atRevision ?? 0, countOnly });
    return { items: await this.#itemsOf(kvs), more, count: Number(count), revision: atRevision ?? Number(header.revision) };
  }

  async commit(ops: readonly Op[], queued?: (revision: Revision) => void): Promise<CommitResult> {
    checkOps(ops);
    const revision = ops.length === 0 ? await this.latestRevision() : undefined;
    const result = revision === undefined ? await this.#commit(ops) : ({ ok: true, revision } as const);
    if (result.ok) queued?.(result.revision);
    return result;
  }

  async *watch(
    from: { readonly prefix: string; readonly revision: Revision },
    signal: AbortSignal,
  ): AsyncGenerator<StoreEvents, undefined> {
    const watcher = new EtcdWatcher({
      client: this.#client,
      log: this.#options.log,
      ...this.#keys.range(from.prefix),
      revision: from.revision,
      known: () => this.#known,
      learn: (revision) => this.#learn(revision),
      learnCompacted: (revision) => this.#learnCompacted(revision),
      checkReadable: async (revision) => {
        await this.#range({ key: nowhere, revision, countOnly: true });
      },
      events: (events) => this.#eventsOf(events),
    });
    this.#watchers.add(watcher);
    try {
      yield* watcher.batches(AbortSignal.any([signal, this.#closed.signal]));
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  requestProgress(): void {
    this.#progress?.cancel();
    this.#progress = undefined;
    for (const watcher of this.#watchers) watcher.askProgress();
  }

  async compact(revision: Revision): Promise<void> {
    if (revision < this.#compacted) return;
    try {
      await this.#ask((client) => client.unary('KV', 'Compact', { revision }, read));
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error;
    }
    this.#learnCompacted(revision);
  }

  async grantLease(ttlSeconds: number): Promise<number> {
    if (!(ttlSeconds > 0)) throw new RangeError(`a lease needs a time to live above 0, not ${ttlSeconds}`);
    // One that is asked for twice, after a lost answer, ends by itself.
    const id = randomInt(1, leaseIdMax);
    await this.#ask((client) => client.unary('Lease', 'LeaseGrant', { TTL: Math.ceil(ttlSeconds), ID: id }, write));
    return id;
  }

  async renewLease(lease: number): Promise<void> {
    const ID = this.#leases.idOf(lease);
    const { TTL } = await this.#ask((client) => client.exchange<KeepAliveAnswer>('Lease', 'LeaseKeepAlive', { ID }, read));
    if (TTL === '0') throw new LeaseNotFoundError(`there is no lease ${lease}`);
  }

  async revokeLease(lease: number): Promise<void> {
    await Promise.allSettled(this.#underWay);
    await this.#ask((client) => client.unary('Lease', 'LeaseRevoke', { ID: this.#leases.idOf(lease) }, write));
  }

  /** To list alarms is a proposal to all members, which each writes to its log. */
  checkWritable(): Promise<void> {
    const { clock } = this.#options;
    if (clock.monotonic() < this.#writableUntilMs) return Promise.resolve();
    this.#probing ??= this.#ask((client) => client.unary<AlarmAnswer>('Maintenance', 'Alarm', { action: 'GET' }, read))
      .then(({ alarms }) => {
        const [alarm] = alarms;
        if (alarm) throw new StoreUnavailableError(alarm.alarm === 'NOSPACE' ? noSpace : `etcd has raised the alarm ${alarm.alarm}`);
        this.#writableUntilMs = clock.monotonic() + writableKeptMs;
      })
      .finally(() => {
        this.#probing = undefined;
      });
    return this.#probing;
  }

  async sizeBytes(): Promise<number> {
    return Number((await this.#ask((client) => client.unary<StatusAnswer>('Maintenance', 'Status', {}, read))).dbSize);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#compactor.stop();
    this.#progress?.cancel();
    await Promise.allSettled(this.#underWay);
    this.#closed.abort();
    this.#client[Symbol.dispose]();
  }

  /** What is asked is finished before the store closes, and while time is moved by hand. */
  async #ask<Answer>(ask: (client: EtcdClient) => Promise<Answer>): Promise<Answer> {
    if (this.#closing) throw new StoreUnavailableError('the store is closed');
    const asked = ask(this.#client);
    this.#underWay.add(asked);
    this.#options.clock.holdFor?.(asked);
    try {
      const answer = await asked;
      const { header } = answer as { readonly header?: Header };
      if (header) this.#learn(Number(header.revision));
      return answer;
    } finally {
      this.#underWay.delete(asked);
    }
  }

  #range(request: object): Promise<RangeAnswer> {
    return this.#ask((client) => client.unary<RangeAnswer>('KV', 'Range', request, read));
  }

  async #commit(ops: readonly Op[]): Promise<CommitResult> {
    const expecting = ops.filter((op) => op.expect !== undefined);
    const request = {
      compare: expecting.map((op) => ({ result: 'EQUAL', target: 'MOD', key: this.#keys.stored(op.key), modRevision: expectedOf(op) })),
      success: ops.filter((op) => !op.isCheck).map((op) => this.#requestOf(op)),
      failure: expecting.map(({ key }) => ({ requestRange: { key: this.#keys.stored(key), keysOnly: true } })),
    };
    const { succeeded, header, responses } = await this.#ask((client) => client.unary<TxnAnswer>('KV', 'Txn', request, write));
    if (succeeded) return { ok: true, revision: Number(header.revision) };
    for (const [i, op] of expecting.entries()) {
      const actual = Number(responses[i]?.responseRange?.kvs[0]?.modRevision ?? 0);
      if (actual !== expectedOf(op)) return { ok: false, key: op.key, actual };
    }
    throw new StoreUnavailableError('etcd refuses a write, and everything is as expected');
  }

  #requestOf({ key: own, put, managed, lease }: Op): object {
    const key = this.#keys.stored(own);
    if (put === undefined) return { requestDeleteRange: { key } };
    return { requestPut: { key, value: joinValue(put, managed), lease: lease === undefined ? 0 : this.#leases.idOf(lease) } };
  }

  async #itemsOf(kvs: readonly EtcdKeyValue[]): Promise<KeyValue[]> {
    if (kvs.some(({ value }) => needsDecoder(value))) await loadDecoder();
    return kvs.map((kv) => this.#itemOf(kv));
  }

  /** Its value is read when it is asked for: what nobody here wants need not be readable. */
  #itemOf({ key: stored, value, modRevision, createRevision, lease }: EtcdKeyValue): KeyValue {
    const key = this.#keys.own(stored);
    let parts: ValueParts | undefined;
    const read = (): ValueParts => {
      parts ??= splitValue(key, value);
      return parts;
    };
    return {
      key,
      get value() {
        return read().value;
      },
      get managed() {
        return read().managed;
      },
      revision: Number(modRevision),
      createRevision: Number(createRevision),
      lease: this.#leases.numberOf(lease),
    };
  }

  async #eventsOf(events: readonly EtcdEvent[]): Promise<StoreEvent[]> {
    if (events.some(({ kv, prevKv }) => needsDecoder(kv.value) || (prevKv && needsDecoder(prevKv.value)))) await loadDecoder();
    return events.map(({ type, kv, prevKv }) => ({
      type: type === 'PUT' ? 'put' : 'delete',
      key: this.#keys.own(kv.key),
      revision: Number(kv.modRevision),
      current: type === 'PUT' ? this.#itemOf(kv) : undefined,
      previous: prevKv ? this.#itemOf(prevKv) : undefined,
    }));
  }

  #learn(revision: Revision): void {
    if (revision <= this.#known || this.#closing) return;
    this.#known = revision;
    this.#compactor.advance(revision);
    if (this.#progress || !this.#watchers.values().some((watcher) => watcher.isBehind)) return;
    this.#progress = this.#options.clock.setTimeout(() => this.requestProgress(), this.#options.progressMs ?? progressMsDefault);
  }

  #learnCompacted(revision: Revision): void {
    this.#compacted = Math.max(this.#compacted, revision);
  }
}

const expectedOf = ({ expect }: Op): Revision => (expect === 'absent' ? 0 : (expect ?? 0));
