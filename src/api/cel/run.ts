/**
 * An evaluation under way: its variables, and what it has cost.
 *
 * What may be long in it (a loop, a call about a large value: a `Site` of the plan) comes as `Steps`. An evaluation that may
 * rest takes them one after the other, although a `Step` is a plain function: the site throws its steps (`Pending`), they are
 * taken, and the step is run again, which finds there what came of them. So nothing is taken twice but what lies before a
 * site in the same step, and how often that is depends on the expression alone, never on the values.
 */

import { longWork, Pace, type Steps, takeSteps } from '../meta/steps.ts';
import type { Value } from './values.ts';

export type Step = (run: Run) => Value;

/** What may be long of a plan: known by itself alone. */
export type Site = object;

/**
 * What a function gives whose work grows with its arguments: it is done in these steps. The pace is the evaluation's, since
 * prices do not say how long all calls take together: upstream asks 1 for some that go through a whole text.
 */
export class Long {
  readonly begin: (pace: Pace) => Steps<Value>;
  constructor(begin: (pace: Pace) => Steps<Value>) {
    this.begin = begin;
  }
  atOnce(): Value {
    return takeSteps(this.begin(new Pace(EFFORT_AT_ONCE)));
  }
}

/** Thrown: these steps are to be taken first. */
export class Pending {
  readonly site: Site;
  readonly steps: Steps<Value>;
  constructor(site: Site, steps: Steps<Value>) {
    this.site = site;
    this.steps = steps;
  }
}

export class CostExceeded {
  readonly message = 'operation cancelled: actual cost limit exceeded';
}

/** How an evaluation goes about what may be long: does it, leaves off (`Pending`) where it is, or rests in it. */
export type Manner = 'at once' | 'if short' | 'in steps';

/** What is done between two rests costs about this much: 5 to 15 ms. */
export const COST_AT_ONCE = 30_000;

/** Likewise of what functions do: items that they look at, tens of characters. */
const EFFORT_AT_ONCE = 50_000;

/** How many characters are looked at while an item of a list is. */
export const CHARACTERS_PER_ITEM = 64;

/** A step that is taken in steps. */
class Region {
  /** what came of its sites, and what the evaluation had cost then */
  readonly done = new Map<Site, { readonly value: Value; readonly cost: number }>();
  /** those that this run of the step has come to */
  readonly met = new Set<Site>();
}

/** Steps of which one was taken: a rest is due. */
function* rested<T>(steps: Steps<T>): Steps<T> {
  yield longWork;
  return yield* steps;
}

export class Run {
  /** of variables first, then of loops; by the slots that the plan gave */
  readonly slots: (Value | undefined)[];
  readonly limit: number;
  readonly manner: Manner;
  cost = 0;
  readonly pace = new Pace(EFFORT_AT_ONCE);
  #region: Region | undefined;
  #restAt = 0;

  constructor(slots: (Value | undefined)[], limit: number, manner: Manner = 'at once') {
    this.slots = slots;
    this.limit = limit;
    this.manner = manner;
  }

  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.limit) throw new CostExceeded();
  }

  /** What came of a site that is done; undefined: it is not. */
  done(site: Site): Value | undefined {
    const region = this.#region;
    const done = region?.done.get(site);
    if (!region || !done) return undefined;
    if (!region.met.has(site)) this.cost = done.cost;
    region.met.add(site);
    return done.value;
  }

  /** What comes of a site. Throws Pending. */
  finish(site: Site, steps: Steps<Value>): Value {
    if (this.manner === 'at once') return takeSteps(steps);
    const first = steps.next();
    if (first.done) return first.value;
    throw new Pending(site, rested(steps));
  }

  /** The value of a step, for an evaluation that may rest. */
  *take(step: Step): Steps<Value> {
    const { cost } = this;
    let region: Region | undefined;
    for (;;) {
      this.#region = region;
      try {
        return step(this);
      } catch (e) {
        if (!(e instanceof Pending)) throw e;
        region ??= new Region();
        region.done.set(e.site, { value: yield* e.steps, cost: this.cost });
        region.met.clear();
        // it pays again for what it does again
        this.cost = cost;
      }
    }
  }

  /** Lets others have their turn when enough was done. */
  *rest(): Steps<void> {
    if (this.cost < this.#restAt) return;
    this.#restAt = this.cost + COST_AT_ONCE;
    yield longWork;
  }
}
