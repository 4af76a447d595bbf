/**
 * Runs the phases of a start one after the other, reports each with its time, and names the one that failed, or that was
 * under way when the start was given up; then the reason of the signal is the error, as it is or with that. What a phase
 * starts it puts on the stack itself, so that it is taken back also when the start is given up meanwhile.
 */
import { type Clock, realClock } from '../client/clock.ts';
import { DamagedKeyError } from '../control-plane/pki/cluster-pki.ts';
import { StoreDamagedError } from '../control-plane/store/storage.ts';
import type { Phase, PhaseReport } from './cluster.ts';
import { OperationError } from './operation-error.ts';

const settleMsMax = 3_000;

export type PhaseRunner = <T>(phase: Phase, work: () => Promise<T>, note?: (result: T) => string | undefined) => Promise<T>;

const hints: Partial<Record<Phase, string>> = {
  bootstrap: 'is the disk of the data directory full?',
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
    const startMs = clock.monotonic();
    try {
      signal.throwIfAborted();
      const result = await raceAbort(work(), signal);
      const text = note?.(result);
      onPhase?.({ phase, durationMs: clock.monotonic() - startMs, ...(text && { note: text }) });
      return result;
    } catch (error) {
      if (signal.aborted) throw givenUp(signal.reason, phase);
      const known =
        error instanceof OperationError ? error : (damageOf(error) ?? { code: `${phase}-failed`, fix: hints[phase] ?? 'see the log' });
      throw new OperationError({ code: known.code, message: `${phase} failed`, fix: known.fix, cause: error });
    }
  };
}

/** Not the phase has failed, if it is named: it is what was under way. */
function givenUp(reason: unknown, phase: Phase): unknown {
  if (!(reason instanceof OperationError)) return reason;
  const { code, message, fix, cause } = reason;
  return new OperationError({ code, message: `${message}: the phase "${phase}" was under way`, fix, cause });
}

/** Of what is kept, whoever comes upon it. */
function damageOf(error: unknown): { readonly code: string; readonly fix: string } | undefined {
  if (error instanceof DamagedKeyError) return error;
  if (!(error instanceof Error)) return undefined;
  if (!(error instanceof StoreDamagedError)) return damageOf(error.cause);
  return { code: error.code, fix: 'put the directory `store` back from a copy; without one: timonier delete, and begin anew' };
}

/** When the start is given up, what is under way gets a moment to end. */
async function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const onAbort = (): void => resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  const settled = work.then(
    () => undefined,
    () => undefined,
  );
  try {
    await Promise.race([settled, aborted.then(() => Promise.race([settled, realClock.sleep(settleMsMax)]))]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  signal.throwIfAborted();
  return work;
}
