/** Ranges of numbers, both ends included, as sets: merged, and one without another. Ascending and disjoint is what both give; linear but for the sorting. */

export type Range<N extends number | bigint> = readonly [first: N, last: N];

/** Those that overlap or touch become one. `next` is the number behind one. */
export function mergeRanges<N extends number | bigint>(ranges: readonly Range<N>[], next: (number: N) => N): Range<N>[] {
  const merged: [N, N][] = [];
  for (const [first, end] of ranges.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const last = merged.at(-1);
    if (!last || first > next(last[1])) merged.push([first, end]);
    else if (end > last[1]) last[1] = end;
  }
  return merged;
}

/** What is left of a range without others, which are ascending and disjoint. */
export function withoutRanges([first, last]: Range<bigint>, holes: readonly Range<bigint>[]): Range<bigint>[] {
  const left: Range<bigint>[] = [];
  let start = first;
  for (const [holeFirst, holeLast] of holes) {
    if (holeLast < start) continue;
    if (holeFirst > last) break;
    if (holeFirst > start) left.push([start, holeFirst - 1n]);
    start = holeLast + 1n;
  }
  if (start <= last) left.push([start, last]);
  return left;
}
