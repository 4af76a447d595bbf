/** Runs the phases of a start one after the other, reports each with its time, and names the one that failed. */
import type { Clock } from '../client/clock.ts';
import type { Phase, PhaseReport } from './cluster.ts';
import { OperationError } from './operation-error.ts';

export type PhaseRunner = <T>(phase: Phase, work: () => Promise<T>, note?: (result: T) => string | undefined) => Promise<T>;

const hints: Partial<Record<Phase, string>> = {
  store: 'is the disk full, or does another process use this data directory?',
  'api-server': 'is the port taken? give another one with --port, or --port 0 for a free one',
  nodes: 'see `timonier doctor`; `--nodes 0 --hollow 1` needs no containers',
};

export function createPhaseRunner(options: {
  clock: Clock;
  signal: AbortSignal;
  onPhase?: ((report: PhaseReport) => void) | undefined;
}): PhaseRunner {
  const { clock, signal, onPhase } = options;
  return async (phase, work, note) => {
    signal.throwIfAborted();
    const startMs = clock.monotonic();
    try {
      const result = await raceAbort(work(), signal);
      const text = note?.(result);
      onPhase?.({ phase, durationMs: clock.monotonic() - startMs, ...(text && { note: text }) });
      return result;
    } catch (error) {
      const known = error instanceof OperationError ? error : { code: `${phase}-failed`, fix: hints[phase] ?? 'see the log' };
      throw new OperationError({ code: known.code, message: `${phase} failed`, fix: known.fix, cause: error });
    }
  };
}

function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', onAbort));
}
