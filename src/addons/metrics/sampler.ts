/**
 * When nodes are read: every 15 seconds, while somebody asked in the last two minutes. So a cluster that nobody looks at
 * reads nothing, and who asks first waits a second, the time between the first two readings.
 */
import type { Clock, Timer } from '../../client/clock.ts';
import { detach } from '../../client/detached.ts';
import type { Log } from '../../client/log.ts';
import type { Reading } from './node-summary.ts';
import { SampleStore } from './sample-store.ts';

/** metrics-server's --metric-resolution. */
export const periodMs = 15_000;
export const idleMs = 120_000;
export const firstWindowMs = 1000;

interface SamplerOptions {
  /** of all nodes that answer, by name */
  read(signal: AbortSignal): Promise<ReadonlyMap<string, Reading>>;
  readonly clock: Clock;
  readonly log: Log;
}

export class Sampler implements Disposable {
  readonly #options: SamplerOptions;
  readonly #stop = new AbortController();
  #askedMs = 0;
  /** absent: nobody asks */
  #running: { readonly store: SampleStore; readonly began: Promise<void> } | undefined;
  #next: Timer | undefined;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** What was used when nodes were last read: at most 15 seconds ago. */
  async current(): Promise<SampleStore> {
    this.#askedMs = this.#options.clock.now();
    this.#running ??= this.#begin();
    const { store, began } = this.#running;
    await began;
    return store;
  }

  #begin(): { readonly store: SampleStore; readonly began: Promise<void> } {
    const { clock } = this.#options;
    const store = new SampleStore(periodMs);
    const began = (async () => {
      await this.#sample(store);
      await clock.sleep(firstWindowMs, this.#stop.signal);
      await this.#sample(store);
      this.#next = clock.setTimeout(() => this.#again(store), periodMs);
    })();
    return { store, began };
  }

  #again(store: SampleStore): void {
    const { clock, log } = this.#options;
    if (clock.now() - this.#askedMs >= idleMs) {
      this.#running = undefined;
      return;
    }
    this.#next = clock.setTimeout(() => this.#again(store), periodMs);
    detach(
      () => this.#sample(store),
      (error) => this.#stop.signal.aborted || log.warn({ error }, 'what nodes use could not be read'),
    );
  }

  async #sample(store: SampleStore): Promise<void> {
    store.put(await this.#options.read(this.#stop.signal));
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#next?.[Symbol.dispose]();
  }
}
