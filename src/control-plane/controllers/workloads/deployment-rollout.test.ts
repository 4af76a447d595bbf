import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Deployment, ReplicaSet } from '../../../api/generated/kinds.ts';
import { planRollout, type RolloutPlan, rolloutLimitsOf } from './deployment-rollout.ts';
import { nextDeploymentStatus } from './deployment-status.ts';

const template = (image: string) => ({ metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } });

function deployment(image: string, spec: Partial<Deployment['spec']> = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'n', uid: 'd', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z', generation: 1 },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: 'web' } },
      template: template(image),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...spec,
    },
    status: {},
  };
}

/** The ReplicaSets of a Deployment, changed as plans say. */
class Sets {
  readonly sets = new Map<string, ReplicaSet>();
  #age = 0;

  get list(): readonly ReplicaSet[] {
    return [...this.sets.values()];
  }
  /** image, asked for, available, revision */
  get summary(): string {
    return this.list
      .map(({ spec, status, metadata }) => {
        const revision = metadata.annotations?.['deployment.kubernetes.io/revision'];
        return `${spec.template?.spec?.containers[0]?.image}:${spec.replicas}/${status.availableReplicas ?? 0}#${revision}`;
      })
      .join(' ');
  }
  apply(plan: RolloutPlan): void {
    if (plan.create) {
      const { name = '' } = plan.create.metadata;
      const creationTimestamp = `2026-01-01T00:00:${String(this.#age++).padStart(2, '0')}Z`;
      const metadata = { ...plan.create.metadata, name, namespace: 'n', uid: name, resourceVersion: '1', creationTimestamp, generation: 1 };
      this.sets.set(name, { ...plan.create, apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, status: { replicas: 0 } } as ReplicaSet);
    }
    for (const { set, replicas, annotations } of plan.changes) {
      const metadata = { ...set.metadata, annotations };
      this.sets.set(set.metadata.name, { ...set, metadata, spec: { ...set.spec, replicas } });
    }
    for (const { metadata } of plan.deletions) this.sets.delete(metadata.name);
  }
  /** Every pod asked for is there, and `ready` of them are available. */
  settle(ready: (image: string, replicas: number) => number = (_, replicas) => replicas): void {
    for (const set of this.list) {
      const replicas = set.spec.replicas ?? 0;
      const availableReplicas = ready(set.spec.template?.spec?.containers[0]?.image ?? '', replicas);
      const status = { replicas, availableReplicas, readyReplicas: availableReplicas, observedGeneration: 1, terminatingReplicas: 0 };
      this.sets.set(set.metadata.name, { ...set, status });
    }
  }
}

const statusOf = (d: Deployment, plan: RolloutPlan) =>
  nextDeploymentStatus(d, {
    sets: plan.sets,
    newest: plan.newest,
    newestName: plan.newest?.set?.metadata.name,
    created: false,
    isRollout: plan.isRollout,
    unavailableMax: rolloutLimitsOf(d).unavailable,
    nowMs: 0,
  });

/** Rounds until nothing changes; what each left. */
function roll(d: Deployment, sets: Sets, ready?: (image: string, replicas: number) => number): string[] {
  const steps: string[] = [];
  let current = d;
  for (let i = 0; i < 100; i++) {
    const plan = planRollout(current, sets.list, false);
    sets.apply(plan);
    const changed = plan.create || plan.changes.length > 0 || plan.deletions.length > 0;
    if (changed) steps.push(sets.summary);
    const before = JSON.stringify(sets.list);
    sets.settle(ready);
    current = { ...current, status: statusOf(current, planRollout(current, sets.list, false)) };
    if (!changed && before === JSON.stringify(sets.list)) return steps;
  }
  throw new Error('no end of it');
}

test('a new Deployment gets one ReplicaSet of full size', () => {
  const sets = new Sets();
  assert.deepEqual(roll(deployment('one'), sets), ['one:4/0#1']);
  const [set] = sets.list;
  assert.match(set?.metadata.name ?? '', /^web-[b-z2-9]+$/);
  assert.equal(set?.spec.selector?.matchLabels?.['pod-template-hash'], set?.metadata.labels?.['pod-template-hash']);
  assert.equal(set?.metadata.annotations?.['deployment.kubernetes.io/max-replicas'], '5');
});

test('a rolling update alternates growth and shrinking within its bounds', () => {
  const sets = new Sets();
  roll(deployment('one'), sets);
  assert.deepEqual(roll(deployment('two'), sets), [
    'one:3/4#1 two:1/0#2',
    'one:3/3#1 two:2/1#2',
    'one:1/3#1 two:2/2#2',
    'one:1/1#1 two:4/2#2',
    'one:0/1#1 two:4/4#2',
  ]);
});

