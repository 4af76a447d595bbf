/** What operating a cluster can meet: a stable code for programs, a message and a fix for people; no fix where there is nothing to mend. */

/** Wrong words on the command line; nothing was done. */
const usageCodes: ReadonlySet<string> = new Set(['bad-flag', 'bad-name']);

export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: string;
  /** absent: there is nothing that one could do but read on */
  readonly fix: string | undefined;
  /** the message says all; its cause is for the log */
  readonly isWhole: boolean;
  /** of the command that met it */
  readonly exitCode: number;
  constructor(what: {
    code: string;
    message: string;
    fix?: string | undefined;
    cause?: unknown;
    isWhole?: boolean;
    exitCode?: number | undefined;
  }) {
    super(what.message, what.cause === undefined ? undefined : { cause: what.cause });
    this.code = what.code;
    this.fix = what.fix;
    this.isWhole = what.isWhole ?? false;
    this.exitCode = what.exitCode ?? (usageCodes.has(what.code) ? 2 : 1);
  }
}

/** The message of an error with those of its causes, for one line to people. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(describeError).join('; ');
  if (!(error instanceof Error)) return String(error);
  const isWhole = error.cause === undefined || (error instanceof OperationError && error.isWhole);
  return isWhole ? error.message : `${error.message}: ${describeError(error.cause)}`;
}
