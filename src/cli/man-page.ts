/** The command line as a man page, made from its own tree. Pure. */
import type { Command } from 'commander';
import { describe, entriesOf, optionsOf, sentence, usageOf } from './command-tree.ts';
import { exitCodes, variables } from './conventions.ts';

/** For `man`: roff with the macros of man(7). */
export function renderManPage(program: Command, version: string): string {
  const commands = entriesOf(program).flatMap((entry) => [
    `.SS ${roff(usageOf(entry))}`,
    roff(sentence(entry.command.description())),
    ...optionsOf(entry.command).flatMap((option) => tagged(option.flags, describe(entry.command, option))),
  ]);
  return `${[
    `.TH TIMONIER 1 "" "timonier ${version}"`,
    '.SH NAME',
    `timonier \\- ${roff(program.description())}`,
    '.SH SYNOPSIS',
    '.B timonier',
    'COMMAND [OPTIONS] [ARGUMENTS]',
    '.SH COMMANDS',
    ...commands,
    '.SH EXIT STATUS',
    ...exitCodes.flatMap(([code, meaning]) => tagged(code, meaning)),
    '.SH ENVIRONMENT',
    ...variables.flatMap(([name, text]) => tagged(name, text)),
  ].join('\n')}\n`;
}

const tagged = (term: string, text: string): string[] => ['.TP', `.B ${roff(term)}`, roff(text)];

/** A line must not begin as a request, and `-` is a hyphen unless it is escaped. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', "'")
    .replace(/^([.'])/, '\\&$1');
