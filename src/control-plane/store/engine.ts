/**
 * The store's engine: `Storage` over whatever `Tables` hold its data.
 *
 * A commit is checked against the pending head of each of its keys (what is queued counts), gets the next revision and
 * is queued. Everything queued is written together and only then becomes visible, in this order: reads and `revision`,
 * watchers, the commits' own answers. A batch that can't be written leaves no trace: pending heads and revisions go
 * back to what is durable.
 *
 * Upstream: etcd's mvcc package for the model (revisions, compaction, leases); nothing of its wire API is here.
 */
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { checkOps } from './check-ops.ts';
import { Compactor } from './compactor.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { type Change, RecentHistory, type Version } from './recent-history.ts';
import {
  type CommitResult,
  CompactedError,
  FutureRevisionError,
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
} from './storage.ts';
import { historyMsDefault, historyRevisionsDefault, progressMsDefault, type StoreOptions, writableKeptMs } from './store-options.ts';
import { type Head, type LeaseRecord, positionOf, revisionOf, type Tables, type WriteBatch } from './tables.ts';
import { Visible } from './visible.ts';
import { Watchers } from './watchers.ts';
import { type Work, WriteQueue } from './write-queue.ts';

/** etcd's first, too: to Kubernetes' clients, 0 means something else. */
const firstRevision = 1;
/** of recent history in memory */
const recentRevisionsMax = 1024;
const recentBytesMax = 8 * 2 ** 20;
/** log entries that one batch sweeps */
const sweepEntriesMax = 250;
/** entries of old history read at once for one watcher */
const historyReadMax = 1000;

/** A commit's changes, or some other work (then without changes). */
interface StoreWork extends Work {
  readonly changes: readonly Change[];
}

const noChanges: readonly Change[] = [];

export class StoreEngine implements Storage {
  readonly #tables: Tables;
  readonly #log: Log | undefined;
  readonly #queue: WriteQueue<StoreWork>;
  readonly #pending = new Map<string, Change>();
  readonly #recent: RecentHistory;
  readonly #visible: Visible;
  readonly #watchers: Watchers;
  readonly #leases: LeaseKeeper;
  readonly #compactor: Compactor;
  /** durable and visible */
  #revision: Revision;
  /** the last one given to a queued commit */
  #assigned: Revision;
  #compacted: Revision;
  #swept: Revision;
  #lastLease: number;
  #closing: Promise<void> | undefined;
  readonly #clock: Clock;
  #probing: Promise<void> | undefined;
  #writableUntilMs = 0;
  /** the last batch could not be written */
  #failing: boolean = false;

