/**
 * What a command prints: lines for people on stdout, or one JSON value per event with --json. An error goes to stderr with
 * its fix; with --json it is an event among the others. Exit codes: conventions.ts.
 */
import { describeError, OperationError } from '../cluster/operation-error.ts';

export interface Output {
  readonly json: boolean;
  /** for people */
  line(text: string): void;
  /** for programs */
  event(value: object): void;
}

export function createOutput(json: boolean): Output {
  return {
    json,
    line: (text) => {
      if (!json) process.stdout.write(`${text}\n`);
    },
    event: (value) => {
      if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
    },
  };
}

/** For commands that print a stream: aborted when nobody reads it any more. */
export function readerGone(): AbortSignal {
  const gone = new AbortController();
  process.stdout.once('error', () => gone.abort());
  return gone.signal;
}

export function reportFailure(error: unknown, json: boolean): void {
  (json ? process.stdout : process.stderr).write(`${describeFailure(error, json)}\n`);
}

/** In the form of `reportFailure`, without the end of its line. */
export function describeFailure(error: unknown, json: boolean): string {
  const { code, fix } = error instanceof OperationError ? error : { code: 'failed', fix: undefined };
  if (json) return JSON.stringify({ event: 'failed', code, message: describeError(error), fix });
  return `timonier: ${describeError(error)}${fix ? `\n  fix: ${fix}` : ''}`;
}

/** Columns, left-aligned, as kubectl prints them. */
export function renderColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd((widths[i] ?? 0) + 3))).join(''));
}
