/**
 * Picks a number that is free: at random from behind the static band, and from the band when nothing else is left. What
 * is free is what the cache says; whether it still is, the commit decides.
 */
import type { Random } from '../../../client/clock.ts';

export interface NumberRange {
  readonly size: number;
  /** how many at the start are kept for those who ask for one by name, as long as others are left */
  readonly staticSize: number;
}

/** Undefined when all are taken. */
export function pickNumber({ size, staticSize }: NumberRange, random: Random, isTaken: (number: number) => boolean): number | undefined {
  return pickBetween(staticSize, size, random, isTaken) ?? pickBetween(0, staticSize, random, isTaken);
}

function pickBetween(from: number, to: number, random: Random, isTaken: (number: number) => boolean): number | undefined {
  const length = to - from;
  if (length <= 0) return undefined;
  const start = Math.floor(random.next() * length);
  for (let step = 0; step < length; step++) {
    const number = from + ((start + step) % length);
    if (!isTaken(number)) return number;
  }
  return undefined;
}
