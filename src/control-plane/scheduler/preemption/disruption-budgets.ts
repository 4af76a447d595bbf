/**
 * Which of the pods could not be evicted without breaking a disruption budget, if all were, in this order.
 * Upstream: scheduler/framework/plugins/defaultpreemption/default_preemption.go (filterPodsWithPDBViolation).
 */
import type { PodDisruptionBudget } from '../../../api/generated/kinds.ts';
import { labelMatcher } from '../../../api/meta/selectors.ts';
import type { PodFacts } from '../pod-facts.ts';

export interface SplitByBudget {
  readonly violating: readonly PodFacts[];
  readonly other: readonly PodFacts[];
}

export function splitByBudget(pods: readonly PodFacts[], budgets: readonly PodDisruptionBudget[]): SplitByBudget {
  const left = budgets.map((budget) => ({
    namespace: budget.metadata.namespace,
    selector: labelMatcher(budget.spec?.selector),
    disrupted: budget.status?.disruptedPods ?? {},
    allowed: budget.status?.disruptionsAllowed ?? 0,
  }));
  const violating: PodFacts[] = [];
  const other: PodFacts[] = [];
  for (const pod of pods) {
    let violates = false;
    for (const budget of left) {
      if (budget.namespace !== pod.namespace || budget.selector.isEverything || !budget.selector.matches(pod.labels)) continue;
      if (Object.hasOwn(budget.disrupted, pod.name)) continue; // the API server has counted it already
      if (--budget.allowed < 0) violates = true;
    }
    (violates ? violating : other).push(pod);
  }
  return { violating, other };
}
