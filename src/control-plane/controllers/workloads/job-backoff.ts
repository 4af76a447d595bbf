/**
 * How long a Job waits before it replaces failed pods: 10 s, doubling with each failure since the last success, at most
 * 10 minutes. Pure. Upstream: pkg/controller/job/backoff_utils.go.
 */
import type { Pod } from '../../../api/generated/kinds.ts';
import { allIndexFailures, finishedMs } from './job-pod.ts';

const firstMs = 10_000;
const maxMs = 600_000;

export interface FailureRecord {
  readonly failures: number;
  readonly lastFailureMs?: number;
}

export const noFailures: FailureRecord = { failures: 0 };

/** The record after these pods have ended too. */
export function nextFailureRecord(before: FailureRecord, succeeded: readonly Pod[], failed: readonly Pod[]): FailureRecord {
  const failedAt = failed.map(finishedMs).sort((a, b) => a - b);
  if (succeeded.length === 0) {
    const last = failedAt.at(-1);
    return last === undefined ? before : { failures: before.failures + failedAt.length, lastFailureMs: last };
  }
  const lastSuccessMs = Math.max(...succeeded.map(finishedMs));
  const since = failedAt.filter((atMs) => atMs > lastSuccessMs);
  const last = since.at(-1);
  return last === undefined ? noFailures : { failures: since.length, lastFailureMs: last };
}

export function backoffLeftMs({ failures, lastFailureMs }: FailureRecord, nowMs: number): number {
  if (failures === 0 || lastFailureMs === undefined) return 0;
  const delayMs = Math.min(firstMs * 2 ** (failures - 1), maxMs);
  return Math.max(0, delayMs - (nowMs - lastFailureMs));
}

/** The same for one index, whose last pod tells how often it has failed. */
export function indexBackoffLeftMs(lastFailed: Pod | undefined, nowMs: number): number {
  if (!lastFailed) return 0;
  return backoffLeftMs({ failures: allIndexFailures(lastFailed) + 1, lastFailureMs: finishedMs(lastFailed) }, nowMs);
}
