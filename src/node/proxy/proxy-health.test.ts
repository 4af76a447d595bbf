import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../../api/generated/kinds.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { ProxyHealth } from './proxy-health.ts';

const node = (spec: Node['spec'] = {}, deletionTimestamp?: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'a',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...(deletionTimestamp && { deletionTimestamp }),
  },
  spec,
  status: {},
});
const toBeDeleted = { key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' } as const;
const cases = [
  { name: 'all is well', node: node(), waitsMs: undefined, healthz: 200, livez: 200 },
  { name: 'a change waits, not for long', node: node(), waitsMs: 59_999, healthz: 200, livez: 200 },
  { name: 'a change waits too long', node: node(), waitsMs: 60_000, healthz: 503, livez: 503 },
  { name: 'no node', node: undefined, waitsMs: undefined, healthz: 503, livez: 200 },
  { name: 'a node that is being deleted', node: node({}, '2026-01-02T00:00:00Z'), waitsMs: undefined, healthz: 503, livez: 200 },
  { name: 'one that is to be', node: node({ taints: [toBeDeleted] }), waitsMs: undefined, healthz: 503, livez: 200 },
  { name: 'another taint', node: node({ taints: [{ ...toBeDeleted, key: 'other' }] }), waitsMs: undefined, healthz: 200, livez: 200 },
];
for (const { name, node: given, waitsMs, healthz, livez } of cases) {
  test(name, async () => {
    const clock = new VirtualClock();
    const health = new ProxyHealth(clock);
    health.seeNode(given);
    health.updated();
    if (waitsMs !== undefined) {
      health.queued();
      await clock.advance(waitsMs);
    }
    assert.deepEqual([health.answer('/healthz').status, health.answer('/livez').status], [healthz, livez]);
  });
}

test('what the answers say', async () => {
  const clock = new VirtualClock();
  const health = new ProxyHealth(clock);
  health.seeNode(node());
  const updated = new Date(clock.now()).toISOString();
  health.updated();
  health.queued();
  await clock.advance(70_000);
  const now = new Date(clock.now()).toISOString();
  const stale = {
    lastUpdated: updated,
    currentTime: now,
    nodeEligible: true,
    healthy: false,
    status: { IPv4: { lastUpdated: updated, healthy: false } },
  };
  assert.deepEqual(health.answer('/healthz'), { status: 503, body: stale });
  health.updated();
  const well = {
    lastUpdated: now,
    currentTime: now,
    nodeEligible: undefined,
    healthy: true,
    status: { IPv4: { lastUpdated: now, healthy: true } },
  };
  assert.deepEqual(health.answer('/livez'), { status: 200, body: well });
});
