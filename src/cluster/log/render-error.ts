/**
 * An error as the log has it: its stack and its code, and those of its causes. Nothing else that an error carries: the
 * platform and libraries hang bytes of requests, headers and whole answers on their errors, and with them tokens and
 * Secrets.
 */

/** Of one error; a message may quote much. */
const stackCharactersMax = 4096;
/** Of causes within each other, and of errors side by side. */
const errorsMax = 8;

export function renderError(error: unknown): string {
  const told: string[] = [];
  const tell = (each: unknown, lead: string): void => {
    if (told.length >= errorsMax) return;
    told.push(`${lead}${describeOne(each)}`);
    if (!(each instanceof Error)) return;
    if (each instanceof AggregateError) for (const inner of each.errors) tell(inner, 'of several: ');
    if (each.cause !== undefined) tell(each.cause, 'caused by: ');
  };
  tell(error, '');
  return told.join('\n');
}

function describeOne(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error.slice(0, stackCharactersMax) : `a thrown ${typeof error}`;
  const { code } = error as { readonly code?: unknown };
  const text = (error.stack ?? `${error.name}: ${error.message}`).slice(0, stackCharactersMax);
  return typeof code === 'string' || typeof code === 'number' ? `${text} [${code}]` : text;
}
