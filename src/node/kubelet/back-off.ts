/**
 * Exponential back-off as data: the next entry is computed, never stored here, so planners stay pure.
 * Upstream: client-go/util/flowcontrol/backoff.go.
 */

export interface BackOffEntry {
  readonly delayMs: number;
  readonly updatedAtMs: number;
}

export interface BackOffLimits {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** Crash loops and image pulls alike: 10 s, doubling to 5 min, forgotten after 10 min of peace. */
export const restartBackOff: BackOffLimits = { initialMs: 10_000, maxMs: 300_000 };

const forgotten = (entry: BackOffEntry, atMs: number, limits: BackOffLimits): boolean => atMs - entry.updatedAtMs > 2 * limits.maxMs;

/** Until when the next try has to wait, when the last one ended at `endedAtMs`; undefined: it need not. */
export function backOffUntil(
  entry: BackOffEntry | undefined,
  at: { readonly endedAtMs: number; readonly nowMs: number },
  limits = restartBackOff,
): number | undefined {
  if (!entry || forgotten(entry, at.endedAtMs, limits)) return undefined;
  const untilMs = at.endedAtMs + entry.delayMs;
  return at.nowMs < untilMs ? untilMs : undefined;
}

/** The entry after one more try. */
export function nextBackOff(
  entry: BackOffEntry | undefined,
  at: { readonly endedAtMs: number; readonly nowMs: number },
  limits = restartBackOff,
): BackOffEntry {
  const delayMs = !entry || forgotten(entry, at.endedAtMs, limits) ? limits.initialMs : Math.min(entry.delayMs * 2, limits.maxMs);
  return { delayMs, updatedAtMs: at.nowMs };
}

/** A duration as Go prints it: `10s`, `1m20s`, `5m0s`. */
export function describeDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms < 1000) return `${Number(ms.toFixed(3))}ms`;
  const totalSeconds = ms / 1000;
  const hours = Math.floor(totalSeconds / 3600);
  const minutes = Math.floor((totalSeconds % 3600) / 60);
  const seconds = Number((totalSeconds % 60).toFixed(3));
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