  constructor(tables: Tables, options: StoreOptions) {
    const { clock } = options;
    const state = tables.state ?? { revision: firstRevision, compacted: firstRevision, swept: firstRevision, lastLease: 0 };
    this.#tables = tables;
    this.#clock = clock;
    this.#log = options.log;
    this.#revision = state.revision;
    this.#assigned = state.revision;
    this.#compacted = state.compacted;
    this.#swept = state.swept;
    this.#lastLease = state.lastLease;
    this.#recent = new RecentHistory({ revision: state.revision, revisionsMax: recentRevisionsMax, bytesMax: recentBytesMax });
    this.#visible = new Visible(tables, this.#recent);
    this.#queue = new WriteQueue({
      began: (untilIdle) => clock.holdFor?.(untilIdle),
      newBatch: () => this.#newBatch(),
      gather: () => tables.gather(),
      write: (batch) => (this.#changesNothing(batch) ? undefined : tables.write(batch)),
      published: (batch, works) => this.#publish(batch, works),
      rolledBack: (error) => this.#rollBack(error),
    });
    this.#watchers = new Watchers({
      clock,
      progressMs: options.progressMs ?? progressMsDefault,
      revision: state.revision,
      readHistory: (after, prefix) => this.#readHistory(after, prefix),
    });
    this.#leases = new LeaseKeeper({
      clock,
      leases: tables.leases,
      save: (change) => this.#saveLease(change),
      keysOf: (lease, startAfter, limit) => this.#leaseKeys(lease, startAfter, limit),
      commit: (ops) => this.commit(ops),
      idle: () => this.#queue.idle(),
    });
    this.#compactor = new Compactor({
      clock,
      historyMs: options.historyMs ?? historyMsDefault,
      historyRevisions: options.historyRevisions ?? historyRevisionsDefault,
      revision: state.revision,
      unfinished: state.swept < state.compacted,
      compacted: () => this.#compacted,
      compact: (revision) => this.compact(revision),
    });
  }

  /** One process writes (store-owner.ts): nobody has to be asked. */
  latestRevision(): Revision {
    return this.#revision;
  }
  get compactedRevision(): Revision {
    return this.#compacted;
  }

  async range(query: RangeQuery): Promise<RangeResult> {
    this.#checkOpen();
    const revision = query.atRevision ?? this.#revision;
    this.#checkReadable(revision);
    return this.#visible.range(query, revision);
  }

  commit(ops: readonly Op[], queued?: (revision: Revision) => void): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.#checkOpen();
      checkOps(ops);
      const heads = ops.map((op) => this.#newest(op.key));
      for (const [index, op] of ops.entries()) {
        if (op.lease !== undefined && !this.#leases.has(op.lease)) throw new LeaseNotFoundError(`there is no lease ${op.lease}`);
        const actual = liveRevision(heads[index]);
        if (op.expect === undefined || actual === (op.expect === 'absent' ? 0 : op.expect)) continue;
        // What it lost to may not be durable yet; once it is, whoever reads again sees it.
        const lost: CommitResult = { ok: false, key: op.key, actual };
        if (this.#pending.has(op.key)) this.#push(noChanges, () => resolve(lost), reject);
        else resolve(lost);
        return;
      }
      const changes = this.#plan(ops, heads);
      const revision = changes.length > 0 ? ++this.#assigned : this.#assigned;
      for (const change of changes) this.#pending.set(change.entry.key, change);
      this.#push(changes, () => resolve({ ok: true, revision }), reject);
      queued?.(revision);
    });
  }

  watch(from: { readonly prefix: string; readonly revision: Revision }, signal: AbortSignal): AsyncIterable<StoreEvents> {
    return this.#watchers.watch(from, signal);
  }

  requestProgress(): void {
    this.#watchers.tellProgress();
  }

  async compact(revision: Revision): Promise<void> {
    this.#checkOpen();
    if (revision > this.#revision) throw futureRevision(revision, this.#revision);
    if (revision < this.#compacted) return;
    this.#compacted = revision;
    await this.#sweep();
  }

  async grantLease(ttlSeconds: number): Promise<number> {
    this.#checkOpen();
    return this.#leases.grant(++this.#lastLease, ttlSeconds);
  }
  async renewLease(lease: number): Promise<void> {
    this.#checkOpen();
    return this.#leases.renew(lease);
  }
  async revokeLease(lease: number): Promise<void> {
    this.#checkOpen();
    return this.#leases.revoke(lease);
  }

  /** All who ask at the same time share one write. */
  checkWritable(): Promise<void> {
    this.#checkOpen();
    if (this.#clock.monotonic() < this.#writableUntilMs) return Promise.resolve();
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  async #probe(): Promise<void> {
    await this.#tables.checkRoom();
    await this.#enqueue((batch) => {
      batch.isProbe = true;
    });
    this.#writableUntilMs = this.#clock.monotonic() + writableKeptMs;
  }

  sizeBytes(): Promise<number> {
    return this.#tables.sizeBytes();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#compactor.stop();
    this.#leases.stop();
    await this.#queue.idle();
    this.#watchers.close();
    await this.#tables.close();
  }

  #checkOpen(): void {
    if (this.#closing) throw new StoreUnavailableError('the store is closed');
  }

  #checkReadable(revision: Revision): void {
    if (revision < this.#compacted) throw new CompactedError(`revision ${revision} has been compacted; the oldest is ${this.#compacted}`);
    if (revision > this.#revision) throw futureRevision(revision, this.#revision);
  }

  /** The key's newest version, queued ones included: in full if it is in memory, else its head. */
  #newest(key: string): Version | Head | undefined {
    return this.#pending.get(key) ?? this.#recent.newest(key) ?? this.#tables.head(key);
  }

  /** The changes of one commit, at the next revision. Deleting what is not there is no change. */
  #plan(ops: readonly Op[], heads: readonly (Version | Head | undefined)[]): Change[] {
    const revision = this.#assigned + 1;
    const changes: Change[] = [];
    for (const [index, op] of ops.entries()) {
      const head = heads[index];
      if (op.isCheck || (op.put === undefined && liveRevision(head) === 0)) continue;
      changes.push(planChange(op, { revision, index: changes.length, head, before: () => this.#current(head) }));
    }
    return changes;
  }

  #current(newest: Version | Head | undefined): KeyValue | undefined {
    if (newest === undefined) return undefined;
    if ('entry' in newest) return newest.current;
    return newest.deleted ? undefined : this.#visible.read(newest.position);
  }

  #push(changes: readonly Change[], resolve: () => void, reject: (error: Error) => void): void {
    this.#queue.push({
      changes,
      resolve,
      reject,
      addTo: (batch) => {
        for (const { entry, event } of changes) {
          batch.entries.push(entry);
          batch.state.revision = event.revision;
        }
      },
    });
  }

  #newBatch(): WriteBatch {
    return {
      isProbe: false,
      entries: [],
      droppedEntries: [],
      droppedHeads: [],
      leases: [],
      endedLeases: [],
      state: { revision: this.#revision, compacted: this.#compacted, swept: this.#swept, lastLease: this.#lastLease },
    };
  }

  #changesNothing({ isProbe, entries, leases, endedLeases, state }: WriteBatch): boolean {
    return !isProbe && entries.length === 0 && leases.length === 0 && endedLeases.length === 0 && state.swept === this.#swept;
  }

  #publish(batch: WriteBatch, works: readonly StoreWork[]): void {
    if (this.#failing && !this.#changesNothing(batch)) {
      this.#failing = false;
      this.#log?.info({ revision: batch.state.revision }, 'the store can write again');
    }
    this.#swept = batch.state.swept;
    const events: StoreEvent[] = [];
    for (const work of works) {
      for (const change of work.changes) {
        this.#recent.add(change);
        if (this.#pending.get(change.entry.key) === change) this.#pending.delete(change.entry.key);
        events.push(change.event);
      }
    }
    const revision = events.at(-1)?.revision;
    if (revision === undefined) return;
    this.#revision = revision;
    this.#recent.trim(revision);
    this.#watchers.publish(events, revision);
    this.#compactor.advance(revision);
  }

  #rollBack(error: Error): void {
    if (!this.#failing) this.#log?.error({ error }, 'the store can not write');
    this.#failing = true;
    this.#writableUntilMs = 0;
    this.#pending.clear();
    this.#assigned = this.#revision;
  }

  /** What a watcher that is behind gets next. */
  #readHistory(after: Revision, prefix: string): StoreEvents {
    this.#checkReadable(after);
    if (this.#recent.covers(after)) return { revision: this.#revision, events: this.#recent.eventsAfter(after, prefix) };
    return this.#visible.eventsAfter({ after, upTo: this.#revision, prefix, entriesMax: historyReadMax });
  }

  /** Work that changes no key goes with the next batch. */
  #enqueue(addTo: (batch: WriteBatch) => void): Promise<void> {
    return new Promise((resolve, reject) => this.#queue.push({ changes: noChanges, resolve, reject, addTo }));
  }

  async #saveLease(change: LeaseRecord | number): Promise<void> {
    this.#checkOpen();
    await this.#enqueue((batch) => {
      if (typeof change === 'number') batch.endedLeases.push(change);
      else batch.leases.push(change);
    });
  }

  #leaseKeys(lease: number, startAfter: string | undefined, limit: number): { keys: string[]; deletions: Op[] } {
    const keys = this.#tables.leaseKeys(lease, startAfter, limit);
    const deletions: Op[] = [];
    for (const key of keys) {
      const newest = this.#newest(key);
      const head = newest && 'entry' in newest ? newest.entry : newest;
      if (head && !head.deleted && head.lease === lease) deletions.push({ key, expect: revisionOf(head.position) });
    }
    return { keys, deletions };
  }

  /** Deletes, slice by slice, what nothing at or after the compacted revision can see. Goes on after a restart. */
  async #sweep(): Promise<void> {
    while (this.#swept < this.#compacted && !this.#closing) {
      await this.#enqueue((batch) => this.#addSweep(batch));
    }
  }

  #addSweep(batch: WriteBatch): void {
    const endsAt = positionOf(this.#compacted + 1, 0);
    let swept = this.#compacted;
    let count = 0;
    for (const entry of this.#tables.log(positionOf(batch.state.swept + 1, 0), wantsNone)) {
      if (entry.position >= endsAt) break;
      const revision = revisionOf(entry.position);
      if (count >= sweepEntriesMax && revision > swept) break;
      count++;
      swept = count >= sweepEntriesMax ? revision : this.#compacted;
      if (entry.previous > 0) batch.droppedEntries.push(entry.previous);
      if (!entry.deleted) continue;
      batch.droppedEntries.push(entry.position);
      // If the key is about to come back, its head is no longer this one.
      if (!this.#pending.has(entry.key) && this.#tables.head(entry.key)?.position === entry.position) batch.droppedHeads.push(entry.key);
    }
    batch.state.swept = swept;
  }
}

