/**
 * Paths: a value and the keys by which it is looked into, `self.a[0].?b`, as one step. What is missing on the way is an
 * error, or nothing where the path is optional.
 */

import type { Run, Step } from './run.ts';
import { asKey, CelError, compareNumbers, List, MapValue, noSuchOverload, Optional, typeName, type Value } from './values.ts';

/** What is behind a key: undefined when there is nothing. */
function lookUp(value: Value, key: Value): Value | undefined {
  if (value instanceof MapValue) return value.get(key);
  if (value instanceof List) {
    const index = indexOf(key);
    return typeof index === 'number' ? value.at(index) : index;
  }
  return undefined;
}

function indexOf(key: Value): number | CelError {
  if (typeof key === 'bigint') return Number(key);
  if (typeof key === 'number') return Number.isInteger(key) ? key : new CelError(`unsupported index value ${key} in list`);
  return compareNumbers(key, key) === 0 ? Number(asKey(key)) : new CelError(`unsupported index type '${typeName(key)}' in list`);
}

function missing(value: Value, key: Value): CelError {
  return new CelError(`${value instanceof List ? 'index out of bounds' : 'no such key'}: ${showValue(key)}`);
}

/** As Go prints it in errors. */
export function showValue(value: Value): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : String(value);
  return compareNumbers(value, value) === 0 ? String(asKey(value)) : typeName(value);
}

/**
 * A key of a path. `find` gives what is there (undefined: nothing), and pays; in an optional path a key that finds nothing
 * pays nothing.
 */
export interface Key {
  readonly isOptional: boolean;
  find(run: Run, value: Value, isOptional: boolean): Value | undefined;
  show(run: Run): Value;
}

export class FieldKey implements Key {
  readonly isOptional: boolean;
  readonly #key: Value;
  constructor(key: Value, isOptional: boolean) {
    this.#key = key;
    this.isOptional = isOptional;
  }
  find(run: Run, value: Value, isOptional: boolean): Value | undefined {
    const found = lookUp(value, this.#key);
    if (found !== undefined || !isOptional) run.charge(1);
    return found;
  }
  show(): Value {
    return this.#key;
  }
}

export class ComputedKey implements Key {
  readonly isOptional: boolean;
  readonly #step: Step;
  #last: Value = null;
  constructor(step: Step, isOptional: boolean) {
    this.#step = step;
    this.isOptional = isOptional;
  }
  find(run: Run, value: Value, isOptional: boolean): Value | undefined {
    const key = this.#step(run);
    this.#last = key;
    const found = key instanceof CelError ? key : lookUp(value, key);
    if (!isOptional || (found !== undefined && found !== key)) run.charge(1);
    return found;
  }
  show(): Value {
    return this.#last;
  }
}

export class PresenceKey implements Key {
  readonly isOptional = false;
  readonly #name: string;
  constructor(name: string) {
    this.#name = name;
  }
  find(run: Run, value: Value, isOptional: boolean): Value {
    const found = lookUp(value, this.#name);
    if (found !== undefined || !isOptional) run.charge(1);
    return found instanceof CelError && value instanceof MapValue ? found : found !== undefined;
  }
  show(): Value {
    return this.#name;
  }
}

/** A value that is looked into: `resolve` pays for what is below it and its keys, not for the path itself. */
export interface Path {
  readonly cost: number;
  resolve(run: Run): Value;
  with(key: Key): Path;
}

export class RootPath implements Path {
  readonly cost: number;
  readonly #root: Step;
  readonly #keys: readonly Key[];
  constructor(root: Step, cost: number, keys: readonly Key[] = []) {
    this.#root = root;
    this.cost = cost;
    this.#keys = keys;
  }
  with(key: Key): Path {
    return new RootPath(this.#root, this.cost, [...this.#keys, key]);
  }
  resolve(run: Run): Value {
    let value = this.#root(run);
    if (this.#keys.length === 0 || value instanceof CelError) return value;
    let isOptional = false;
    if (value instanceof Optional) {
      if (value.value === undefined) return value;
      isOptional = true;
      value = value.value;
    }
    for (const key of this.#keys) {
      isOptional ||= key.isOptional;
      const found = key.find(run, value, isOptional);
      if (found instanceof CelError) return found;
      if (found === undefined) return isOptional ? Optional.none : missing(value, key.show(run));
      if (isOptional && key instanceof PresenceKey && found === false) return Optional.none;
      value = found;
    }
    return isOptional ? new Optional(value) : value;
  }
}

/** `c ? a : b`, looked into: keys are those of both branches. */
export class ChoicePath implements Path {
  readonly cost = 0;
  readonly #condition: Step;
  readonly #yes: Path;
  readonly #no: Path;
  constructor(condition: Step, yes: Path, no: Path) {
    this.#condition = condition;
    this.#yes = yes;
    this.#no = no;
  }
  with(key: Key): Path {
    return new ChoicePath(this.#condition, this.#yes.with(key), this.#no.with(key));
  }
  resolve(run: Run): Value {
    const condition = this.#condition(run);
    if (condition === true) return this.#yes.resolve(run);
    if (condition === false) return this.#no.resolve(run);
    return condition instanceof CelError ? condition : noSuchOverload();
  }
}
