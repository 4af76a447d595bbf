/**
 * A walk through an object by its rules (rules.ts): where it is, what the object was before, and what was found, which is
 * told in the order of the object.
 *
 * A walk that has seen much rests: the lists and maps that it is in stop, their rest is put off, and `resume` goes on
 * there. So a large object is judged in slices, and a small one, which never gets so far, pays a comparison per item.
 * What is put off comes after all that is not: rules of an object as a whole can't build on those of its lists.
 */
import { collectFieldErrors, type FieldError, fieldErrors, fieldErrorsMax } from '../../meta/status-error.ts';
import { type Steps, takeSteps } from '../../meta/steps.ts';

/** What a value has to be. `old`: what the same part of the object was, if there was one. An absent value concerns only the rules that say so. */
export type Rule<T> = (value: T, walk: Walk, old: T | undefined) => void;

type Step = string | number;

interface PutOff {
  readonly rest: () => void;
  readonly path: readonly Step[];
  readonly errors: FieldError[];
  readonly about: unknown;
  readonly kept: ReadonlySet<unknown>;
}

/** Fields and items looked at without a rest: ten milliseconds or so. */
const lookedAtMax = 20_000;

const nothingKept: ReadonlySet<unknown> = new Set();
const nothingPutOff: readonly PutOff[] = [];

export class Walk {
  /** where findings go: asked for anew each time, since it changes when something is put off */
  errors: FieldError[];
  /** what rules further up have worked out for those below */
  about: unknown;
  /** values that the object had before, which are not judged again, wherever they stand now */
  kept: ReadonlySet<unknown> = nothingKept;
  #path: Step[];
  readonly #base: string;
  /** what was found, in the order of the object */
  readonly #parts: FieldError[][];
  #putOff: readonly PutOff[] = nothingPutOff;
  #lookedAt = 0;

  /** there is an old object */
  readonly isUpdate: boolean;

  constructor({ errors = [], base = '', isUpdate = false }: { errors?: FieldError[]; base?: string; isUpdate?: boolean } = {}) {
    this.isUpdate = isUpdate;
    this.errors = errors;
    this.#parts = [errors];
    this.#path = [];
    this.#base = base;
  }

  /** Where the walk is, or a field below. */
  at(below = ''): string {
    let text = this.#base;
    for (const step of this.#path) text += typeof step === 'number' ? `[${step}]` : step.startsWith('[') ? step : `${text && '.'}${step}`;
    return below ? `${text}${text && !below.startsWith('[') ? '.' : ''}${below}` : text;
  }

  /** `step`: a field, an index, or a key in brackets. */
  enter(step: Step): void {
    this.#path.push(step);
    this.#lookedAt++;
  }

  leave(): void {
    this.#path.pop();
  }

  /** Counts something that is looked at where the walk is. */
  look(): void {
    this.#lookedAt++;
  }

  /** A part by its own rule. */
  check<T>(step: Step, value: T | undefined, rule: Rule<T>, old?: T): void {
    if (value === undefined) return;
    this.enter(step);
    rule(value, this, old);
    this.leave();
  }

  /** steps from the beginning to where the walk is */
  get depth(): number {
    return this.#path.length;
  }

  /** Told of what is further up: upstream leaves indices out of some paths, or names the whole. */
  outside(act: () => void, depth = this.depth - 1): void {
    const below = this.#path.splice(depth);
    act();
    this.#path.push(...below);
  }

  // What is wrong, here or with a field below.
  invalid(below: string, value: unknown, detail: string): void {
    this.errors.push(fieldErrors.invalid(this.at(below), value, detail));
  }
  invalidWithoutValue(below: string, detail: string): void {
    this.errors.push(fieldErrors.invalidWithoutValue(this.at(below), detail));
  }
  required(below: string, detail = ''): void {
    this.errors.push(fieldErrors.required(this.at(below), detail));
  }
  forbidden(below: string, detail: string): void {
    this.errors.push(fieldErrors.forbidden(this.at(below), detail));
  }
  notFound(below: string, value: unknown, detail = ''): void {
    const error = fieldErrors.notFound(this.at(below), value);
    this.errors.push(detail ? { ...error, detail } : error);
  }
  duplicate(below: string, value: unknown, detail = ''): void {
    const error = fieldErrors.duplicate(this.at(below), value);
    this.errors.push(detail ? { ...error, detail } : error);
  }
  notSupported(below: string, value: unknown, supported: readonly string[]): void {
    this.errors.push(fieldErrors.notSupported(this.at(below), value, supported));
  }
  tooLong(below: string, max: number, unit?: 'character'): void {
    this.errors.push(fieldErrors.tooLong(this.at(below), max, unit));
  }
  tooMany(below: string, actual: number, max: number): void {
    this.errors.push(fieldErrors.tooMany(this.at(below), actual, max));
  }

  get isTired(): boolean {
    return this.#lookedAt > lookedAtMax;
  }

  /** Puts off what is left here. What it finds is told in this place. */
  putOff(rest: () => void): void {
    const errors: FieldError[] = [];
    const after: FieldError[] = [];
    this.#parts.splice(this.#parts.indexOf(this.errors) + 1, 0, errors, after);
    this.#putOff = [...this.#putOff, { rest, path: [...this.#path], errors, about: this.about, kept: this.kept }];
    this.errors = after;
  }

  get isResting(): boolean {
    return this.#putOff.length > 0;
  }

  /** Goes on after a rest, in the order of the object. */
  resume(): void {
    const [next, ...later] = this.#putOff;
    if (!next) return;
    this.#putOff = nothingPutOff;
    this.#lookedAt = 0;
    this.#path = [...next.path];
    this.errors = next.errors;
    this.about = next.about;
    this.kept = next.kept;
    next.rest();
    if (later.length > 0) this.#putOff = [...this.#putOff, ...later];
  }

  get found(): readonly FieldError[] {
    return this.#parts.length === 1 ? this.errors : this.#parts.flat();
  }
}

const nothing: readonly FieldError[] = [];

/** All that a rule finds wrong, or a little more than anybody is told; in slices. */
export function* judge<T>(rule: Rule<T>, value: T, old?: T): Steps<readonly FieldError[]> {
  const walk = new Walk({ isUpdate: old !== undefined });
  const go = (on: () => void): FieldError | undefined =>
    collectFieldErrors(() => {
      on();
      return nothing;
    }).at(-1);
  let tooMuch = go(() => rule(value, walk, old));
  while (!tooMuch && walk.isResting && walk.found.length <= fieldErrorsMax) {
    yield;
    tooMuch = go(() => walk.resume());
  }
  return tooMuch ? [...walk.found, tooMuch] : walk.found;
}

/** The same at once. */
export const judgeAtOnce = <T>(rule: Rule<T>, value: T, old?: T): readonly FieldError[] => takeSteps(judge(rule, value, old));

/** The rule's findings added to those of checks that know no walks. */
export function addJudged<T>(errors: FieldError[], path: string, value: T | undefined, rule: Rule<T>): void {
  const walk = new Walk({ errors, base: path });
  rule(value as T, walk, undefined);
  while (walk.isResting) walk.resume();
  if (walk.found !== errors) errors.splice(0, errors.length, ...walk.found);
}