test('a ReplicaSet of another origin counts on, however high its number', () => {
  const sets = new Sets();
  roll(deployment('one'), sets);
  const [first] = sets.list;
  assert.ok(first);
  const annotations = { 'deployment.kubernetes.io/revision': '3546343826724305832' };
  sets.sets.set(first.metadata.name, { ...first, metadata: { ...first.metadata, annotations } });
  assert.equal(planRollout(deployment('two'), sets.list, false).revision, '3546343826724305833');
});

test('going back reuses the ReplicaSet under a new revision', () => {
  const sets = new Sets();
  roll(deployment('one'), sets);
  roll(deployment('two'), sets);
  roll(deployment('one'), sets);
  assert.equal(sets.summary, 'one:4/4#3 two:0/0#2');
  assert.equal(sets.list[0]?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1');
});

test('pods that never become ready stop the update at its bounds, and go first when it is undone', () => {
  const sets = new Sets();
  roll(deployment('one'), sets);
  const broken = (image: string, replicas: number) => (image === 'bad' ? 0 : replicas);
  roll(deployment('bad'), sets, broken);
  assert.equal(sets.summary, 'one:3/3#1 bad:2/0#2');
  const steps = roll(deployment('one'), sets, broken);
  assert.equal(sets.summary, 'one:4/4#3 bad:0/0#2');
  assert.ok(steps.length <= 3, steps.join(' | '));
});

test('Recreate takes all old pods before it makes a new one', () => {
  const recreate = { strategy: { type: 'Recreate' as const } };
  const sets = new Sets();
  roll(deployment('one', recreate), sets);
  const d = deployment('two', recreate);
  sets.apply(planRollout(d, sets.list, true));
  assert.equal(sets.summary, 'one:0/4#1');
  sets.settle();
  sets.apply(planRollout(d, sets.list, true));
  assert.equal(sets.summary, 'one:0/0#1');
  sets.apply(planRollout(d, sets.list, false));
  assert.equal(sets.summary, 'one:0/0#1 two:4/0#2');
});

test('a paused Deployment makes no ReplicaSet, but scales', () => {
  const sets = new Sets();
  roll(deployment('one'), sets);
  roll(deployment('two', { paused: true, replicas: 6 }), sets);
  assert.equal(sets.summary, 'one:6/6#1');
});

test('scaled in the middle of a rollout, the sets grow in proportion', () => {
  const sets = new Sets();
  const strategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } };
  roll(deployment('one', { replicas: 10, strategy }), sets);
  const broken = (image: string, replicas: number) => (image === 'two' ? 0 : replicas);
  roll(deployment('two', { replicas: 10, strategy }), sets, broken);
  assert.equal(sets.summary, 'one:8/8#1 two:5/0#2');
  sets.apply(planRollout(deployment('two', { replicas: 15, strategy }), sets.list, false));
  assert.equal(sets.summary, 'one:11/8#1 two:7/0#2');
});

test('old ReplicaSets beyond the history limit are forgotten', () => {
  const sets = new Sets();
  const limit = { revisionHistoryLimit: 2 };
  for (const image of ['one', 'two', 'three', 'four', 'five']) roll(deployment(image, limit), sets);
  assert.equal(sets.summary, 'three:0/0#3 four:0/0#4 five:4/4#5');
});

test('law: a rolling update ends, and keeps its bounds at every step', () => {
  const limit = fc.oneof(
    fc.nat({ max: 5 }),
    fc.nat({ max: 100 }).map((n) => `${n}%`),
  );
  const property = fc.property(fc.nat({ max: 20 }), limit, limit, (replicas, maxSurge, maxUnavailable) => {
    const strategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge, maxUnavailable } };
    const sets = new Sets();
    roll(deployment('one', { replicas, strategy }), sets);
    const d = deployment('two', { replicas, strategy });
    const { surge, unavailable } = rolloutLimitsOf(d);
    for (let i = 0; i < 100; i++) {
      sets.apply(planRollout(d, sets.list, false));
      const asked = sets.list.reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0);
      const available = sets.list.reduce((sum, { spec, status }) => sum + Math.min(spec.replicas ?? 0, status.availableReplicas ?? 0), 0);
      assert.ok(asked <= replicas + surge && available >= replicas - unavailable, sets.summary);
      sets.settle();
    }
    assert.equal(sets.list.at(-1)?.spec.replicas, replicas);
    assert.equal(
      sets.list.reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0),
      replicas,
    );
  });
  fc.assert(property, { numRuns: 60, seed: 1 });
});
