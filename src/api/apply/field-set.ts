/**
 * A set of fields of an object, in the form of FieldsV1: a tree whose keys are steps (path-element.ts). A step that is a
 * key without anything below it is a member; one with something below is a member only when that has the key `.`.
 * `{ 'f:data': { '.': {}, 'f:a': {} } }` has the field `data` and the field `a` in it.
 *
 * Guarantees: sets are values, nothing is changed in place, and what would be equal to an argument is that argument, so
 * that a caller sees by `===` that nothing changed. No set has a branch without members. The order of keys says nothing;
 * `sorted` brings them into that of FieldsV1. What ends in `InSteps` may rest.
 * Specified by structured-merge-diff (fieldpath/set.go, serialize.go).
 */
import { Pace, type Steps, takeSteps } from '../meta/steps.ts';
import { copyOf } from '../meta/words.ts';
import { isJsonObject } from '../schema/merge-patch.ts';
import { compareElements, type FieldPath, type PathElement, parsePathElement, type ReadElement, readElement } from './path-element.ts';

export interface FieldSet {
  readonly [element: PathElement]: FieldSet;
  readonly '.'?: FieldSet;
}
/** While it is made. */
export interface FieldTree {
  [element: PathElement]: FieldSet;
  '.'?: FieldSet;
}

/** A copy to be changed. */
export const treeOf = (set: FieldSet): FieldTree => copyOf<FieldSet>(set as Readonly<Record<string, FieldSet>>) as FieldTree;

export const noFields: FieldSet = Object.freeze({});
/** What is below a step that is a member and nothing else. */
export const leaf: FieldSet = Object.freeze({});

/** Elements after which what is made of a large set may rest. */
const atOnce = 1000;
const pace = new Pace(atOnce);

/** The steps from here; not `.`. */
export function elementsOf(set: FieldSet): PathElement[] {
  const elements = Object.keys(set) as PathElement[];
  return '.' in set ? elements.filter((element) => (element as string) !== '.') : elements;
}

/** Sets with many steps: the engine gathers all of them to say whether there is one. */
const known = new WeakSet<FieldSet>();
const manySteps = 64;

export function isEmpty(set: FieldSet): boolean {
  if (known.has(set)) return false;
  let steps = 0;
  for (const _ in set) {
    if (++steps < manySteps) continue;
    known.add(set);
    break;
  }
  return steps === 0;
}

/** Whether a step is a member, by what is below it. */
export const isMember = (below: FieldSet): boolean => '.' in below || isEmpty(below);

/** What is below a member. */
const asMember = (below: FieldSet): FieldSet => (isMember(below) ? below : { '.': leaf, ...below });

function withoutSelf({ '.': _, ...children }: FieldSet): FieldSet {
  return children;
}

export function hasField(set: FieldSet, path: FieldPath): boolean {
  let at: FieldSet | undefined = set;
  for (const element of path) at = at?.[element];
  return at !== undefined && path.length > 0 && isMember(at);
}

/** The set of these paths. */
export function fieldSetOf(...paths: readonly FieldPath[]): FieldSet {
  const alone = paths.map((path) => path.reduceRight<FieldSet>((below, element) => ({ [element]: below }), leaf));
  return alone.reduce(unionOf, noFields);
}

export const unionOf = (a: FieldSet, b: FieldSet): FieldSet => takeSteps(unionInSteps(a, b));

export function* unionInSteps(a: FieldSet, b: FieldSet): Steps<FieldSet> {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  let union: FieldTree | undefined;
  for (const element of elementsOf(b)) {
    if (pace.isDue()) yield;
    const left = a[element];
    const right = b[element] ?? leaf;
    if (left === right) continue;
    const both = left === undefined ? right : yield* unionBelow(left, right);
    if (both === left) continue;
    union ??= treeOf(a);
    union[element] = both;
  }
  return union ?? a;
}

/** Of what is below the same step in two sets. */
export function* unionBelow(a: FieldSet, b: FieldSet): Steps<FieldSet> {
  if (a === b) return a;
  if (isEmpty(b)) return asMember(a);
  if (isEmpty(a)) return asMember(b);
  const union = yield* unionInSteps(a, b);
  return isMember(b) ? asMember(union) : union;
}

export const intersectionOf = (a: FieldSet, b: FieldSet): FieldSet => takeSteps(intersectionInSteps(a, b));

export function* intersectionInSteps(a: FieldSet, b: FieldSet): Steps<FieldSet> {
  const both: FieldTree = {};
  for (const element of elementsOf(b)) {
    if (pace.isDue()) yield;
    const left = a[element];
    const right = b[element] ?? leaf;
    if (left === undefined) continue;
    const below = isEmpty(left) || isEmpty(right) ? leaf : yield* intersectionInSteps(left, right);
    if (isMember(left) && isMember(right)) both[element] = asMember(below);
    else if (!isEmpty(below)) both[element] = below;
  }
  return both;
}

