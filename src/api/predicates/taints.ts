/** Whether a toleration covers a taint. Upstream: api/core/v1/toleration.go, without the alpha operators Lt and Gt. */
import type { Taint, Toleration } from '../generated/core-v1.ts';

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator || 'Equal') {
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '');
    case 'Exists':
      return true;
    default:
      return false;
  }
}

/** The effects that keep pods away. */
const keepingAway: readonly string[] = ['NoSchedule', 'NoExecute'];

/** The first taint of these effects that no toleration covers. */
export function untoleratedTaint(
  taints: readonly Taint[] = [],
  tolerations: readonly Toleration[] = [],
  effects: readonly string[] = keepingAway,
): Taint | undefined {
  return taints.find((taint) => effects.includes(taint.effect) && !tolerations.some((toleration) => tolerates(toleration, taint)));
}
