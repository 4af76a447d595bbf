/**
 * From what the metrics ask for to what is done: not more often up and down than the autoscaler's rules allow, and within
 * its bounds. Pure; what has to be remembered between two looks is a value that goes in and comes out.
 * Upstream: pkg/controller/podautoscaler/horizontal.go (normalizeDesiredReplicas and what it calls).
 */
import type { HorizontalPodAutoscalerBehavior, HPAScalingPolicy, HPAScalingRules } from '../../../api/generated/autoscaling-v2.ts';

/** Of one autoscaler. Times are milliseconds. */
export interface ScalingHistory {
  /** what its metrics asked for */
  readonly recommendations: readonly { readonly replicas: number; readonly atMs: number }[];
  /** what was done: replicas more, or less */
  readonly changes: readonly { readonly by: number; readonly atMs: number }[];
}
export const noHistory: ScalingHistory = { recommendations: [], changes: [] };

export interface Wish {
  readonly behavior?: HorizontalPodAutoscalerBehavior | undefined;
  readonly min: number;
  readonly max: number;
  readonly current: number;
  /** what the metrics ask for */
  readonly desired: number;
  readonly nowMs: number;
}

export interface Reasoned {
  readonly isLimited: boolean;
  readonly reason: string;
  readonly message: string;
}

export interface Decision {
  readonly replicas: number;
  readonly ableToScale: Omit<Reasoned, 'isLimited'>;
  readonly scalingLimited: Reasoned;
}

const downWindowSecondsDefault = 300;
/** The longest that the API takes; what is older counts for nothing. */
const windowSecondsMax = 3600;
const upFactor = 2;
const upMin = 4;

/** What is remembered from now on, with what is asked for now. */
export function remember(
  history: ScalingHistory,
  { replicas, nowMs }: { readonly replicas: number; readonly nowMs: number },
): ScalingHistory {
  const sinceMs = nowMs - windowSecondsMax * 1000;
  return {
    recommendations: [...history.recommendations.filter(({ atMs }) => atMs >= sinceMs), { replicas, atMs: nowMs }],
    changes: history.changes.filter(({ atMs }) => atMs >= sinceMs),
  };
}

export const withChange = (history: ScalingHistory, by: number, nowMs: number): ScalingHistory => ({
  ...history,
  changes: [...history.changes, { by, atMs: nowMs }],
});

/** `history` is that of before. */
export function decide(wish: Wish, history: ScalingHistory): Decision {
  const stabilized = stabilize(wish, history);
  const { replicas, ...limit } = wish.behavior
    ? limitByRules({ ...wish, desired: stabilized }, history, wish.behavior)
    : limitByDefault({ ...wish, desired: stabilized });
  return {
    replicas,
    ableToScale: stabilized === wish.desired ? ready : wish.behavior && wish.desired >= wish.current ? stabilizedUp : stabilizedDown,
    scalingLimited: { ...limit, isLimited: replicas !== stabilized },
  };
}

const ready = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
const stabilizedUp = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
};
const stabilizedDown = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
};

function stabilize({ behavior, current, desired, nowMs }: Wish, { recommendations }: ScalingHistory): number {
  const within = (seconds: number) => recommendations.filter(({ atMs }) => atMs > nowMs - seconds * 1000).map(({ replicas }) => replicas);
  const highest = Math.max(desired, ...within(behavior?.scaleDown?.stabilizationWindowSeconds ?? downWindowSecondsDefault));
  if (!behavior) return highest;
  const lowest = Math.min(desired, ...within(behavior.scaleUp?.stabilizationWindowSeconds ?? 0));
  return Math.min(Math.max(current, lowest), highest);
}

interface Limited {
  readonly replicas: number;
  readonly reason: string;
  readonly message: string;
}

const tooFast = { reason: 'ScaleUpLimit', message: 'the desired replica count is increasing faster than the maximum scale rate' };
const tooFastDown = { reason: 'ScaleDownLimit', message: 'the desired replica count is decreasing faster than the maximum scale rate' };
const tooMany = { reason: 'TooManyReplicas', message: 'the desired replica count is more than the maximum replica count' };
const tooFew = { reason: 'TooFewReplicas', message: 'the desired replica count is less than the minimum replica count' };
const inRange = { reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' };

/** Without rules of its own: at most doubled, or four. */
function limitByDefault({ current, desired, min, max }: Wish): Limited {
  const rate = Math.max(upFactor * current, upMin);
  if (desired < min) return { replicas: min, ...tooFew };
  if (desired <= Math.min(max, rate)) return { replicas: desired, ...inRange };
  return max > rate ? { replicas: rate, ...tooFast } : { replicas: max, ...tooMany };
}

function limitByRules(
  { current, desired, min, max, nowMs }: Wish,
  history: ScalingHistory,
  behavior: HorizontalPodAutoscalerBehavior,
): Limited {
  if (desired > current) {
    const rate = Math.max(current, rateLimit(behavior.scaleUp, 'up', { current, history, nowMs }));
    if (desired <= Math.min(max, rate)) return { replicas: desired, ...inRange };
    return max > rate ? { replicas: rate, ...tooFast } : { replicas: max, ...tooMany };
  }
  if (desired < current) {
    const rate = Math.min(current, rateLimit(behavior.scaleDown, 'down', { current, history, nowMs }));
    if (desired >= Math.max(min, rate)) return { replicas: desired, ...inRange };
    return min < rate ? { replicas: rate, ...tooFastDown } : { replicas: min, ...tooFew };
  }
  return { replicas: desired, ...inRange };
}

interface Situation extends Pick<Wish, 'current' | 'nowMs'> {
  readonly history: ScalingHistory;
}

/** How far the policies let it go: the one that changes most, or least where that is chosen. */
function rateLimit(rules: HPAScalingRules | undefined, way: 'up' | 'down', { current, history, nowMs }: Situation): number {
  if (rules?.selectPolicy === 'Disabled') return current;
  const proposals = (rules?.policies ?? []).map((policy) =>
    proposal(policy, way, replicasBefore(policy.periodSeconds, { current, history, nowMs })),
  );
  return (rules?.selectPolicy === 'Min') === (way === 'up') ? Math.min(...proposals) : Math.max(...proposals);
}

function proposal({ type, value }: HPAScalingPolicy, way: 'up' | 'down', before: number): number {
  const sign = way === 'up' ? 1 : -1;
  if (type === 'Pods') return before + sign * value;
  const scaled = before * (1 + (sign * value) / 100);
  return way === 'up' ? Math.ceil(scaled) : Math.trunc(scaled); // rounded down, going up might never begin
}

function replicasBefore(periodSeconds: number, { current, history, nowMs }: Situation): number {
  const recent = history.changes.filter(({ atMs }) => atMs > nowMs - periodSeconds * 1000);
  return current - recent.reduce((sum, { by }) => sum + by, 0);
}
