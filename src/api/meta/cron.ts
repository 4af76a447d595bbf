/**
 * Cron schedules: five fields (`30 6-18/4 * * mon-fri`), nicknames (`@daily`) and periods (`@every 1h30m`), read once, and the
 * times that they name.
 *
 * Grammar, wording and times are those of github.com/robfig/cron/v3, which upstream uses: a time that the zone's clock
 * skips does not come, one that it shows twice comes twice. There, where clocks move by half an hour, or at midnight, some
 * days go otherwise than one would think; they do here too. Times have whole seconds.
 */
import { describeDurationError, parseDuration } from './duration.ts';
import { TimeZone, type WallTime } from './time-zone.ts';

export interface CronSchedule {
  /** The first time after this one; undefined: none in five years. */
  next(afterMs: number): number | undefined;
  /** The last of the times that follow `afterMs` one by one, not after `untilMs`. */
  last(afterMs: number, untilMs: number): number | undefined;
}

/** What is no schedule, and why. */
export class CronError extends Error {}

/** Every minute, hour, day, month and weekday one by one would be 450. */
const charactersMax = 4096;

/** `zone`: where nothing else is said in the text (`TZ=Europe/Paris 0 3 * * *`). Throws CronError. */
export function parseCron(text: string, zone = TimeZone.utc): CronSchedule {
  if (!text) throw new CronError('empty spec string');
  if (text.length > charactersMax) throw new CronError(`must be no more than ${charactersMax} characters`);
  if (!/^(?:CRON_)?TZ=/.test(text)) return parseInZone(text, zone);
  const end = text.indexOf(' ');
  if (end < 0) throw new CronError('invalid schedule format: runtime error: slice bounds out of range [:-1]');
  return parseInZone(text.slice(end).trim(), namedZone(text.slice(text.indexOf('=') + 1, end)));
}

function namedZone(name: string): TimeZone {
  const zone = name === '' || name === 'Local' ? TimeZone.utc : TimeZone.find(name);
  if (zone) return zone;
  const isPath = name.includes('..') || name.startsWith('/') || name.startsWith('\\');
  throw new CronError(`provided bad location ${name}: ${isPath ? 'time: invalid location name' : `unknown time zone ${name}`}`);
}

function parseInZone(text: string, zone: TimeZone): CronSchedule {
  if (text.startsWith('@')) return parseNickname(text, zone);
  const given = text.split(space).filter(Boolean);
  if (given.length !== units.length) throw new CronError(`expected exactly 5 fields, found ${given.length}: [${given.join(' ')}]`);
  const [minutes, hours, days, months, weekdays] = given.map((field, i) => parseField(field, units[i] as Unit));
  return new FieldSchedule({ minutes, hours, days, months, weekdays } as Fields, zone);
}

/** Go's unicode.IsSpace */
const space = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

const nicknames = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

function parseNickname(text: string, zone: TimeZone): CronSchedule {
  const meaning = nicknames.get(text);
  if (meaning) return parseInZone(meaning, zone);
  if (!text.startsWith('@every ')) throw new CronError(`unrecognized descriptor: ${text}`);
  const duration = text.slice('@every '.length);
  const durationMs = parseDuration(duration);
  if (durationMs === undefined) {
    throw new CronError(`failed to parse duration ${text}: ${describeDurationError(duration)}`);
  }
  return new PeriodSchedule(Math.max(1000, wholeSeconds(durationMs)));
}

class PeriodSchedule implements CronSchedule {
  readonly #periodMs: number;
  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }
  next(afterMs: number): number {
    return wholeSeconds(afterMs) + this.#periodMs;
  }
  last(afterMs: number, untilMs: number): number | undefined {
    const fromMs = wholeSeconds(afterMs);
    const periods = Math.floor((untilMs - fromMs) / this.#periodMs);
    return periods > 0 ? fromMs + periods * this.#periodMs : undefined;
  }
}

const wholeSeconds = (ms: number): number => Math.floor(ms / 1000) * 1000;

