/**
 * Equality of JSON values, as Kubernetes means it where it asks whether an object changed: absent, null, the empty list
 * and the empty object are not told apart by `equalSemantically`; `equalJson` tells them apart. Order of fields never counts.
 * Upstream: apimachinery/pkg/api/equality/semantic.go.
 */
import { own } from './words.ts';

export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && equalLists(a, b, equalJson);
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  let count = 0;
  for (const key in left) {
    if (left[key] === undefined) continue;
    count++;
    if (!equalJson(left[key], own(right, key))) return false;
  }
  for (const key in right) if (right[key] !== undefined) count--;
  return count === 0;
}

/** As `equalJson`, but absent, null, [] and {} are one. */
export function equalSemantically(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isEmpty(a)) return isEmpty(b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && equalLists(a, b, equalSemantically);
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) if (!equalSemantically(left[key], own(right, key))) return false;
  for (const key in right) if (!Object.hasOwn(left, key) && !isEmpty(right[key])) return false;
  return true;
}

function equalLists(a: readonly unknown[], b: readonly unknown[], equal: (x: unknown, y: unknown) => boolean): boolean {
  return a.length === b.length && a.every((item, i) => equal(item, b[i]));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const key in value) if (own(value as Record<string, unknown>, key) !== undefined) return false;
  return true;
}
