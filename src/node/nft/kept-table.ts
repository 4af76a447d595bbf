/**
 * One nftables table kept equal to a plan. Whoever planned it says `changed`; what changes while nft runs goes into the next
 * transaction together.
 *
 * Guarantees: one transaction at a time. When nft refuses a difference (somebody flushed the table) the whole table is written
 * anew; when it refuses that, it is tried again after one second, then ever later, and what is in place stays in place. The
 * process goes on with other work while a large script is rendered. A table that somebody
 * deleted or replaced is written anew as soon as its owner is told to `check` (table-watch.ts). Disposing leaves the rules as
 * they are, `remove` takes them away.
 *
 * What it does not see: rules or elements that somebody changed one by one.
 */

import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { nextTurn } from '../../client/turns.ts';
import { differenceOf, emptyRuleset, type Ruleset, renderRemoval, type Table, wholeOf } from './ruleset.ts';
import type { TableWatch } from './table-watch.ts';

/** In the node's network namespace. */
export interface NftTools {
  /** Runs a script, all of it or nothing; rejects with nft's own words. */
  nft(script: string): Promise<void>;
  /** What `nft list` knows, as libnftables-json(5) has it. */
  nftList(...what: readonly string[]): Promise<readonly object[]>;
}

export interface KeptTableOptions {
  readonly table: Table;
  readonly tools: NftTools;
  readonly clock: Clock;
  readonly log: Log;
  /** What is wanted now. */
  readonly plan: () => Ruleset | Promise<Ruleset>;
  /** tells when somebody deletes the table */
  readonly watch?: Pick<TableWatch, 'on'> | undefined;
  /** It is in place; absent `tookMs`: it was already. */
  readonly applied?: ((tookMs: number | undefined) => void | Promise<void>) | undefined;
  readonly refused?: (() => void) | undefined;
}

interface Listed {
  readonly table?: { readonly family: string; readonly name: string; readonly handle: number };
}

/** The first wait; each further one is twice as long. */
const retryMs = 1000;
const retryMsMax = 16_000;

/** So much is rendered before others have their turn. */
const turnCharacters = 2 ** 18;

async function render(pieces: Iterable<string>): Promise<string> {
  const all: string[] = [];
  let characters = 0;
  for (const piece of pieces) {
    all.push(piece);
    characters += piece.length;
    if (characters < turnCharacters) continue;
    characters = 0;
    await nextTurn();
  }
  return all.join('');
}

function newPass(): PromiseWithResolvers<void> {
  const pass = Promise.withResolvers<void>();
  pass.promise.catch(() => undefined); // who waits hears of it
  return pass;
}

export class KeptTable implements AsyncDisposable {
  readonly #options: KeptTableOptions;
  readonly #stop = new AbortController();
  #applied: Ruleset = emptyRuleset;
  /** the kernel's number of the table that was written; undefined: the next time all of it is */
  #handle: number | undefined;
  #dirty = false;
  #suspect = false;
  #next = newPass();
  /** what is being applied, or was last */
  #last: Promise<void> = Promise.resolve();
  #working: Promise<void> | undefined;
  readonly #watched: Disposable | undefined;

  constructor(options: KeptTableOptions) {
    this.#options = options;
    this.#watched = options.watch?.on(options.table, () => this.check());
  }

  /** What is in place now. */
  get ruleset(): Ruleset {
    return this.#applied;
  }

  /** Something may be planned otherwise now. */
  changed(): void {
    this.#dirty = true;
    this.#working ??= this.#work();
  }

  /** Somebody may have deleted it. */
  check(): void {
    this.#suspect = true;
    this.changed();
  }

  /** Resolves when all that was told until now is in place; rejects when nft refused it. */
  settled(): Promise<void> {
    return this.#dirty ? this.#next.promise : this.#last;
  }

  /** Resolves when all is in place, however often nft refused it. */
  async inPlace(): Promise<void> {
    await this.#working;
  }

  /** Something was told that is not in place. */
  get isBehind(): boolean {
    return this.#dirty;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watched?.[Symbol.dispose]();
    this.#stop.abort();
    await this.#working;
  }

  async remove(): Promise<void> {
    await this[Symbol.asyncDispose]();
    await this.#options.tools.nft(renderRemoval(this.#options.table));
  }

  async #work(): Promise<void> {
    const { clock, log, refused } = this.#options;
    const { signal } = this.#stop;
    let waitMs = retryMs;
    while (this.#dirty && !signal.aborted) {
      await Promise.resolve(); // the other changes of this turn belong to the same transaction
      const pass = this.#next;
      this.#next = newPass();
      this.#last = pass.promise;
      this.#dirty = false;
      try {
        await this.#apply();
        waitMs = retryMs;
        pass.resolve();
      } catch (error) {
        refused?.();
        log.warn({ error }, 'nft refused the ruleset');
        pass.reject(error);
        this.#dirty = true;
        this.#handle = undefined;
        await clock.sleep(waitMs, signal).catch(() => undefined);
        waitMs = Math.min(2 * waitMs, retryMsMax);
      }
    }
    this.#working = undefined; // before who waited for the last pass goes on
    if (this.#dirty) this.#next.reject(new Error('the table is not kept any more'));
  }

  async #apply(): Promise<void> {
    const { table, tools, clock, log, plan, applied, refused } = this.#options;
    const suspect = this.#suspect;
    this.#suspect = false; // what is told while it looks is looked at anew
    if (suspect && this.#handle !== undefined && (await this.#find()) !== this.#handle) {
      log.warn({ table: table.name }, 'somebody deleted a table of rules; writing it anew');
      this.#handle = undefined;
    }
    const startMs = clock.monotonic();
    const want = await plan();
    const script = this.#handle === undefined ? '' : await render(differenceOf(table, this.#applied, want));
    if (this.#handle !== undefined && !script) return await applied?.(undefined);
    if (this.#handle !== undefined) {
      try {
        await tools.nft(script);
      } catch (error) {
        refused?.();
        log.warn({ error }, 'nft refused a change; writing the whole table');
        this.#handle = undefined;
      }
    }
    if (this.#handle === undefined) {
      await tools.nft(await render(wholeOf(table, want)));
      this.#handle = await this.#find();
    }
    this.#applied = want;
    await applied?.(clock.monotonic() - startMs);
  }

  async #find(): Promise<number | undefined> {
    const { table, tools } = this.#options;
    const listed = (await tools.nftList('tables')) as readonly Listed[];
    return listed.find((each) => each.table?.family === table.family && each.table.name === table.name)?.table?.handle;
  }
}
