/** A command that is not let finish: Ctrl-C, an end by another program, a terminal that is closed. It says what became of the matter. */
import { constants } from 'node:os';
import { OperationError } from '../cluster/operation-error.ts';
import { reportFailure } from './output.ts';

export const interrupts = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The error's code. */
export const interrupted = 'interrupted';

export interface Aftermath {
  /** after `Interrupted; ` */
  readonly left: string;
  readonly fix?: string | undefined;
}

export const interruption = (signal: NodeJS.Signals, { left, fix }: Aftermath): OperationError =>
  new OperationError({ code: interrupted, message: `Interrupted; ${left}`, fix, exitCode: 128 + constants.signals[signal] });

/** Until it is disposed, a signal ends this process, once it has said what is left. */
export function sayWhenInterrupted(aftermath: () => Aftermath, json: boolean): Disposable {
  const end = (signal: NodeJS.Signals): never => {
    const error = interruption(signal, aftermath());
    reportFailure(error, json);
    process.exit(error.exitCode);
  };
  for (const signal of interrupts) process.once(signal, end);
  return {
    [Symbol.dispose]: () => {
      for (const signal of interrupts) process.off(signal, end);
    },
  };
}
