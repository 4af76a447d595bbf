/**
 * Decides up to where history may be forgotten: what is older than the time to keep it, but never the last so many
 * revisions. One timer, set only while there is something to compact; an idle store has none.
 *
 * Times are of this process: after a restart, what is there counts as new.
 */
import type { Clock, Timer } from '../../client/clock.ts';
import { detach } from '../../client/detached.ts';
import type { Revision } from './storage.ts';

/** History goes in steps of this part of the time for which it is kept. */
const stepsPerKept = 16;
const retryMs = 5_000;

export interface CompactorOptions {
  readonly clock: Clock;
  readonly historyMs: number;
  readonly historyRevisions: number;
  readonly revision: Revision;
  /** a compaction that was begun has still to be brought to its end */
  readonly unfinished: boolean;
  readonly compacted: () => Revision;
  readonly compact: (revision: Revision) => Promise<void>;
}

interface Mark {
  readonly atMs: number;
  readonly revision: Revision;
}

export class Compactor {
  readonly #options: CompactorOptions;
  readonly #stepMs: number;
  /** Oldest first: at that time, that was the store's revision. None is older than history is kept. */
  readonly #marks: Mark[] = [];
  /** This revision, and all before it, are older than history is kept. */
  #old: Revision = 0;
  #revision: Revision;
  #unfinished: boolean;
  #timer: Timer | undefined;
  #running: boolean = false;
  #stopped: boolean = false;

  constructor(options: CompactorOptions) {
    this.#options = options;
    this.#stepMs = Math.max(1, options.historyMs / stepsPerKept);
    this.#revision = options.revision;
    this.#unfinished = options.unfinished;
    this.#mark();
    this.#arm();
  }

  advance(revision: Revision): void {
    this.#revision = revision;
    const last = this.#marks.at(-1);
    if (!last || this.#options.clock.monotonic() - last.atMs >= this.#stepMs) this.#mark();
    if (!this.#timer) this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #mark(): void {
    this.#marks.push({ atMs: this.#options.clock.monotonic(), revision: this.#revision });
  }

  #arm(): void {
    if (this.#running || this.#stopped) return;
    const delayMs = this.#unfinished ? retryMs : this.#untilNextMs();
    if (delayMs !== undefined) this.#timer = this.#options.clock.setTimeout(() => this.#runSoon(), delayMs);
  }

  /** Nothing to do until there are more revisions than are kept, and a mark is old enough. */
  #untilNextMs(): number | undefined {
    const { clock, historyMs, historyRevisions, compacted } = this.#options;
    if (this.#revision - compacted() <= historyRevisions) return undefined;
    if (this.#marks.length === 0) this.#mark();
    const next = this.#marks[0];
    const delayMs = this.#old > compacted() || !next ? 0 : next.atMs + historyMs - clock.monotonic();
    return Math.max(delayMs, this.#stepMs);
  }

  #runSoon(): void {
    detach(
      () => this.#run(),
      () => {
        this.#running = false;
        this.#unfinished = true;
        this.#arm();
      },
    );
  }

  async #run(): Promise<void> {
    const { clock, historyMs, historyRevisions, compacted, compact } = this.#options;
    this.#timer = undefined;
    this.#running = true;
    const newest = this.#marks.at(-1);
    if (newest && newest.revision < this.#revision) this.#mark();
    const oldMs = clock.monotonic() - historyMs;
    while ((this.#marks[0]?.atMs ?? Number.POSITIVE_INFINITY) <= oldMs) this.#old = this.#marks.shift()?.revision ?? this.#old;
    const target = Math.min(this.#old, this.#revision - historyRevisions);
    if (target > compacted() || this.#unfinished) {
      // A store that can't write says so to its writers; history just stays a little longer.
      this.#unfinished = await compact(Math.max(target, compacted())).then(
        () => false,
        () => true,
      );
    }
    this.#running = false;
    this.#arm();
  }
}
