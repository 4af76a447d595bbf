/**
 * How long something has been: `5s`, `3m20s`, `4h`, `12d`. Both forms have as many digits as people read.
 * Upstream: apimachinery/pkg/util/duration/duration.go. Durations that are read are Go's: `1m30s`, `250ms`.
 */
import { own } from './words.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

const withRest = (big: number, bigUnit: string, rest: number, restUnit: string): string =>
  rest === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${rest}${restUnit}`;

/** Two or three significant figures, as in the AGE column. A clock up to two seconds ahead counts as now. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / secondMs);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(durationMs / minuteMs);
  if (minutes < 10) return withRest(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(durationMs / hourMs);
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 24 * 8) return withRest(days, 'd', hours % 24, 'h');
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (hours < 24 * 365 * 8) return withRest(years, 'y', days % 365, 'd');
  return `${years}y`;
}

/** One unit only. */
export function formatShortDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / secondMs);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.trunc(durationMs / minuteMs);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.trunc(durationMs / hourMs);
  if (hours < 24) return `${hours}h`;
  if (hours < 24 * 365) return `${Math.trunc(hours / 24)}d`;
  return `${Math.trunc(hours / 24 / 365)}y`;
}

/** The age of what came to be at `timestamp` (RFC 3339); `<unknown>` without one. */
export function formatAge(timestamp: string | undefined, nowMs: number): string {
  if (!timestamp) return '<unknown>';
  return formatDuration(nowMs - Date.parse(timestamp));
}

const unitNs: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  '\u00b5s': 1_000n, // micro
  '\u03bcs': 1_000n, // the Greek letter
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
/** Go counts nanoseconds in a signed number of 64 bits. */
const nsLimit = 2n ** 63n;
const digitsMax = 19;

/** A Go duration in milliseconds. */
export function parseDuration(text: string | undefined): number | undefined {
  const ns = parseNanoseconds(text ?? '');
  return ns === undefined ? undefined : Number(ns) / 1e6;
}

/** The same, exactly. */
export function parseNanoseconds(text: string): bigint | undefined {
  const read = readDuration(text);
  return typeof read === 'bigint' ? read : undefined;
}

/** As Go writes one, to the millisecond: `15.021s`, `1m0s`. */
export function formatGoDuration(durationMs: number): string {
  const totalMs = Math.round(durationMs);
  if (totalMs > 0 && totalMs < secondMs) return `${totalMs}ms`;
  const hours = Math.trunc(totalMs / hourMs);
  const minutes = Math.trunc((totalMs % hourMs) / minuteMs);
  const seconds = `${(totalMs % minuteMs) / secondMs}s`;
  return hours > 0 ? `${hours}h${minutes}m${seconds}` : minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

/** Why a text is no duration, in the words of Go's time.ParseDuration. */
export function describeDurationError(text: string): string {
  const read = readDuration(text);
  return `time: ${typeof read === 'bigint' ? 'invalid' : read} duration ${quote(text)}`;
}

/** In nanoseconds; or what is wrong with it. */
function readDuration(text: string): bigint | string {
  const sign = /^[-+]?/.exec(text)?.[0] ?? '';
  if (text.slice(sign.length) === '0') return 0n;
  const part = /0*(\d*)(?:\.(\d*))?([^\d.]*)/y;
  let totalNs = 0n;
  for (part.lastIndex = sign.length; part.lastIndex < text.length; ) {
    const from = part.lastIndex;
    const [, whole = '', fraction = '', unit = ''] = part.exec(text) ?? [];
    const isNumber = /^\.?\d/.test(text.slice(from, from + 2));
    if (!isNumber || whole.length > digitsMax || BigInt(whole) > nsLimit) return 'invalid';
    const ns = own(unitNs, unit);
    if (ns === undefined) return unit ? `unknown unit ${quote(unit)} in` : 'missing unit in';
    const digits = fraction.slice(0, digitsMax - 1);
    totalNs += BigInt(whole) * ns + BigInt(Math.trunc(Number(digits) * (Number(ns) / 10 ** digits.length)));
    if (totalNs > nsLimit) return 'invalid';
  }
  if (text.length === sign.length || (totalNs === nsLimit && sign !== '-')) return 'invalid';
  return sign === '-' ? -totalNs : totalNs;
}

/** As package time does: bytes that are no printable ASCII by their number. */
function quote(text: string): string {
  const escaped = (character: string): string =>
    /["\\]/.test(character)
      ? `\\${character}`
      : [...new TextEncoder().encode(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  return `"${text.replaceAll(/["\\]|[^ -\x7f]/gu, escaped)}"`;
}
