import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeploymentCondition, DeploymentStatus } from '../../../api/generated/apps-v1.ts';
import type { Deployment, ReplicaSet } from '../../../api/generated/kinds.ts';
import { type DeploymentView, nextDeploymentStatus, progressCheckMs } from './deployment-status.ts';

const nowMs = Date.UTC(2026, 0, 1, 1);
const longAgo = '2026-01-01T00:00:00Z';
const condition = (type: string, status: string, reason: string, lastUpdateTime = longAgo): DeploymentCondition => ({
  type,
  status,
  reason,
  message: '',
  lastUpdateTime,
  lastTransitionTime: longAgo,
});
const deployment = (status: DeploymentStatus, spec: Partial<Deployment['spec']> = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'n', uid: 'd', resourceVersion: '1', creationTimestamp: longAgo, generation: 2 },
  spec: { replicas: 2, progressDeadlineSeconds: 600, selector: {}, template: {}, ...spec },
  status,
});
const set = (status: Partial<ReplicaSet['status']>): DeploymentView['sets'][number] => ({
  replicas: 2,
  set: { status: { replicas: 0, observedGeneration: 1, terminatingReplicas: 0, ...status } } as ReplicaSet,
});
const view = (sets: DeploymentView['sets'], more: Partial<DeploymentView> = {}): DeploymentView => ({
  sets,
  newest: sets[0],
  newestName: 'web-1',
  created: false,
  isRollout: true,
  unavailableMax: 0,
  nowMs,
  ...more,
});
const full = { replicas: 2, readyReplicas: 2, availableReplicas: 2 };
const reasons = (status: DeploymentStatus) => status.conditions?.map((c) => `${c.type}=${c.status} ${c.reason}: ${c.message}`);

const cases: { name: string; given: Deployment; seen: DeploymentView; want: string[] }[] = [
  {
    name: 'just created',
    given: deployment({}),
    seen: view([{ replicas: 2 }], { created: true }),
    want: [
      'Progressing=True NewReplicaSetCreated: Created new replica set "web-1"',
      'Available=False MinimumReplicasUnavailable: Deployment does not have minimum availability.',
    ],
  },
  {
    name: 'one pod more is ready',
    given: deployment({ replicas: 2, updatedReplicas: 2, conditions: [condition('Progressing', 'True', 'NewReplicaSetCreated')] }),
    seen: view([set({ ...full, readyReplicas: 1, availableReplicas: 1 })]),
    want: [
      'Available=False MinimumReplicasUnavailable: Deployment does not have minimum availability.',
      'Progressing=True ReplicaSetUpdated: ReplicaSet "web-1" is progressing.',
    ],
  },
  {
    name: 'complete',
    given: deployment({ conditions: [condition('Progressing', 'True', 'ReplicaSetUpdated')] }),
    seen: view([set(full)]),
    want: [
      'Available=True MinimumReplicasAvailable: Deployment has minimum availability.',
      'Progressing=True NewReplicaSetAvailable: ReplicaSet "web-1" has successfully progressed.',
    ],
  },
  {
    name: 'past its deadline',
    given: deployment({ replicas: 2, updatedReplicas: 2, conditions: [condition('Progressing', 'True', 'ReplicaSetUpdated')] }),
    seen: view([set({ replicas: 2 })]),
    want: [
      'Available=False MinimumReplicasUnavailable: Deployment does not have minimum availability.',
      'Progressing=False ProgressDeadlineExceeded: ReplicaSet "web-1" has timed out progressing.',
    ],
  },
  {
    name: 'paused, then no progress is judged',
    given: deployment({ conditions: [condition('Progressing', 'True', 'ReplicaSetUpdated')] }, { paused: true }),
    seen: view([set(full)], { isRollout: false }),
    want: [
      'Progressing=Unknown DeploymentPaused: Deployment is paused',
      'Available=True MinimumReplicasAvailable: Deployment has minimum availability.',
    ],
  },
  {
    name: 'resumed: the deadline counts from now',
    given: deployment({ replicas: 2, updatedReplicas: 2, conditions: [condition('Progressing', 'Unknown', 'DeploymentPaused')] }),
    seen: view([set({ replicas: 2 })]),
    want: [
      'Progressing=Unknown DeploymentResumed: Deployment is resumed',
      'Available=False MinimumReplicasUnavailable: Deployment does not have minimum availability.',
    ],
  },
  {
    name: 'its ReplicaSet fails',
    given: deployment({ conditions: [condition('Progressing', 'True', 'NewReplicaSetCreated', '2026-01-01T00:59:00Z')] }),
    seen: view([set({ conditions: [{ ...condition('ReplicaFailure', 'True', 'FailedCreate'), message: 'quota' }] })]),
    want: [
      'Progressing=True NewReplicaSetCreated: ',
      'Available=False MinimumReplicasUnavailable: Deployment does not have minimum availability.',
      'ReplicaFailure=True FailedCreate: quota',
    ],
  },
];
for (const { name, given, seen, want } of cases) {
  test(`conditions: ${name}`, () => assert.deepEqual(reasons(nextDeploymentStatus(given, seen)), want));
}

test('counts of zero are left out, unknown terminating ones too', () => {
  const { conditions: _, ...counts } = nextDeploymentStatus(deployment({ collisionCount: 1 }), view([set({ replicas: 1 })]));
  assert.deepEqual(counts, {
    observedGeneration: 2,
    replicas: 1,
    updatedReplicas: 1,
    unavailableReplicas: 2,
    terminatingReplicas: 0,
    collisionCount: 1,
  });
  const unknown: ReplicaSet = { status: { replicas: 1, observedGeneration: 1 } } as ReplicaSet;
  assert.equal(nextDeploymentStatus(deployment({}), view([{ set: unknown, replicas: 1 }])).terminatingReplicas, undefined);
});

test('the deadline is checked a second after it passes, and not when all is done', () => {
  const started = { conditions: [condition('Progressing', 'True', 'NewReplicaSetCreated', '2026-01-01T00:55:00Z')] };
  assert.equal(progressCheckMs(deployment({}), started, nowMs), 301_000);
  const done = { ...full, updatedReplicas: 2, observedGeneration: 2, ...started };
  assert.equal(progressCheckMs(deployment({}), done, nowMs), undefined);
});
