/**
 * Conditions: one entry per type, lastTransitionTime moves only when the status does.
 * Upstream: apimachinery/pkg/api/meta/conditions.go.
 */

interface ConditionLike {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export function findCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, type: string): C | undefined {
  return conditions?.find((c) => c.type === type);
}

export function isConditionTrue(conditions: readonly ConditionLike[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * The list with `condition` in it. The same list when nothing would change; the old lastTransitionTime where the status
 * stays, else the given one.
 */
export function withCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, condition: C): readonly C[] {
  const list = conditions ?? [];
  const old = findCondition(list, condition.type);
  if (!old) return [...list, condition];
  const keepsTime = old.status === condition.status && old.lastTransitionTime !== undefined;
  const next = keepsTime ? { ...condition, lastTransitionTime: old.lastTransitionTime } : condition;
  const keys = new Set([...Object.keys(old), ...Object.keys(next)]) as Set<keyof C>;
  const same = [...keys].every((key) => old[key] === next[key]);
  return same ? list : list.map((c) => (c === old ? next : c));
}

export function withoutCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, type: string): readonly C[] {
  const list = conditions ?? [];
  return list.some((c) => c.type === type) ? list.filter((c) => c.type !== type) : list;
}
