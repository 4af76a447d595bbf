/** The tree of commands, as the texts made from it need it. Pure. */
import type { Command, Option } from 'commander';

export interface Entry {
  /** `image load` */
  readonly path: string;
  readonly command: Command;
}

/** Without groups themselves, and without `help`. */
export function entriesOf(command: Command, path = ''): Entry[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help')
    .flatMap((each) => {
      const itsPath = path === '' ? each.name() : `${path} ${each.name()}`;
      return each.commands.length > 0 ? entriesOf(each, itsPath) : [{ path: itsPath, command: each }];
    });
}

export const optionsOf = (command: Command): readonly Option[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .filter((option) => option.long !== '--help');

export const usageOf = ({ path, command }: Entry): string => `timonier ${path} ${command.usage()}`;

export function describe(command: Command, option: Option): string {
  return command.createHelp().optionDescription(option);
}

export const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** Which command the words call, as far as they tell: `image load`. */
export function commandOf(program: Command, words: readonly string[]): string | undefined {
  let at: Command = program;
  const path: string[] = [];
  for (const word of words) {
    const next = at.commands.find((command) => command.name() === word && word !== 'help');
    if (!next) break;
    at = next;
    path.push(word);
  }
  return path.length === 0 ? undefined : path.join(' ');
}
