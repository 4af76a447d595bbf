/** What operating a cluster can meet: a stable code for programs, a message and a fix for people; no fix where there is nothing to mend. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: string;
  readonly fix: string;
  /** of the command that met it */
  readonly exitCode: number;
  constructor(what: { code: string; message: string; fix: string; cause?: unknown; exitCode?: number }) {
    super(what.message, what.cause === undefined ? undefined : { cause: what.cause });
    this.code = what.code;
    this.fix = what.fix;
    this.exitCode = what.exitCode ?? 1;
  }
}

/** The message of an error with those of its causes, for one line to people. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(describeError).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describeError(error.cause)}`;
}
