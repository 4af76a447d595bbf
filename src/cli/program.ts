/** The command line: one command per file in ./commands. */
import { Command, CommanderError, Help } from 'commander';
import { keepProcessAlive } from '../client/clock.ts';
import { Instance } from '../cluster/instance/instance.ts';
import { surviveLostOutput } from '../cluster/log/logging.ts';
import { OperationError } from '../cluster/operation-error.ts';
import { commandOf } from './command-tree.ts';
import { addAddons } from './commands/addons.ts';
import { addCi } from './commands/ci.ts';
import { addCompletion } from './commands/completion.ts';
import { addDoctor } from './commands/doctor.ts';
import { addExample } from './commands/example.ts';
import { addHelp } from './commands/help.ts';
import { addImage } from './commands/image.ts';
import { addInspect } from './commands/inspect.ts';
import { addKubectl } from './commands/kubectl.ts';
import { addRun } from './commands/run.ts';
import { addStop } from './commands/stop.ts';
import { addTest } from './commands/test.ts';
import { addUp } from './commands/up.ts';
import { addWatch } from './commands/watch.ts';
import { exitCodes } from './conventions.ts';
import { reportFailure } from './output.ts';
import { inOurWords } from './peer-words.ts';
import { usageError } from './usage-error.ts';

const commands = [
  addUp,
  addRun,
  addCi,
  addStop,
  addInspect,
  addWatch,
  addDoctor,
  addAddons,
  addImage,
  addExample,
  addKubectl,
  addTest,
  addCompletion,
  addHelp,
];

/** A description stands beside its term where so many columns are left, else below it. */
const besideMin = 28;
const belowIndent = 6;
const widthDefault = 80;

function formatItem(term: string, termWidth: number, description: string, helper: Help): string {
  const width = helper.helpWidth ?? widthDefault;
  if (!description || width - termWidth - belowIndent >= besideMin)
    return new Help().formatItem.call(helper, term, termWidth, description, helper);
  const indent = ' '.repeat(belowIndent);
  return `  ${term}\n${indent}${helper.boxWrap(description, width - belowIndent).replaceAll('\n', `\n${indent}`)}`;
}

export function createProgram(): Command {
  const program = new Command('timonier')
    .description('Kubernetes in TypeScript: the whole cluster in one package')
    .enablePositionalOptions()
    .configureHelp({ minWidthToWrap: besideMin, formatItem })
    .configureOutput({ outputError: () => undefined }) // told where it is caught
    .exitOverride()
    .addHelpText('after', ['', 'Exit codes:', ...exitCodes.map(([code, meaning]) => `  ${code.padEnd(4)} ${meaning}`)].join('\n'));
  for (const add of commands) add(program);
  return program;
}

export async function main(argv: readonly string[]): Promise<void> {
  using _alive = keepProcessAlive();
  surviveLostOutput();
  const program = createProgram();
  const { words, said } = inOurWords(argv.slice(2), isCluster);
  const json = words.includes('--json');
  if (said && !json) process.stderr.write(`timonier: ${said}\n`);
  try {
    await program.parseAsync(words.length === 0 ? ['help'] : words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      reportFailure(error, json);
      process.exitCode = error instanceof OperationError ? error.exitCode : 1;
    } else if (error.exitCode !== 0) {
      // a group of commands without one of them has had its help printed
      if (error.code !== 'commander.help') reportFailure(usageError(error, commandOf(program, words)), json);
      process.exitCode = 2;
    }
  }
}

function isCluster(name: string): boolean {
  try {
    return new Instance(name).exists;
  } catch {
    return false; // no name of a cluster
  }
}