/** Without the members of `b`; what is below them stays. */
export const differenceOf = (a: FieldSet, b: FieldSet): FieldSet => takeSteps(without(a, b, false));
export const differenceInSteps = (a: FieldSet, b: FieldSet): Steps<FieldSet> => without(a, b, false);

/** Without the members of `b` and all that is below them. */
export const recursiveDifferenceOf = (a: FieldSet, b: FieldSet): FieldSet => takeSteps(without(a, b, true));

function* without(a: FieldSet, b: FieldSet, recursive: boolean): Steps<FieldSet> {
  let rest: FieldTree | undefined;
  for (const element of elementsOf(b)) {
    if (pace.isDue()) yield;
    const left = a[element];
    if (left === undefined) continue;
    const below = yield* withoutBelow(left, b[element] ?? leaf, recursive);
    if (below === left) continue;
    rest ??= treeOf(a);
    if (below) rest[element] = below;
    else delete rest[element];
  }
  return rest ?? a;
}

/** What is left below a step; undefined: nothing, and it is no member either. */
function* withoutBelow(a: FieldSet, b: FieldSet, recursive: boolean): Steps<FieldSet | undefined> {
  if (isMember(b) && (recursive || isEmpty(a))) return undefined;
  const kept = yield* without(a, b, recursive);
  const rest = isMember(b) && '.' in kept ? withoutSelf(kept) : kept;
  if (rest === a || elementsOf(rest).length > 0) return rest;
  return isMember(a) && !isMember(b) ? leaf : undefined;
}

export const equalSets = (a: FieldSet, b: FieldSet): boolean => takeSteps(equalInSteps(a, b));

export function* equalInSteps(a: FieldSet, b: FieldSet): Steps<boolean> {
  if (a === b) return true;
  const elements = elementsOf(a);
  if (Object.keys(a).length !== Object.keys(b).length || '.' in a !== '.' in b) return false;
  for (const element of elements) {
    if (pace.isDue()) yield;
    const left = a[element] ?? leaf;
    const right = b[element];
    if (right === undefined) return false;
    if (left !== right && !(yield* equalInSteps(left, right))) return false;
  }
  return true;
}

/** All members, those of one level before what is below them, in the order of FieldsV1. */
export function* pathsOf(set: FieldSet, prefix: FieldPath = []): Iterable<FieldPath> {
  const elements = takeSteps(sortInSteps(elementsOf(set)));
  for (const element of elements) if (isMember(set[element] ?? leaf)) yield [...prefix, element];
  for (const element of elements) yield* pathsOf(set[element] ?? leaf, [...prefix, element]);
}

/** In the order of FieldsV1: `JSON.stringify` of it is what upstream writes. */
export function* sorted(set: FieldSet): Steps<FieldSet> {
  const inOrder: FieldTree = '.' in set ? { '.': leaf } : {};
  for (const element of yield* sortInSteps(elementsOf(set))) {
    if (pace.isDue()) yield;
    const below = set[element] ?? leaf;
    inOrder[element] = isEmpty(below) ? leaf : yield* sorted(below);
  }
  return inOrder;
}

/** Runs that are sorted at once, then merged. */
function* sortInSteps(elements: readonly PathElement[]): Steps<readonly PathElement[]> {
  let runs: ReadElement[][] = [];
  for (let at = 0; at < elements.length; at += atOnce) {
    if (at > 0) yield;
    runs.push(
      elements
        .slice(at, at + atOnce)
        .map(readElement)
        .sort(compareElements),
    );
  }
  while (runs.length > 1) {
    const longer: ReadElement[][] = [];
    for (let i = 0; i < runs.length; i += 2) longer.push(yield* merged(runs[i] ?? [], runs[i + 1] ?? []));
    runs = longer;
  }
  return (runs[0] ?? []).map(({ element }) => element);
}

function* merged(a: readonly ReadElement[], b: readonly ReadElement[]): Steps<ReadElement[]> {
  const both: ReadElement[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (pace.isDue()) yield;
    const [left, right] = [a[i], b[j]];
    const isLeft = left !== undefined && (right === undefined || compareElements(left, right) <= 0);
    const next = isLeft ? a[i++] : b[j++];
    if (next) both.push(next);
  }
  return both;
}

/** FieldsV1 as a client has written it. Throws what is wrong with it. */
export function parseFieldSet(value: unknown): FieldSet {
  if (value === null || value === undefined) return noFields;
  if (!isJsonObject(value)) throw new Error('a set of fields is an object');
  const set: FieldTree = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key === '.') continue;
    const element = parsePathElement(key);
    if (element === undefined) continue;
    const below = parseFieldSet(inner);
    const read = isJsonObject(inner) && Object.hasOwn(inner, '.') ? asMember(below) : below;
    const known = set[element];
    set[element] = known ? takeSteps(unionBelow(known, read)) : read;
  }
  return set;
}
