/** The command line: one command per file in ./commands. */
import { Command, CommanderError } from 'commander';
import { keepProcessAlive } from '../client/clock.ts';
import { surviveLostOutput } from '../cluster/logging.ts';
import { addDoctor } from './commands/doctor.ts';
import { addImage } from './commands/image.ts';
import { addInspect } from './commands/inspect.ts';
import { addKubectl } from './commands/kubectl.ts';
import { addRun } from './commands/run.ts';
import { addStop } from './commands/stop.ts';
import { addTest } from './commands/test.ts';
import { addUp } from './commands/up.ts';
import { reportFailure } from './output.ts';

export async function main(argv: readonly string[]): Promise<void> {
  using _alive = keepProcessAlive();
  surviveLostOutput();
  const program = new Command('timonier')
    .description('Kubernetes in TypeScript: the whole cluster in one package')
    .enablePositionalOptions()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'timonier: ')) })
    .showHelpAfterError('  fix: --help says what there is')
    .exitOverride();
  for (const add of [addUp, addRun, addStop, addInspect, addDoctor, addImage, addKubectl, addTest]) add(program);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has printed it
      return;
    }
    reportFailure(error, argv.includes('--json'));
    process.exitCode = 1;
  }
}
