/**
 * A set of fields of an object, in the form of FieldsV1: a tree whose keys are steps (path-element.ts). A step that is a
 * key without anything below it is a member; one with something below is a member only when that has the key `.`.
 * `{ 'f:data': { '.': {}, 'f:a': {} } }` has the field `data` and the field `a` in it.
 *
 * Guarantees: sets are values, nothing is changed in place, and what would be equal to an argument is that argument, so
 * that a caller sees by `===` that nothing changed. No set has a branch without members. The order of keys says nothing;
 * `sorted` brings them into that of FieldsV1.
 * Specified by structured-merge-diff (fieldpath/set.go, serialize.go).
 */
import { isJsonObject } from '../schema/merge-patch.ts';
import { comparePathElements, type FieldPath, type PathElement, parsePathElement } from './path-element.ts';

export interface FieldSet {
  readonly [element: PathElement]: FieldSet;
  readonly '.'?: FieldSet;
}
/** While it is made. */
export interface FieldTree {
  [element: PathElement]: FieldSet;
  '.'?: FieldSet;
}

export const noFields: FieldSet = Object.freeze({});
/** What is below a step that is a member and nothing else. */
export const leaf: FieldSet = Object.freeze({});

/** The steps from here; not `.`. */
export function elementsOf(set: FieldSet): PathElement[] {
  const elements = Object.keys(set) as PathElement[];
  return '.' in set ? elements.filter((element) => (element as string) !== '.') : elements;
}

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
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

export function unionOf(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  let union: FieldTree | undefined;
  for (const element of elementsOf(b)) {
    const left = a[element];
    const right = b[element] ?? leaf;
    const both = left === undefined ? right : unionBelow(left, right);
    if (both === left) continue;
    union ??= { ...a };
    union[element] = both;
  }
  return union ?? a;
}

/** Of what is below the same step in two sets. */
export function unionBelow(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  if (isEmpty(b)) return asMember(a);
  if (isEmpty(a)) return asMember(b);
  const union = unionOf(a, b);
  return isMember(b) ? asMember(union) : union;
}

export function intersectionOf(a: FieldSet, b: FieldSet): FieldSet {
  const both: FieldTree = {};
  for (const element of elementsOf(b)) {
    const left = a[element];
    const right = b[element] ?? leaf;
    if (left === undefined) continue;
    const below = intersectionOf(left, right);
    if (isMember(left) && isMember(right)) both[element] = asMember(below);
    else if (!isEmpty(below)) both[element] = below;
  }
  return both;
}

/** Without the members of `b`; what is below them stays. */
export const differenceOf = (a: FieldSet, b: FieldSet): FieldSet => without(a, b, false);

/** Without the members of `b` and all that is below them. */
export const recursiveDifferenceOf = (a: FieldSet, b: FieldSet): FieldSet => without(a, b, true);

function without(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet {
  let rest: FieldTree | undefined;
  for (const element of elementsOf(b)) {
    const left = a[element];
    if (left === undefined) continue;
    const below = withoutBelow(left, b[element] ?? leaf, recursive);
    if (below === left) continue;
    rest ??= { ...a };
    if (below) rest[element] = below;
    else delete rest[element];
  }
  return rest ?? a;
}

/** What is left below a step; undefined: nothing, and it is no member either. */
function withoutBelow(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet | undefined {
  if (isMember(b) && (recursive || isEmpty(a))) return undefined;
  const kept = without(a, b, recursive);
  const rest = isMember(b) && '.' in kept ? withoutSelf(kept) : kept;
  if (rest === a || elementsOf(rest).length > 0) return rest;
  return isMember(a) && !isMember(b) ? leaf : undefined;
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  const elements = elementsOf(a);
  if (Object.keys(a).length !== Object.keys(b).length || '.' in a !== '.' in b) return false;
  return elements.every((element) => {
    const left = a[element] ?? leaf;
    const right = b[element];
    return right !== undefined && equalSets(left, right);
  });
}

/** All members, those of one level before what is below them, in the order of FieldsV1. */
export function* pathsOf(set: FieldSet, prefix: FieldPath = []): Iterable<FieldPath> {
  const elements = elementsOf(set).sort(comparePathElements);
  for (const element of elements) if (isMember(set[element] ?? leaf)) yield [...prefix, element];
  for (const element of elements) yield* pathsOf(set[element] ?? leaf, [...prefix, element]);
}

/** In the order of FieldsV1: `JSON.stringify` of it is what upstream writes. */
export function sorted(set: FieldSet): FieldSet {
  if (isSorted(set)) return set;
  const inOrder: FieldTree = '.' in set ? { '.': leaf } : {};
  for (const element of elementsOf(set).sort(comparePathElements)) inOrder[element] = sorted(set[element] ?? leaf);
  return inOrder;
}

function isSorted(set: FieldSet): boolean {
  let before: string | undefined;
  for (const element in set) {
    if (
      before !== undefined &&
      (element === '.' || (before !== '.' && comparePathElements(before as PathElement, element as PathElement) > 0))
    )
      return false;
    before = element;
    if (!isSorted(set[element as PathElement] ?? leaf)) return false;
  }
  return true;
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
    set[element] = known ? unionBelow(known, read) : read;
  }
  return set;
}
