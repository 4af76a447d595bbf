/**
 * Lists that are sets have no item twice, lists that are maps no key.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/listtype.
 */
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { Pace, type Steps } from '../../meta/steps.ts';
import { own, put } from '../../meta/words.ts';
import { type Path, placesAtOnce, walkSaid } from './places.ts';
import type { Structural } from './structural.ts';
import { canonicalText, sortedFields } from './validate-value.ts';

type Json = Readonly<Record<string, unknown>>;

export function* checkListTypes(node: Structural, value: unknown, path: Path): Steps<readonly FieldError[]> {
  const found: FieldError[] = [];
  const pace = new Pace(placesAtOnce);
  for (const place of walkSaid(node, value, path)) {
    if (pace.isDue()) yield;
    const listType = place.node.said['x-kubernetes-list-type'];
    if (!Array.isArray(place.value)) continue;
    if (listType === 'set') found.push(...duplicates(place.value, place.path));
    if (listType === 'map') found.push(...checkMap(place.node, place.value, place.path));
  }
  return found;
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

function checkMap(node: Structural, list: readonly unknown[], path: Path): readonly FieldError[] {
  const wrong = list.findIndex((item) => item !== null && !isObject(item));
  if (wrong >= 0) {
    return [fieldErrors.invalid(path.item(wrong).text, list[wrong], 'must be an object for an array of list-type map')];
  }
  const names = node.said['x-kubernetes-list-map-keys'] ?? [];
  return duplicates(
    list.map((item) => keysOf(isObject(item) ? item : {}, names)),
    path,
  );
}

function keysOf(item: Json, names: readonly string[]): Json {
  const keys: Record<string, unknown> = {};
  for (const name of names) if (Object.hasOwn(item, name)) put(keys, name, own(item, name));
  return keys;
}

/** Each is told once, where it is the second time. */
function duplicates(list: readonly unknown[], path: Path): readonly FieldError[] {
  const seen = { scalars: new Map<unknown, number>(), others: new Map<unknown, number>() };
  return list.flatMap((item, i) => {
    const isScalar = typeof item !== 'object';
    const known = isScalar ? seen.scalars : seen.others;
    const key = isScalar ? item : canonicalText(item);
    const times = (known.get(key) ?? 0) + 1;
    known.set(key, times);
    return times === 2 ? [fieldErrors.duplicate(path.item(i).text, sortedFields(item))] : [];
  });
}
