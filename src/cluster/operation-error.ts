/** What operating a cluster can meet: a stable code for programs, a message and a fix for people. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: string;
  readonly fix: string;
  constructor(what: { code: string; message: string; fix: string; cause?: unknown }) {
    super(what.message, what.cause === undefined ? undefined : { cause: what.cause });
    this.code = what.code;
    this.fix = what.fix;
  }
}

/** The message of an error with those of its causes, for one line to people. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(describeError).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describeError(error.cause)}`;
}
