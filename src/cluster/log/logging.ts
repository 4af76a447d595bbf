/**
 * The process's log: pino behind the `Log` interface. One line per event; to a terminal as time, level, component,
 * message and fields, else as JSON for machines. A line has a bounded length, whatever is told.
 */
import { parseJSON } from '../../api/schema/json-scan.ts';
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { renderError } from './render-error.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

interface Sink {
  level: LogLevel;
  format: 'text' | 'json';
  clock: Clock;
  write(line: string): void;
}

export async function createLog(sink: Sink): Promise<Log> {
  if (sink.format === 'text') return textLog(sink, {});
  const { default: pino } = await import('pino');
  return fromPino(
    pino(
      { level: sink.level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
      sink,
    ),
  );
}

type PinoLike = Record<LogLevel, (fields: object, message: string) => void> & {
  child(fields: object): PinoLike;
  isLevelEnabled(level: string): boolean;
};

function fromPino(logger: PinoLike): Log {
  return {
    isDebug: logger.isLevelEnabled('debug'),
    debug: (fields, message) => logger.debug(readable(fields), cut(message)),
    info: (fields, message) => logger.info(readable(fields), cut(message)),
    warn: (fields, message) => logger.warn(readable(fields), cut(message)),
    error: (fields, message) => logger.error(readable(fields), cut(message)),
    child: (fields) => fromPino(logger.child(readable(fields))),
  };
}

/** Nothing that anybody can make long (a path, a name, a message of another program) makes a line longer. */
const textCharsMax = 2048;
const fieldsMax = 32;

/** The beginning and the end of a text, which tell most. */
function cut(text: string): string {
  if (text.length <= textCharsMax) return text;
  const [head, tail] = [Math.ceil(textCharsMax * 0.75), Math.floor(textCharsMax * 0.25)];
  return `${text.slice(0, head)}… (${text.length - textCharsMax} more characters) …${text.slice(-tail)}`;
}

/** Errors among the fields as text, with their causes: an Error has nothing that JSON would show. */
function readable(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .slice(0, fieldsMax)
      .map(([key, value]) => [key, readableValue(value)]),
  );
}

function readableValue(value: unknown): unknown {
  if (value instanceof Error) return cut(renderError(value));
  if (typeof value === 'string') return cut(value);
  if (typeof value !== 'object' || value === null) return value;
  const text = JSON.stringify(value);
  return text === undefined || text.length <= textCharsMax ? value : cut(text);
}

function textLog(sink: Sink, bound: object): Log {
  const threshold = logLevels.indexOf(sink.level);
  const write = (level: LogLevel) => (fields: object, msg: string) => {
    if (logLevels.indexOf(level) < threshold) return;
    sink.write(
      `${renderRecord({ ...bound, ...readable(fields), level, time: new Date(sink.clock.now()).toISOString(), msg: cut(msg) })}\n`,
    );
  };
  return {
    isDebug: threshold <= logLevels.indexOf('debug'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => textLog(sink, { ...bound, ...readable(fields) }),
  };
}

/** A record of the log for people: `05:57:59.364 INFO  store: opened  revision=1`. */
function renderRecord({ time, level, component, msg, ...rest }: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(rest).map(([key, value]) => ` ${key}=${renderValue(value)}`);
  const head = `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${component ? `${component}: ` : ''}${msg}`;
  return pairs.length ? `${head} ${pairs.join('')}` : head;
}

/** A line of a log file for people; what is no record (a crash, another program's word) as it is. */
export function renderLogLine(line: string): string {
  try {
    return renderRecord(parseJSON(line) as Record<string, unknown>);
  } catch {
    return line;
  }
}

function renderValue(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(renderError(value));
  if (typeof value === 'string') return /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? 'undefined';
}

/** Two logs as one. */
export const logToBoth = (first: Log, second: Log): Log => {
  const write = (level: LogLevel) => (fields: object, message: string) => {
    first[level](fields, message);
    second[level](fields, message);
  };
  return {
    isDebug: (first.isDebug ?? false) || (second.isDebug ?? false),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => logToBoth(first.child(fields), second.child(fields)),
  };
};

/** A reader that has gone away, or a full disk below a log, costs lines, never the process. */
export function surviveLostOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
