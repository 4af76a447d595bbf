/**
 * Time zones by their names in the IANA database, with its letter case: what the wall clock shows there at an instant,
 * and which instant a date on the wall clock is. The offsets come from the runtime's own copy of the database.
 *
 * A date that the clock skips, or shows twice, becomes an instant by Go's rule (time.Date), on which cron schedules stand.
 */

import names from '../data/time-zones.json' with { type: 'json' };
import { formatTime } from './time.ts';

/** A date and time without a zone; months from 1, days of the week from Sunday = 0. */
export interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const known = new Set<string>(names);
/** In the database, for machines that were never set up; the runtime does not know it. */
const unset = 'Factory';
const offsetsMax = 4000;
const dayMs = 86_400_000;

export class TimeZone {
  static readonly utc = new TimeZone('UTC');
  readonly name: string;
  readonly #format: Intl.DateTimeFormat | undefined;
  /** by instants, those that were asked for */
  readonly #offsets = new Map<number, number>();

  private constructor(name: string) {
    this.name = name;
    if (name === 'UTC' || name === unset) return;
    const digits = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const;
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, hourCycle: 'h23', era: 'short', ...digits });
  }

  /** undefined: there is no such zone */
  static find(name: string): TimeZone | undefined {
    if (name === 'UTC') return TimeZone.utc;
    return known.has(name) ? new TimeZone(name) : undefined;
  }

  /** How far the wall clock is ahead of UTC. No zone moves its clock and moves it back within a day. */
  offsetMs(atMs: number): number {
    if (!this.#format) return 0;
    const dayStart = Math.floor(atMs / dayMs) * dayMs;
    const offset = this.#lookUp(dayStart);
    return this.#lookUp(dayStart + dayMs) === offset ? offset : this.#lookUp(Math.floor(atMs / 60_000) * 60_000);
  }

  #lookUp(atMs: number): number {
    const seen = this.#offsets.get(atMs);
    if (seen !== undefined || !this.#format) return seen ?? 0;
    if (this.#offsets.size >= offsetsMax) this.#offsets.clear();
    const parts = new Map<string, string>();
    for (const { type, value } of this.#format.formatToParts(atMs)) parts.set(type, value);
    const part = (type: string): number => Number(parts.get(type));
    const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year');
    const offset = utcMs(year, part('month'), part('day'), part('hour'), part('minute'), part('second')) - atMs;
    this.#offsets.set(atMs, offset);
    return offset;
  }

  wallTime(atMs: number): WallTime {
    const date = new Date(atMs + this.offsetMs(atMs));
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      weekday: date.getUTCDay(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
    };
  }

  /** RFC 3339 with the zone's offset: `2026-07-01T09:00:00+02:00` */
  format(atMs: number): string {
    const offsetMs = this.offsetMs(atMs);
    const minutes = Math.trunc(Math.abs(offsetMs) / 60_000);
    const two = (value: number): string => String(value).padStart(2, '0');
    const offset = minutes === 0 ? 'Z' : `${offsetMs < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
    return formatTime(atMs + offsetMs).replace('Z', offset);
  }

  /** The instant at which the clock shows this. Values beyond their bounds carry over: day 32 is in the next month. */
  instantOf({ year, month, day, hour, minute, second }: Omit<WallTime, 'weekday'>): number {
    const wallMs = utcMs(year, month, day, hour, minute, second);
    const guessMs = wallMs - this.offsetMs(wallMs);
    return wallMs - this.offsetMs(guessMs);
  }
}

/** As Date.UTC, but years below 100 are meant as they stand. */
function utcMs(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  return new Date(0).setUTCFullYear(year, month - 1, day) + ((hour * 60 + minute) * 60 + second) * 1000;
}
