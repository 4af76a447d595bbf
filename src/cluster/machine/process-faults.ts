/**
 * The last resort of a process of ours. A rejection that nobody caught harmed one request or one piece of work: it is
 * logged with its request and counted, and the process goes on. After an uncaught exception nothing is known to be whole:
 * it is logged, and the process ends with code 70, at once and whatever hangs in it; containers run on, and whoever
 * started the process starts it again. A process whose descriptors are used up ends the same way: it can neither accept
 * nor open anything, and the kernel closes what leaked.
 */
import { closeSync, openSync } from 'node:fs';
import { type Clock, realClock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { requestContext } from '../../client/transport/request-context.ts';

/** EX_SOFTWARE: an internal fault. */
export const faultExitCode = 70;

/** How often is looked for a free descriptor, and how many times in turn there is none before the process ends. */
const descriptorLookMs = 5000;
const descriptorLooksMax = 3;

export interface ProcessFaults extends Disposable {
  readonly unhandledRejections: number;
}

export function watchProcess(log: Log, end: (code: number) => void = endProcess, clock: Clock = realClock): ProcessFaults {
  let unhandledRejections = 0;
  const onRejection = (error: unknown): void => {
    unhandledRejections++;
    log.error({ error, ...requestContext.getStore() }, 'a failure was caught by nobody');
  };
  const onException = (error: unknown): void => {
    try {
      log.error({ error, ...requestContext.getStore() }, 'an uncaught exception ends the process');
    } finally {
      end(faultExitCode);
    }
  };
  process.on('unhandledRejection', onRejection).on('uncaughtException', onException);
  let looksInVain = 0;
  const looking = clock.setInterval(() => {
    looksInVain = hasFreeDescriptor() ? 0 : looksInVain + 1;
    if (looksInVain >= descriptorLooksMax) onException(new Error('too many open files'));
  }, descriptorLookMs);
  return {
    get unhandledRejections() {
      return unhandledRejections;
    },
    [Symbol.dispose]() {
      looking.cancel();
      process.off('unhandledRejection', onRejection).off('uncaughtException', onException);
    },
  };
}

function hasFreeDescriptor(): boolean {
  try {
    closeSync(openSync('/dev/null', 'r'));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== 'EMFILE' && code !== 'ENFILE';
  }
}

/**
 * Ends this process, whatever hangs. `process.exit` joins the thread pool, and waits for ever when a thread is stuck in a
 * system call; a process that becomes another program loses its threads.
 */
export function endProcess(code: number): never {
  if (process.platform !== 'win32') process.execve?.('/bin/sh', ['sh', '-c', `exit ${code}`], {});
  process.exit(code);
}
