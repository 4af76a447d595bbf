/**
 * Times and durations: their texts as Go reads and prints them (RFC 3339, `1h2m3.5s`), the fields of a time in a zone.
 * Times are of the years 1 to 9999, durations of 64 bits of nanoseconds; beyond that is an overflow.
 */

import { parseNanoseconds } from '../meta/duration.ts';
import { CelError, Duration, Timestamp } from './values.ts';

const SECOND = 1_000_000_000n;
const MIN_SECONDS = -62_135_596_800n;
const MAX_SECONDS = 253_402_300_799n;
const MAX_INT64 = (1n << 63n) - 1n;

export function timestampOf(ns: bigint, offsetMinutes = 0): Timestamp {
  const seconds = floorDiv(ns, SECOND);
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS) throw new CelError('timestamp overflow');
  return new Timestamp(ns, offsetMinutes);
}

export function durationOf(ns: bigint): Duration {
  if (ns > MAX_INT64 || ns < -MAX_INT64 - 1n) throw new CelError('duration overflow');
  return new Duration(ns);
}

export function timestampOfSeconds(seconds: bigint): Timestamp {
  return timestampOf(seconds * SECOND);
}

export function unixSeconds(time: Timestamp): bigint {
  return floorDiv(time.ns, SECOND);
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Undefined for what is no RFC 3339 time; throws for one out of range. */
export function readTimestamp(text: string): Timestamp | undefined {
  const found = rfc3339.exec(text);
  if (!found) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number);
  const offset = (found[8] === '-' ? -1 : 1) * (Number(found[9] ?? 0) * 60 + Number(found[10] ?? 0));
  if (hour > 23 || minute > 59 || second > 59 || Number(found[9] ?? 0) > 24 || Number(found[10] ?? 0) > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  date.setUTCHours(hour, minute - offset, second);
  const fraction = BigInt((found[7] ?? '').slice(0, 9).padEnd(9, '0'));
  return timestampOf(BigInt(date.getTime()) * 1_000_000n + fraction, offset);
}

export function parseTimestamp(text: string): Timestamp {
  const time = readTimestamp(text);
  if (!time) throw new CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'");
  return time;
}

export function showTimestamp(time: Timestamp): string {
  const date = localDate(time, time.offsetMinutes);
  const fraction = nanosOf(time).toString().padStart(9, '0').replace(/0+$/, '');
  const year = String(date.getUTCFullYear()).padStart(4, '0');
  const rest = date.toISOString().replace(/^.*?(-\d\d-\d\dT\d\d:\d\d:\d\d).*$/, '$1');
  const zone = time.offsetMinutes === 0 ? 'Z' : showOffset(time.offsetMinutes);
  return `${year}${rest}${fraction && `.${fraction}`}${zone}`;
}

function showOffset(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${String(Math.floor(size / 60)).padStart(2, '0')}:${String(size % 60).padStart(2, '0')}`;
}

function nanosOf(time: Timestamp): bigint {
  return time.ns - floorDiv(time.ns, SECOND) * SECOND;
}

/** A date whose UTC fields are those of the time, so far from UTC. */
function localDate(time: Timestamp, offsetMinutes: number): Date {
  return new Date(Number(floorDiv(time.ns, 1_000_000n)) + offsetMinutes * 60_000);
}

export const timeFields = {
  getFullYear: (d) => d.getUTCFullYear(),
  getMonth: (d) => d.getUTCMonth(),
  getDayOfYear: (d) => Math.floor((d.getTime() - new Date(d.getTime()).setUTCMonth(0, 1)) / 86_400_000),
  getDayOfMonth: (d) => d.getUTCDate() - 1,
  getDate: (d) => d.getUTCDate(),
  getDayOfWeek: (d) => d.getUTCDay(),
  getHours: (d) => d.getUTCHours(),
  getMinutes: (d) => d.getUTCMinutes(),
  getSeconds: (d) => d.getUTCSeconds(),
  getMilliseconds: (d) => d.getUTCMilliseconds(),
} as const satisfies Readonly<Record<string, (date: Date) => number>>;

/** @param zone a name (`America/New_York`) or an offset (`-08:00`) */
export function timeField(time: Timestamp, field: keyof typeof timeFields, zone = 'UTC'): bigint {
  return BigInt(timeFields[field](localDate(time, zone === 'UTC' ? 0 : offsetOf(time, zone))));
}

function offsetOf(time: Timestamp, zone: string): number {
  const colon = zone.indexOf(':');
  if (colon < 0) return namedOffset(time, zone);
  const hours = goInteger(zone.slice(0, colon));
  const minutes = goInteger(zone.slice(colon + 1));
  return zone.startsWith('-') ? hours * 60 - minutes : hours * 60 + minutes;
}

function goInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new CelError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function namedOffset(time: Timestamp, zone: string): number {
  const name = zone === '' ? 'UTC' : zone;
  let parts: Intl.DateTimeFormatPart[];
  try {
    parts = new Intl.DateTimeFormat('en', { timeZone: name, timeZoneName: 'longOffset' }).formatToParts(localDate(time, 0));
  } catch {
    throw new CelError(`unknown time zone ${zone}`);
  }
  const found = /GMT([+-])(\d\d):(\d\d)/.exec(parts.find((p) => p.type === 'timeZoneName')?.value ?? '');
  return found ? (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) : 0;
}

/** Undefined for what Go does not read as a duration. */
export function readDuration(text: string): Duration | undefined {
  const ns = parseNanoseconds(text);
  return ns === undefined ? undefined : new Duration(ns);
}

export function parseDuration(text: string): Duration {
  const duration = readDuration(text);
  if (!duration) throw new CelError("type conversion error from 'string' to 'google.protobuf.Duration'");
  return duration;
}
