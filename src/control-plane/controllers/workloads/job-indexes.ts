/**
 * Sets of completion indexes, kept as sorted intervals and written as `0,3-5,9`. Pure.
 * Upstream: pkg/controller/job/indexed_job_utils.go.
 */

interface Interval {
  readonly first: number;
  readonly last: number;
}

export class IndexSet {
  static readonly none: IndexSet = new IndexSet([]);
  readonly #intervals: readonly Interval[];

  private constructor(intervals: readonly Interval[]) {
    this.#intervals = intervals;
  }

  static of(indexes: Iterable<number>): IndexSet {
    return IndexSet.#join([...indexes].sort((a, b) => a - b).map((index) => ({ first: index, last: index })));
  }

  /** What can't be read is left out, and what is not below `completions`. */
  static parse(text: string | undefined, completions: number): IndexSet {
    const intervals: Interval[] = [];
    for (const part of text ? text.split(',') : []) {
      const match = /^(\d+)(?:-(\d+))?$/.exec(part);
      const first = Number(match?.[1]);
      if (!match || first >= completions) continue;
      intervals.push({ first, last: Math.min(Number(match[2] ?? first), completions - 1) });
    }
    return IndexSet.#join(intervals);
  }

  /** From intervals in the order of their beginnings. */
  static #join(intervals: readonly Interval[]): IndexSet {
    const joined: { first: number; last: number }[] = [];
    for (const { first, last } of intervals) {
      const before = joined.at(-1);
      if (before && first <= before.last + 1) before.last = Math.max(before.last, last);
      else joined.push({ first, last });
    }
    return new IndexSet(joined);
  }

  get size(): number {
    return this.#intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }

  has(index: number): boolean {
    return this.#intervals.some(({ first, last }) => first <= index && index <= last);
  }

  with(other: IndexSet): IndexSet {
    if (other.#intervals.length === 0) return this;
    return IndexSet.#join([...this.#intervals, ...other.#intervals].sort((a, b) => a.first - b.first));
  }

  /** How many indexes both have. */
  countCommon(other: IndexSet): number {
    let count = 0;
    for (const a of this.#intervals) {
      for (const b of other.#intervals) count += Math.max(0, Math.min(a.last, b.last) - Math.max(a.first, b.first) + 1);
    }
    return count;
  }

  /** The lowest `count` indexes below `completions` that are not in the set. */
  firstMissing(count: number, completions: number): readonly number[] {
    const missing: number[] = [];
    let candidate = 0;
    for (const { first, last } of [...this.#intervals, { first: completions, last: completions }]) {
      for (; candidate < Math.min(first, completions) && missing.length < count; candidate++) missing.push(candidate);
      candidate = Math.max(candidate, last + 1);
    }
    return missing;
  }

  toString(): string {
    const write = ({ first, last }: Interval): string => (first === last ? `${first}` : `${first}${last === first + 1 ? ',' : '-'}${last}`);
    return this.#intervals.map(write).join(',');
  }
}
