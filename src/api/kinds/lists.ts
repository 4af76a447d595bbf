/** Reading lists and objects that may be absent, empty, or name one thing twice. */

/** Entries of a list that may be absent, or null. */
export const listOf = <T>(list: readonly T[] | null | undefined): readonly T[] => list ?? [];

export const isEmptyObject = (object: object | undefined): boolean => {
  for (const _ in object) return false;
  return true;
};

/** The items by name; of several of one name the first. */
export const firstByName = <T extends { readonly name: string }>(list: readonly T[]): ReadonlyMap<string, T> =>
  new Map(list.toReversed().map((item) => [item.name, item]));
