/**
 * Filling in read-only objects. Every function here returns the object it was given when there is nothing to change, so
 * an object that is complete already costs a few comparisons and no allocation.
 */

/** Sets the fields of `defaults` that are absent. For fields whose zero value means something (upstream: pointers). */
export function setDefaults<T extends object>(object: T, defaults: Partial<T>): T {
  let filled: T | undefined;
  for (const key in defaults) {
    if (object[key] === undefined) {
      filled ??= { ...object };
      filled[key] = defaults[key] as T[typeof key];
    }
  }
  return filled ?? object;
}

/** Sets the fields of `defaults` that are absent, zero or the empty string. For fields where these mean the same. */
export function setDefaultsWhereEmpty<T extends object>(object: T, defaults: Partial<T>): T {
  let filled: T | undefined;
  for (const key in defaults) {
    const value: unknown = object[key];
    if (value === undefined || value === '' || value === 0) {
      filled ??= { ...object };
      filled[key] = defaults[key] as T[typeof key];
    }
  }
  return filled ?? object;
}

/** Applies `change` to a field that is there. */
export function change<T extends object, K extends keyof T>(object: T, key: K, change: (value: NonNullable<T[K]>) => T[K]): T {
  const value = object[key];
  if (value === undefined || value === null) return object;
  const changed = change(value);
  return changed === value ? object : { ...object, [key]: changed };
}

/** Applies `change` to every item; the list itself comes back when no item changed. */
export function mapSame<T>(list: readonly T[], change: (item: T, index: number) => T): readonly T[] {
  let result: T[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const item = list[i] as T;
    const changed = change(item, i);
    if (changed !== item) {
      result ??= list.slice();
      result[i] = changed;
    }
  }
  return result ?? list;
}

/** The object without some of its fields. */
export function omit<T extends object, K extends keyof T>(object: T, ...keys: readonly K[]): T {
  if (!keys.some((key) => key in object)) return object;
  const copy = { ...object };
  for (const key of keys) delete copy[key];
  return copy;
}