interface Unit {
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const units: readonly Unit[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

interface Field {
  readonly values: ReadonlySet<number>;
  /** it has a `*`: of the two fields of days the other one decides */
  readonly isOpen: boolean;
}

interface Fields {
  readonly minutes: Field;
  readonly hours: Field;
  readonly days: Field;
  readonly months: Field;
  readonly weekdays: Field;
}

function parseField(text: string, unit: Unit): Field {
  const values = new Set<number>();
  let isOpen = false;
  for (const part of text.split(',').filter(Boolean)) {
    const range = parseRange(part, unit);
    isOpen ||= range.isOpen;
    for (let value = range.start; value <= range.end; value += range.step) values.add(value);
  }
  return { values, isOpen };
}

/** `5`, `5-10`, `*`, each with a step: `5/2` is every second one from five on. */
function parseRange(text: string, unit: Unit): { start: number; end: number; step: number; isOpen: boolean } {
  const [range = '', stepText, ...moreSlashes] = text.split('/');
  const [low = '', high, ...moreHyphens] = range.split('-');
  const isStar = low === '*' || low === '?';
  let [start, end] = [BigInt(unit.min), BigInt(unit.max)];
  if (!isStar) {
    start = parseValue(low, unit);
    if (moreHyphens.length) throw new CronError(`too many hyphens: ${text}`);
    end = high === undefined ? start : parseValue(high, unit);
  }
  if (moreSlashes.length) throw new CronError(`too many slashes: ${text}`);
  const step = stepText === undefined ? 1n : parseNumber(stepText);
  if (stepText !== undefined && high === undefined && !moreHyphens.length) end = BigInt(unit.max);
  if (start < unit.min) throw new CronError(`beginning of range (${start}) below minimum (${unit.min}): ${text}`);
  if (end > unit.max) throw new CronError(`end of range (${end}) above maximum (${unit.max}): ${text}`);
  if (start > end) throw new CronError(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0n) throw new CronError(`step of range should be a positive number: ${text}`);
  return { start: Number(start), end: Number(end), step: Number(step), isOpen: isStar && step === 1n };
}

function parseValue(text: string, { names, min }: Unit): bigint {
  const named = names.indexOf(text.toLowerCase());
  return named >= 0 ? BigInt(named + min) : parseNumber(text);
}

const int64Max = 2n ** 63n - 1n;

/** Go's strconv.Atoi, for what is not negative. */
function parseNumber(text: string): bigint {
  const [, sign, digits] = /^([-+]?)0*([1-9]\d*|0)$/.exec(text) ?? [];
  const bad = (why: string): CronError =>
    new CronError(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: ${why}`);
  if (digits === undefined) throw bad('invalid syntax');
  if (digits.length > 19 || BigInt(digits) > int64Max) throw bad('value out of range');
  if (sign === '-' && digits !== '0') throw new CronError(`negative number (-${digits}) not allowed: ${text}`);
  return BigInt(digits);
}

/** One unit of time: what must fit, and the way to where it may fit next. */
interface Stage {
  fits(wall: WallTime): boolean;
  /** `isAligned`: the smaller units stand at their beginnings already */
  advance(atMs: number, isAligned: boolean): number;
  /** the larger units have changed too */
  hasWrapped(wall: WallTime): boolean;
}

const yearsMax = 5;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

class FieldSchedule implements CronSchedule {
  readonly #zone: TimeZone;
  readonly #stages: readonly Stage[];

  constructor({ minutes, hours, days, months, weekdays }: Fields, zone: TimeZone) {
    this.#zone = zone;
    const fitsDay = ({ day, weekday }: WallTime): boolean => {
      const [byDay, byWeekday] = [days.values.has(day), weekdays.values.has(weekday)];
      return days.isOpen || weekdays.isOpen ? byDay && byWeekday : byDay || byWeekday;
    };
    this.#stages = [
      {
        fits: ({ month }) => months.values.has(month),
        advance: (atMs, isAligned) => this.#nextMonth(atMs, isAligned),
        hasWrapped: ({ month }) => month === 1,
      },
      { fits: fitsDay, advance: (atMs, isAligned) => this.#nextDay(atMs, isAligned), hasWrapped: ({ day }) => day === 1 },
      {
        fits: ({ hour }) => hours.values.has(hour),
        advance: (atMs, isAligned) => (isAligned ? atMs : this.#startOf(atMs, 'hour')) + hourMs,
        hasWrapped: ({ hour }) => hour === 0,
      },
      {
        fits: ({ minute }) => minutes.values.has(minute),
        advance: (atMs) => Math.floor(atMs / minuteMs) * minuteMs + minuteMs,
        hasWrapped: ({ minute }) => minute === 0,
      },
      {
        fits: ({ second }) => second === 0,
        advance: (atMs) => atMs + (60 - zone.wallTime(atMs).second) * 1000,
        hasWrapped: ({ second }) => second === 0,
      },
    ];
  }

  next(afterMs: number): number | undefined {
    let atMs = wholeSeconds(afterMs) + 1000;
    let wall = this.#zone.wallTime(atMs);
    const lastYear = wall.year + yearsMax;
    let isAligned = false;
    for (let i = 0; i < this.#stages.length; ) {
      if (i === 0 && wall.year > lastYear) return undefined;
      const stage = this.#stages[i] as Stage;
      if (stage.fits(wall)) {
        i++;
        continue;
      }
      atMs = stage.advance(atMs, isAligned);
      wall = this.#zone.wallTime(atMs);
      isAligned = true;
      if (stage.hasWrapped(wall)) i = 0;
    }
    return atMs;
  }

  /** By halves: a year of minutes is not walked through. */
  last(afterMs: number, untilMs: number): number | undefined {
    let found: number | undefined;
    let [low, high] = [wholeSeconds(afterMs), wholeSeconds(untilMs)];
    while (low < high) {
      const middle = wholeSeconds((low + high) / 2);
      const nextMs = this.next(middle);
      if (nextMs !== undefined && nextMs <= untilMs) {
        found = nextMs;
        low = nextMs;
      } else high = middle;
    }
    return found;
  }

  #nextMonth(atMs: number, isAligned: boolean): number {
    const wall = this.#zone.wallTime(isAligned ? atMs : this.#startOf(atMs, 'month'));
    return this.#zone.instantOf({ ...wall, month: wall.month + 1 });
  }

  #nextDay(atMs: number, isAligned: boolean): number {
    const wall = this.#zone.wallTime(isAligned ? atMs : this.#startOf(atMs, 'day'));
    const nextMs = this.#zone.instantOf({ ...wall, day: wall.day + 1 });
    // Where midnight does not exist, the hour says how far it is.
    const { hour } = this.#zone.wallTime(nextMs);
    return nextMs + (hour > 12 ? 24 - hour : -hour) * hourMs;
  }

  #startOf(atMs: number, unit: 'month' | 'day' | 'hour'): number {
    const { year, month, day, hour } = this.#zone.wallTime(atMs);
    return this.#zone.instantOf({
      year,
      month,
      day: unit === 'month' ? 1 : day,
      hour: unit === 'hour' ? hour : 0,
      minute: 0,
      second: 0,
    });
  }
}
