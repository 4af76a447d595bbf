/** Wrong words on the command line, as commander tells of them, in the form of all other errors. */
import type { CommanderError } from 'commander';
import { OperationError } from '../cluster/operation-error.ts';

/** Never offered for what somebody mistyped: they install something. */
const installs: ReadonlySet<string> = new Set(['test', '--install']);

/** `command`: whose help says more. */
export function usageError(error: CommanderError, command?: string): OperationError {
  const [first = '', ...more] = error.message.split('\n');
  const near = nearWords(more.join('\n')).filter((word) => !installs.has(word));
  const help = `\`timonier ${command === undefined ? 'help' : `${command} --help`}\` says what there is`;
  return new OperationError({
    code: 'bad-usage',
    message: first.replace(/^error: /, '').replace(/\.$/, ''),
    fix: near.length > 0 ? `did you mean ${near.join(' or ')}? ${help}` : help,
  });
}

/** Of `(Did you mean one of list, logs?)`. */
function nearWords(text: string): string[] {
  const words = /^\(Did you mean (?:one of )?(.+)\?\)$/.exec(text)?.[1];
  return words?.split(', ') ?? [];
}
