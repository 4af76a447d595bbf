/**
 * Times on the wire: RFC 3339 in UTC, in whole seconds (Time) or with microseconds (MicroTime).
 * Upstream: apimachinery/pkg/apis/meta/v1/{time,micro_time}.go.
 */

/** `2026-01-02T03:04:05Z`; fractions of a second are cut off. */
export function formatTime(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** `2026-01-02T03:04:05.000000Z` */
export function formatMicroTime(ms: number): string {
  const text = new Date(Math.floor(ms)).toISOString();
  const micros = Math.floor((ms - Math.floor(ms)) * 1000);
  return `${text.slice(0, 23)}${String(micros).padStart(3, '0')}Z`;
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)([.,]\d+)?(Z|[-+]\d\d:\d\d)$/;
const micro = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{6})(Z|[-+]\d\d:\d\d)$/;
/** What stored times look like already: nothing to do. */
const canonicalTime = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

/** Milliseconds since the epoch, or undefined for what is no RFC 3339 time. */
export function parseTime(text: string): number | undefined {
  const match = rfc3339.exec(text);
  if (!match) return undefined;
  const day = Number(match[3]);
  const ms = Date.parse(text.replace(',', '.'));
  if (Number.isNaN(ms) || day > daysIn(Number(match[1]), Number(match[2]))) return undefined;
  return ms;
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** The canonical form of a Time, or undefined for what is none. */
export function canonicalizeTime(text: string): string | undefined {
  if (canonicalTime.test(text) && Number(text.slice(8, 10)) <= 28) return text;
  const ms = parseTime(text);
  return ms === undefined ? undefined : formatTime(ms);
}

/** The canonical form of a MicroTime, or undefined for what is none. It has exactly six digits after the point. */
export function canonicalizeMicroTime(text: string): string | undefined {
  const match = micro.exec(text);
  if (!match) return undefined;
  const ms = parseTime(text);
  if (ms === undefined) return undefined;
  return `${formatTime(ms).slice(0, 19)}.${match[1]}Z`;
}
