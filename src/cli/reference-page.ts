/** docs/command-line.md, made from the tree of commands. Pure. */
import type { Command } from 'commander';
import { describe, type Entry, entriesOf, optionsOf, sentence, usageOf } from './command-tree.ts';
import { exitCodes, variables } from './conventions.ts';

export interface Setting {
  readonly name: string;
  readonly about: string;
}

export function renderReferencePage(program: Command, settings: readonly Setting[]): string {
  return `${[
    '# The command line',
    'Made from the program itself by `npm run generate`. `timonier help COMMAND` prints the same, `timonier man` as a man page.',
    ...entriesOf(program).map(renderCommand),
    '## Settings',
    'What `--config FILE` may say, in YAML, and `startCluster({…})` too. [config.schema.json](../config.schema.json) says it to editors. Flags win over the file.',
    table(
      ['setting', 'what it is'],
      settings.map(({ name, about }) => [code(name), about]),
    ),
    '## Exit codes',
    table(['code', 'meaning'], exitCodes),
    '## Environment',
    table(
      ['variable', 'what it does'],
      variables.map(([name, text]) => [code(name), text]),
    ),
  ].join('\n\n')}\n`;
}

function renderCommand(entry: Entry): string {
  const { path, command } = entry;
  const options = optionsOf(command).map((option): readonly [string, string] => [code(option.flags), describe(command, option)]);
  const parts = [`## ${path}`, sentence(command.description()), `\`\`\`\n${usageOf(entry)}\n\`\`\``];
  return [...parts, ...(options.length > 0 ? [table(['option', 'what it does'], options)] : [])].join('\n\n');
}

const code = (text: string): string => `\`${text}\``;

function table(head: readonly [string, string], rows: readonly (readonly [string, string])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), '|---|---|', ...rows.map(line)].join('\n');
}
