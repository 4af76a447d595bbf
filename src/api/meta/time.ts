/**
 * Times on the wire: RFC 3339 in UTC, in whole seconds (Time) or with microseconds (MicroTime).
 * Upstream: apimachinery/pkg/apis/meta/v1/{time,micro_time}.go.
 */

/** The last second that was written: thousands of writes share it. */
let lastSecond = Number.NaN;
let lastText = '';

/** `2026-01-02T03:04:05Z`; fractions of a second are cut off. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastText = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastText;
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
  if (Number(match[4]) > 23) return undefined;
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

interface TimePart {
  readonly layout: string;
  readonly pattern: RegExp;
  readonly unit?: 'month' | 'hour' | 'minute' | 'second';
  readonly min?: number;
  readonly max?: number;
}

const two = /^\d\d/;
const timeParts: readonly TimePart[] = [
  { layout: '2006', pattern: /^\d{4}/ },
  { layout: '-', pattern: /^-/ },
  { layout: '01', pattern: two, unit: 'month', min: 1, max: 12 },
  { layout: '-', pattern: /^-/ },
  { layout: '02', pattern: two },
  { layout: 'T', pattern: /^T/ },
  { layout: '15', pattern: two, unit: 'hour', max: 23 },
  { layout: ':', pattern: /^:/ },
  { layout: '04', pattern: two, unit: 'minute', max: 59 },
  { layout: ':', pattern: /^:/ },
  { layout: '05', pattern: two, unit: 'second', max: 59 },
];
const fraction: TimePart = { layout: '.000000', pattern: /^\.\d{6}/ };
const optionalFraction: TimePart = { layout: '', pattern: /^(?:[.,]\d+)?/ };
const zone: TimePart = { layout: 'Z07:00', pattern: /^(?:Z|[-+]\d\d:\d\d)/ };

/** Why a text is no time, in the words of Go's time.Parse. */
export function describeTimeError(text: string, precision: 'second' | 'micro'): string {
  const layout = precision === 'micro' ? '2006-01-02T15:04:05.000000Z07:00' : '2006-01-02T15:04:05Z07:00';
  const head = `parsing time ${JSON.stringify(text)}`;
  let rest = text;
  for (const part of [...timeParts, precision === 'micro' ? fraction : optionalFraction, zone]) {
    const found = part.pattern.exec(rest)?.[0];
    if (found === undefined) {
      return `${head} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(part.layout)}`;
    }
    const outOfRange = Number(found) < (part.min ?? 0) || Number(found) > (part.max ?? Number.POSITIVE_INFINITY);
    if (part.unit && outOfRange) return `${head}: ${part.unit} out of range`;
    rest = rest.slice(found.length);
  }
  return rest ? `${head}: extra text: ${JSON.stringify(rest)}` : `${head}: day out of range`;
}
