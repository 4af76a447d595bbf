/** `timonier help [COMMAND…]`, where a command that is not there is an error, as it is without `help`; `timonier man`. */
import { type Command, CommanderError } from 'commander';
import { version } from '../../cluster/version.ts';

export function addHelp(program: Command): void {
  program
    .command('man')
    .description('all of that as a man page: timonier man | man -l -')
    .action(async () => {
      const { renderManPage } = await import('../man-page.ts');
      process.stdout.write(renderManPage(program, version));
    });
  program
    .helpCommand(false)
    .command('help')
    .description('what there is; with a command, what it takes')
    .argument('[COMMAND...]', 'such as `up` or `image load`')
    .action((words: string[]) => findCommand(program, words).outputHelp());
}

function findCommand(program: Command, words: readonly string[]): Command {
  let found = program;
  for (const word of words) {
    const next = found.commands.find((command) => command.name() === word || command.aliases().includes(word));
    if (!next) throw new CommanderError(2, 'commander.unknownCommand', `unknown command '${words.join(' ')}'`);
    found = next;
  }
  return found;
}
