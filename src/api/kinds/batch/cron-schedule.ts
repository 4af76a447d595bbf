/**
 * Whether a schedule of five cron fields (or `@daily`, `@every 5m`) can be read, and if not, why; whether a time zone is
 * known. Wording: github.com/robfig/cron/v3 (parser.go), which upstream uses. Times are computed elsewhere.
 */

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const fields: readonly Bounds[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: days },
];
const descriptors = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);
const zonePart = /^[A-Za-z.\-_0-9+]{1,14}$/;

export function cronError(schedule: string): string | undefined {
  if (!schedule) return 'empty spec string';
  const zone = /^(?:CRON_)?TZ=(\S*)\s*(.*)$/.exec(schedule);
  if (zone) {
    const [, name = '', rest = ''] = zone;
    if (!isKnownZone(name)) return `provided bad location ${name}: unknown time zone ${name}`;
    return cronError(rest);
  }
  if (schedule.startsWith('@')) return descriptorError(schedule);
  const given = schedule.split(/\s+/).filter(Boolean);
  if (given.length !== fields.length) return `expected exactly 5 fields, found ${given.length}: [${given.join(' ')}]`;
  for (const [i, text] of given.entries()) {
    const bounds = fields[i];
    for (const part of text.split(',').filter(Boolean)) {
      const problem = bounds && rangeError(part, bounds);
      if (problem) return problem;
    }
  }
  return undefined;
}

function descriptorError(schedule: string): string | undefined {
  if (descriptors.has(schedule)) return undefined;
  if (!schedule.startsWith('@every ')) return `unrecognized descriptor: ${schedule}`;
  const duration = schedule.slice('@every '.length);
  if (/^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(duration)) return undefined;
  return `failed to parse duration ${schedule}: time: invalid duration ${JSON.stringify(duration)}`;
}

function rangeError(text: string, bounds: Bounds): string | undefined {
  const [range = '', stepText, ...more] = text.split('/');
  const [low = '', high, ...rest] = range.split('-');
  let [start, end] = [bounds.min, bounds.max];
  if (low !== '*' && low !== '?') {
    const from = parseValue(low, bounds);
    if (typeof from === 'string') return from;
    if (rest.length) return `too many hyphens: ${text}`;
    const to = high === undefined ? from : parseValue(high, bounds);
    if (typeof to === 'string') return to;
    [start, end] = [from, to];
  }
  if (more.length) return `too many slashes: ${text}`;
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  if (typeof step === 'string') return step;
  if (stepText !== undefined && high === undefined) end = bounds.max;
  if (start < bounds.min) return `beginning of range (${start}) below minimum (${bounds.min}): ${text}`;
  if (end > bounds.max) return `end of range (${end}) above maximum (${bounds.max}): ${text}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  return step === 0 ? `step of range should be a positive number: ${text}` : undefined;
}

function parseValue(text: string, { names, min }: Bounds): number | string {
  const named = names.indexOf(text.toLowerCase());
  return named >= 0 ? named + min : parseNumber(text);
}

function parseNumber(text: string): number | string {
  if (!/^[-+]?\d+$/.test(text)) {
    return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
  }
  const value = Number(text);
  return value < 0 ? `negative number (${value}) not allowed: ${text}` : value;
}

export function timeZoneErrors(name: string): readonly string[] {
  if (!name) return ['timeZone must be nil or non-empty string'];
  const isBad = (part: string): boolean => part === '.' || part === '..' || part.startsWith('-') || !zonePart.test(part);
  const unknown = `unknown time zone ${name}`;
  if (name.split('/').some(isBad)) return [unknown];
  const isLocal = name.toLowerCase() === 'local';
  const found = isLocal ? ['timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'] : [];
  return name === 'Local' || isKnownZone(name) ? found : [...found, unknown];
}

function isKnownZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
