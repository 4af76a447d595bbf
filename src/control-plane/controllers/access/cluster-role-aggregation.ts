/**
 * The controller of aggregated ClusterRoles (admin, edit, view): their rules are those of all ClusterRoles that their
 * selectors match, in the order of the names.
 * Upstream: pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go.
 */
import { ClusterRole } from '../../../api/generated/kinds.ts';
import type { PolicyRule } from '../../../api/generated/rbac-v1.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { labelMatcher } from '../../../api/meta/selectors.ts';
import { defineController, watched } from '../../../client/controllers/controller.ts';

const isAggregated = (role: ClusterRole): boolean => role.aggregationRule !== undefined;

export const clusterRoleAggregation = defineController({
  name: 'clusterrole-aggregation-controller',
  watches: [
    watched(ClusterRole, (_role, _old, { client }) =>
      client
        .informer(ClusterRole)
        .list()
        .filter(isAggregated)
        .map((role) => keyOf(role)),
    ),
  ],
  async reconcile(key, { client }) {
    const roles = client.informer(ClusterRole);
    const role = roles.get(key);
    if (!role || !isAggregated(role)) return;
    const rules = planAggregatedRules(role, roles.list());
    if (!equalSemantically(rules, role.rules)) await client.update(ClusterRole, { ...role, rules });
  },
});

export function planAggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] {
  const rules: PolicyRule[] = [];
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const matcher = labelMatcher(selector);
    const selected = all.filter((each) => each.metadata.name !== role.metadata.name && matcher.matches(each.metadata.labels ?? {}));
    for (const each of selected.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
      for (const rule of each.rules ?? []) if (!rules.some((known) => equalSemantically(known, rule))) rules.push(rule);
    }
  }
  return rules;
}
