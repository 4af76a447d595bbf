/**
 * Runs the phases of a start one after the other, reports each with its time, and names the one that failed, or that was
 * under way when the start was given up; then the reason of the signal is the error, as it is or with that. A listener
 * that throws ends the start as its own failure, not the phase's. What a phase starts it puts on the stack itself, so that it is taken back also when the start is given up meanwhile.
 */
import { type Clock, realClock } from '../client/clock.ts';
import { nextTurn } from '../client/turns.ts';
import type { Phase, PhaseReport } from './cluster.ts';
import { explainFailure } from './machine/explain-failure.ts';
import { OperationError } from './operation-error.ts';

const settleMsMax = 3_000;

export type PhaseRunner = <T>(phase: Phase, work: () => Promise<T>, note?: (result: T) => string | undefined) => Promise<T>;

export function createPhaseRunner(options: {
  clock: Clock;
  signal: AbortSignal;
  onPhase?: ((report: PhaseReport) => void) | undefined;
}): PhaseRunner {
  const { clock, signal, onPhase } = options;
  return async (phase, work, note) => {
    const startMs = clock.monotonic();
    const { result, text } = await (async () => {
      signal.throwIfAborted();
      const result = await raceAbort(work(), signal);
      await nextTurn(); // a deadline or a signal that came meanwhile ends the start
      signal.throwIfAborted();
      return { result, text: note?.(result) };
    })().catch((error: unknown) => {
      throw signal.aborted ? givenUp(signal.reason, phase) : failureOf(phase, error);
    });
    tell(onPhase, { phase, durationMs: Math.round(clock.monotonic() - startMs), note: text || undefined });
    return result;
  };
}

function tell(onPhase: ((report: PhaseReport) => void) | undefined, report: PhaseReport): void {
  try {
    onPhase?.(report);
  } catch (cause) {
    throw new OperationError({
      code: 'bad-listener',
      message: `onPhase threw when told of "${report.phase}"`,
      fix: 'mend the function',
      cause,
    });
  }
}

/** Not the phase has failed, if it is named: it is what was under way. */
function givenUp(reason: unknown, phase: Phase): unknown {
  if (!(reason instanceof OperationError)) return reason;
  const { code, message, fix, cause } = reason;
  return new OperationError({ code, message: `${message}: the phase "${phase}" was under way`, fix, cause });
}

/** What is known is told in its own words; of the rest the phase is all that can be said. */
function failureOf(phase: Phase, cause: unknown): OperationError {
  if (cause instanceof OperationError) return new OperationError({ code: cause.code, message: `${phase} failed`, fix: cause.fix, cause });
  const { code = `${phase}-failed`, message, fix } = explainFailure(cause) ?? {};
  return new OperationError({ code, message: message ?? `${phase} failed`, isWhole: message !== undefined, fix, cause });
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
