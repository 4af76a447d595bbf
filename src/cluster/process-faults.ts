/**
 * The last resort of a process of ours. A rejection that nobody caught harmed one request or one piece of work: it is
 * logged with its request and counted, and the process goes on. After an uncaught exception nothing is known to be whole:
 * it is logged, and the process ends with code 70, at once and whatever hangs in it; containers run on, and whoever
 * started the process starts it again.
 */
import type { Log } from '../client/log.ts';
import { requestContext } from '../client/request-context.ts';

/** EX_SOFTWARE: an internal fault. */
export const faultExitCode = 70;

export interface ProcessFaults extends Disposable {
  readonly unhandledRejections: number;
}

export function watchProcess(log: Log, end: (code: number) => void = endProcess): ProcessFaults {
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
  return {
    get unhandledRejections() {
      return unhandledRejections;
    },
    [Symbol.dispose]() {
      process.off('unhandledRejection', onRejection).off('uncaughtException', onException);
    },
  };
}

/**
 * Ends this process, whatever hangs. `process.exit` joins the thread pool, and waits for ever when a thread is stuck in a
 * system call; a process that becomes another program loses its threads.
 */
export function endProcess(code: number): never {
  if (process.platform !== 'win32') process.execve?.('/bin/sh', ['sh', '-c', `exit ${code}`], {});
  process.exit(code);
}
