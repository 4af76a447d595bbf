/**
 * Words of clients as keys of objects. Every object knows words that nobody gave it (`constructor`, `toString`,
 * `__proto__`), so what is looked up by a word that came from outside is read by `own` and written by `put`: then the
 * words of an object are those that are in it, all of them and no others. scripts/check-words.ts refuses `object[word]`.
 */

/** What the object itself has under that word. */
export function own<T>(object: Readonly<Record<string, T>> | undefined, word: string): T | undefined {
  return object !== undefined && Object.hasOwn(object, word) ? object[word] : undefined;
}

/** Sets a field, whatever its name. */
export function put<T>(object: Record<string, T>, word: string, value: NoInfer<T>): void {
  if (word === '__proto__') Object.defineProperty(object, word, { value, enumerable: true, configurable: true, writable: true });
  else object[word] = value;
}

/** Beyond so many fields, an object is a table to V8, which copies it field by field three times faster than at once. */
const manyFields = 1000;

/** A new object with the same fields. */
export function copyOf<T>(object: Readonly<Record<string, T>>): Record<string, T> {
  const words = Object.keys(object);
  if (words.length < manyFields) return { ...object };
  const copy: Record<string, T> = {};
  for (const word of words) put(copy, word, object[word] as NoInfer<T>);
  return copy;
}