const wantsNone = (): boolean => false;

function futureRevision(revision: Revision, newest: Revision): FutureRevisionError {
  return new FutureRevisionError(`revision ${revision} is not yet there; the newest is ${newest}`);
}

function liveRevision(newest: Version | Head | undefined): Revision {
  if (newest === undefined) return 0;
  const head = 'entry' in newest ? newest.entry : newest;
  return head.deleted ? 0 : revisionOf(head.position);
}

interface PlanAt {
  readonly revision: Revision;
  readonly index: number;
  readonly head: Version | Head | undefined;
  /** what readers saw of it before; hardly anybody asks, and it may have to be read */
  readonly before: () => KeyValue | undefined;
}

function planChange(op: Op, { revision, index, head, before }: PlanAt): Change {
  const { key, put } = op;
  const managed = put && op.managed;
  const old = head && ('entry' in head ? head.entry : head);
  const createRevision = old && !old.deleted ? old.createRevision : revision;
  const position = positionOf(revision, index);
  const entry = {
    key,
    position,
    previous: old?.position ?? 0,
    createRevision,
    lease: put === undefined ? 0 : (op.lease ?? 0),
    deleted: put === undefined,
    value: put,
    managed,
  };
  if (put === undefined) {
    return { entry, current: undefined, event: new CommitEvent({ type: 'delete', key, revision }, before) };
  }
  const current: KeyValue = {
    key,
    value: put,
    managed,
    revision,
    createRevision,
    lease: op.lease,
    attachment: op.attachment,
  };
  return { entry, current, event: new CommitEvent({ type: 'put', key, revision, current }, before) };
}

class CommitEvent implements StoreEvent {
  readonly type: StoreEvent['type'];
  readonly key: string;
  readonly revision: Revision;
  readonly current: KeyValue | undefined;
  readonly #before: () => KeyValue | undefined;

  constructor({ type, key, revision, current }: Omit<StoreEvent, 'previous'>, before: () => KeyValue | undefined) {
    this.type = type;
    this.key = key;
    this.revision = revision;
    this.current = current;
    this.#before = before;
  }

  get previous(): KeyValue | undefined {
    return this.#before();
  }
}
