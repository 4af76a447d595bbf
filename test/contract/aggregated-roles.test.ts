/** Two rooms that must agree: the policy that the API server begins with, and the controller that aggregates roles. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import policy from '../../src/api/data/bootstrap-policy.json' with { type: 'json' };
import type { ClusterRole } from '../../src/api/generated/kinds.ts';
import { planAggregatedRules } from '../../src/control-plane/controllers/access/cluster-role-aggregation.ts';

test('aggregated roles of the bootstrap policy have the rules that aggregation gives', () => {
  const all = policy.clusterRoles as unknown as ClusterRole[];
  for (const name of ['view', 'edit', 'admin']) {
    const aggregated = all.find(({ metadata }) => metadata.name === name);
    assert.ok(aggregated);
    assert.deepEqual(planAggregatedRules(aggregated, all), aggregated.rules);
  }
});
