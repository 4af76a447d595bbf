/**
 * Work that comes to a workload as a whole, and that its running containers share, on whichever simulated nodes of the
 * process they are: more of them have less to do each. What one has used is exact however often others come and go, and
 * a change costs the same however many they are.
 */
import type { UsageModel } from './usage-model.ts';

export class SharedLoads {
  readonly #loads = new Map<string, Load>();

  /** From now on one more shares it. The first one is its beginning. */
  join(key: string, model: UsageModel, nowMs: number): Share {
    const load = this.#loads.get(key) ?? new Load(model, nowMs);
    this.#loads.set(key, load);
    return new Share(load, nowMs, () => this.#loads.delete(key));
  }
}

class Load {
  readonly #model: UsageModel;
  readonly #beganMs: number;
  #lastMs: number;
  /** what each has used that was there all the time, until `lastMs` */
  #each = 0;
  members = 0;

  constructor(model: UsageModel, nowMs: number) {
    this.#model = model;
    this.#beganMs = nowMs;
    this.#lastMs = nowMs;
  }

  amount(nowMs: number): number {
    return this.#model.at(nowMs - this.#beganMs) / this.members;
  }

  each(nowMs: number): number {
    const used = this.#model.upTo(nowMs - this.#beganMs) - this.#model.upTo(this.#lastMs - this.#beganMs);
    if (this.members > 0) this.#each += used / this.members;
    this.#lastMs = nowMs;
    return this.#each;
  }
}

/** One container's. */
export class Share {
  readonly #load: Load;
  readonly #before: number;
  readonly #empty: () => void;

  constructor(load: Load, nowMs: number, empty: () => void) {
    this.#load = load;
    this.#before = load.each(nowMs);
    this.#empty = empty;
    load.members++;
  }

  amount(nowMs: number): number {
    return this.#load.amount(nowMs);
  }

  used(nowMs: number): number {
    return this.#load.each(nowMs) - this.#before;
  }

  /** Once. */
  leave(nowMs: number): void {
    this.#load.each(nowMs);
    this.#load.members--;
    if (this.#load.members === 0) this.#empty();
  }
}
