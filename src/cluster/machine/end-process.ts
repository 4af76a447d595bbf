/**
 * The deadlines after which this process ends though something in it hangs: by a signal to itself, as if nobody listened
 * to it, so the kernel ends it at once and whoever started it sees why. Their timers need no thread but the first.
 */
import { realClock } from '../../client/clock.ts';

/** How long a process that was asked to stop takes at most. Whoever asked it (`down`, the supervisor) waits longer, then kills. */
export const stopMsMax = 60_000;
/** How long a start that was given up may take to clean up after itself. */
export const giveUpMsMax = 15_000;

/** How long a stopping node gives a pod that asks for more. */
export const podGraceSecondsMax = 10;

/** After `delayMs`, unless it is cancelled: says so, and ends the process. */
export function endAfter(delayMs: number, signal: 'SIGTERM' | 'SIGKILL', say: () => void): Disposable {
  return realClock.setTimeout(() => {
    try {
      say();
    } finally {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  }, delayMs);
}
