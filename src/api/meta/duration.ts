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

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A Go duration in milliseconds. */
export function parseDuration(text: string | undefined): number | undefined {
  const [, sign, amounts = ''] = /^([-+]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+|0)$/.exec(text ?? '') ?? [];
  if (amounts === '') return undefined;
  let totalMs = 0;
  for (const [, amount, unit = ''] of amounts.matchAll(/([\d.]+)(\D+)/g)) totalMs += Number(amount) * (own(unitMs, unit) ?? 0);
  return sign === '-' ? -totalMs : totalMs;
}

/** Why a text is no duration, in the words of Go's time.ParseDuration. */
export function describeDurationError(text: string): string {
  const quoted = JSON.stringify(text);
  let rest = text.replace(/^[-+]/, '');
  while (rest) {
    const [amount = ''] = /^(?:\d+\.?\d*|\.\d+)/.exec(rest) ?? [];
    if (!amount) break;
    const [unit = ''] = /^[^\d.]*/.exec(rest.slice(amount.length)) ?? [];
    if (!unit) return `time: missing unit in duration ${quoted}`;
    if (!Object.hasOwn(unitMs, unit)) return `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
    rest = rest.slice(amount.length + unit.length);
  }
  return `time: invalid duration ${quoted}`;
}
