/** Whether a toleration covers a taint. Upstream: api/core/v1/toleration.go. */
import type { Taint, Toleration } from '../../api/generated/core-v1.ts';

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? 'Equal') {
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '');
    case 'Exists':
      return true;
    case 'Lt':
      return isNumber(taint.value) && isNumber(toleration.value) && Number(taint.value) < Number(toleration.value);
    case 'Gt':
      return isNumber(taint.value) && isNumber(toleration.value) && Number(taint.value) > Number(toleration.value);
    default:
      return false;
  }
}

const isNumber = (text: string | undefined): boolean => /^-?\d+$/.test(text ?? '');

/** The first taint of these effects that no toleration covers. */
export function untoleratedTaint(
  taints: readonly Taint[] = [],
  tolerations: readonly Toleration[] = [],
  effects: readonly string[],
): Taint | undefined {
  return taints.find((taint) => effects.includes(taint.effect) && !tolerations.some((toleration) => tolerates(toleration, taint)));
}
