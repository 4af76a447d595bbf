/**
 * Loops: what `all`, `exists`, `map`, `filter` and their like come to. A loop over nothing gives a value a name: its
 * accumulator is evaluated when it is first asked for.
 */

import type { Steps } from '../meta/steps.ts';
import { Pending, type Run, type Step } from './run.ts';
import { CelError, EntryMap, GrowingList, List, MapValue, typeName, type Value } from './values.ts';

export interface LoopParts {
  readonly range: Step;
  /** what the accumulator begins as; a list or a map is added to in place, a name has nothing yet */
  readonly init: Step | 'list' | 'map' | 'name';
  readonly condition: Step;
  readonly step: Step;
  readonly result: Step;
  /** slots; with `second`, `first` is for the index or the key */
  readonly accumulator: number;
  readonly first: number;
  readonly second: number | undefined;
}

export function loop(parts: LoopParts): Step {
  const site: Step = (run) => {
    if (run.manner !== 'in steps') return atOnce(parts, run);
    const value = run.done(site);
    if (value === undefined) throw new Pending(site, inSteps(parts, run));
    return value;
  };
  return site;
}

function atOnce(parts: LoopParts, run: Run): Value {
  const { range, init, condition, step, result, accumulator } = parts;
  const items = itemsOf(range(run));
  if (items instanceof CelError) return items;
  run.slots[accumulator] = typeof init === 'function' ? init(run) : begun(init);
  for (let i = 0; i < items.count; i += 1) {
    bind(run, parts, items, i);
    if (condition(run) === false) break;
    run.slots[accumulator] = step(run);
  }
  return complete(result(run));
}

function* inSteps(parts: LoopParts, run: Run): Steps<Value> {
  const { range, init, condition, step, result, accumulator } = parts;
  const items = itemsOf(yield* run.take(range));
  if (items instanceof CelError) return items;
  run.slots[accumulator] = typeof init === 'function' ? yield* run.take(init) : begun(init);
  for (let i = 0; i < items.count; i += 1) {
    bind(run, parts, items, i);
    if ((yield* run.take(condition)) === false) break;
    run.slots[accumulator] = yield* run.take(step);
    yield* run.rest();
  }
  return complete(yield* run.take(result));
}

/** A value that has a name: evaluated when it is first asked for. */
export function named(slot: number, value: Step): Step {
  const site: Step = (run) => {
    if (run.manner !== 'in steps') run.slots[slot] ??= value(run);
    const known = run.done(site) ?? run.slots[slot];
    if (known === undefined) throw new Pending(site, name(run, slot, value));
    return known;
  };
  return site;
}

function* name(run: Run, slot: number, value: Step): Steps<Value> {
  const made = yield* run.take(value);
  run.slots[slot] = made;
  return made;
}

/** Of a map, `keys` are its keys. */
interface Items {
  readonly of: List | MapValue;
  readonly keys: readonly Value[] | undefined;
  readonly count: number;
}

function itemsOf(of: Value): Items | CelError {
  if (of instanceof List) return { of, keys: undefined, count: of.size };
  if (of instanceof MapValue) {
    const keys = [...of.keys()];
    return { of, keys, count: keys.length };
  }
  return of instanceof CelError ? of : new CelError(`got '${typeName(of)}', expected iterable type`);
}

function bind({ slots }: Run, { first, second }: LoopParts, { of, keys }: Items, i: number): void {
  const item = keys ? keys[i] : (of as List).at(i);
  if (second === undefined) {
    slots[first] = item;
  } else {
    slots[first] = keys ? item : BigInt(i);
    slots[second] = keys ? ((of as MapValue).get(item ?? null) ?? null) : item;
  }
}

function begun(init: 'list' | 'map' | 'name'): Value | undefined {
  if (init === 'name') return undefined;
  return init === 'list' ? new GrowingList() : new EntryMap();
}

function complete(value: Value): Value {
  return value instanceof GrowingList ? new List(value.raw) : value;
}
