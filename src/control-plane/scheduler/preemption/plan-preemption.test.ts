import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  hostname,
  scoresOf,
  type TestCluster,
  type TestNode,
  type TestPod,
  testFacts,
  testSelector,
  testTable,
  zone,
} from '../../../../test/kit/scheduler-objects.ts';
import type { PodDisruptionBudget } from '../../../api/generated/kinds.ts';
import { Nominator } from '../nominator.ts';
import { planPreemption } from './plan-preemption.ts';

const nowMs = Date.UTC(2026, 0, 2);
const at = (hour: number): NonNullable<TestPod['status']> => ({ startTime: `2026-01-01T${`${hour}`.padStart(2, '0')}:00:00Z` }) as never;
const uses = (cpu: string, priority = 0, more: TestPod = {}): TestPod => ({ requests: { cpu }, priority, ...more });

function budget(app: string, disruptionsAllowed: number, disruptedPods: readonly string[] = []): PodDisruptionBudget {
  return {
    metadata: { name: app, namespace: 'default' },
    spec: { selector: { matchLabels: { app } } },
    status: { disruptionsAllowed, disruptedPods: Object.fromEntries(disruptedPods.map((name) => [name, '2026-01-01T00:00:00Z'])) },
  } as unknown as PodDisruptionBudget;
}

interface Row {
  readonly name: string;
  readonly nodes?: { readonly [name: string]: TestNode };
  readonly pods: NonNullable<TestCluster['pods']>;
  readonly pod: TestPod;
  readonly budgets?: readonly PodDisruptionBudget[];
  /** `node: victims`, the most important first; or the message */
  readonly want: string;
}

const two = { a: {}, b: {} };
const notHelpful = 'no new claims to deallocate, preemption: 0/';
const rows: readonly Row[] = [
  { name: 'one less important pod makes room', pods: { a: { low: uses('3') } }, pod: uses('2', 10), want: 'a: low' },
  {
    name: 'no more leave than have to, and the least important ones',
    pods: { a: { x: uses('1', 3), y: uses('1', 1), z: uses('1', 2), w: uses('1', 4) } },
    pod: uses('2', 10),
    want: 'a: z y',
  },
  {
    name: 'of equals, the youngest leave',
    pods: { a: { old: uses('2', 0, { status: at(1) }), young: uses('2', 0, { status: at(5) }) } },
    pod: uses('2', 10),
    want: 'a: young',
  },
  {
    name: 'a small pod stays when the big one has to leave anyway',
    pods: { a: { big: uses('3', 1), small: uses('1', 0) } },
    pod: uses('3', 10),
    want: 'a: big',
  },
  {
    name: 'nobody of the same priority leaves',
    pods: { a: { same: uses('3', 10) } },
    pod: uses('2', 10),
    want: `${notHelpful}1 nodes are available: 1 No preemption victims found for incoming pod.`,
  },
  {
    name: 'too little would be left even so',
    pods: { a: { same: uses('3', 10), low: uses('1') } },
    pod: uses('2', 10),
    want: `${notHelpful}1 nodes are available: 1 Insufficient cpu.`,
  },
  {
    name: 'what pods have nothing to do with is not tried',
    nodes: { a: { unschedulable: true }, b: { allocatable: { cpu: '1' } }, c: {} },
    pods: { c: { same: uses('3', 10) } },
    pod: uses('2', 10),
    want: `${notHelpful}3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.`,
  },
  {
    name: 'a pod that must not preempt',
    pods: { a: { low: uses('3') } },
    pod: uses('2', 10, { preemptionPolicy: 'Never' }),
    want: 'no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.',
  },
  {
    name: 'it waits for those that are leaving already',
    pods: {
      a: {
        low: uses('3', 0, {
          deletionTimestamp: '2026-01-01T00:00:00Z',
          status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }] } as never,
        }),
      },
    },
    pod: uses('2', 10, { status: { nominatedNodeName: 'a' } }),
    want: 'no new claims to deallocate, preemption: not eligible due to a terminating pod on the nominated node.',
  },
  {
    name: 'it does not when they leave for another reason',
    pods: { a: { low: uses('3', 0, { deletionTimestamp: '2026-01-01T00:00:00Z' }) } },
    pod: uses('2', 10, { status: { nominatedNodeName: 'a' } }),
    want: 'a: low',
  },
  {
    name: 'host ports make room too',
    pods: { a: { low: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 1, hostPort: 1 }] }] }, other: uses('1') } },
    pod: { priority: 10, containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 1, hostPort: 1 }] }] },
    want: 'a: low',
  },
  {
    name: 'those that it shuns leave',
    pods: { a: { web: { labels: { app: 'web' } }, db: { labels: { app: 'db' } } } },
    pod: {
      priority: 10,
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: hostname, labelSelector: { matchLabels: { app: 'db' } } }],
        },
      },
    },
    want: 'a: db',
  },
  {
    name: 'those that shun it leave',
    pods: {
      a: {
        web: { labels: { app: 'web' } },
        shy: {
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: hostname, labelSelector: { matchLabels: { app: 'new' } } }],
            },
          },
        },
      },
    },
    pod: { priority: 10, labels: { app: 'new' } },
    want: 'a: shy',
  },
  {
    name: 'an uneven spread becomes even',
    nodes: { a: { labels: { [zone]: 'x' } }, b: { labels: { [zone]: 'y' }, allocatable: { cpu: '1' } } },
    pods: { a: { w1: { labels: { app: 'web' } }, w2: { labels: { app: 'web' } }, db: {} } },
    pod: {
      priority: 10,
      labels: { app: 'web' },
      requests: { cpu: '2' },
      topologySpreadConstraints: [
        { maxSkew: 2, topologyKey: zone, whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } },
      ],
    },
    want: 'a: w2',
  },
  {
    name: 'pods under a budget are spared where others can go',
    pods: { a: { safe: uses('2', 0, { labels: { app: 'db' } }), free: uses('2', 5) } },
    pod: uses('2', 10),
    budgets: [budget('db', 0)],
    want: 'a: free',
  },
  {
    name: 'the node where no budget breaks',
    nodes: two,
    pods: { a: { guarded: uses('3', 0, { labels: { app: 'db' } }) }, b: { free: uses('3', 5) } },
    pod: uses('2', 10),
    budgets: [budget('db', 0)],
    want: 'b: free',
  },
  {
    name: 'a budget with something left does not break',
    nodes: two,
    pods: { a: { guarded: uses('3', 0, { labels: { app: 'db' } }) }, b: { free: uses('3', 5) } },
    pod: uses('2', 10),
    budgets: [budget('db', 1)],
    want: 'a: guarded',
  },
  {
    name: 'nor does one that has counted the pod already',
    nodes: two,
    pods: { a: { guarded: uses('3', 0, { labels: { app: 'db' } }) }, b: { free: uses('3', 5) } },
    pod: uses('2', 10),
    budgets: [budget('db', 0, ['guarded'])],
    want: 'a: guarded',
  },
  {
    name: 'then the node whose dearest victim is the least important',
    nodes: two,
    pods: { a: { x: uses('4', 5) }, b: { y: uses('2', 4), z: uses('2', 4) } },
    pod: uses('4', 10),
    want: 'b: y z',
  },
  {
    name: 'then the smallest sum of priorities',
    nodes: two,
    pods: { a: { x: uses('2', 5), y: uses('2', 5) }, b: { z: uses('2', 5), w: uses('2', 1) } },
    pod: uses('4', 10),
    want: 'b: z w',
  },
  {
    name: 'fewer victims of negative priority are fewer all the same',
    nodes: two,
    pods: { a: { x: uses('2', -5), y: uses('2', -5) }, b: { z: uses('4', -5) } },
    pod: uses('4', 10),
    want: 'b: z',
  },
  {
    name: 'then the one whose dearest victims run for the shortest time',
    nodes: two,
    pods: { a: { old: uses('4', 5, { status: at(1) }) }, b: { young: uses('4', 5, { status: at(9) }) } },
    pod: uses('4', 10),
    want: 'b: young',
  },
];

for (const { name, nodes = { a: {} }, pods, pod, budgets = [], want } of rows) {
  test(`preemption: ${name}`, () => {
    const selector = testSelector(testTable({ nodes, pods }));
    const preemptor = testFacts('p', pod);
    const before = scoresOf(selector, preemptor);
    const selection = selector.select(preemptor);
    assert.equal(selection.node, undefined);
    const plan = planPreemption(selection.attempt, selection.diagnosis, { budgets, nowMs, random: { next: () => 0 } });
    const said = plan.do === 'evict' ? `${plan.candidate.node.name}: ${plan.candidate.victims.map((v) => v.name).join(' ')}` : plan.message;
    assert.equal(said, want);
    assert.deepEqual(scoresOf(selector, preemptor), before, 'nothing has been moved');
  });
}

test('preemption: more important pods that wait for the node keep their room', () => {
  const nominator = new Nominator();
  nominator.nominate(testFacts('waiting', uses('2', 20)), 'a');
  const selector = testSelector(testTable({ nodes: { a: {} }, pods: { a: { low: uses('4') } } }), { nominator });
  const plan = (cpu: string): string => {
    const selection = selector.select(testFacts('p', uses(cpu, 10)));
    assert.equal(selection.node, undefined);
    return planPreemption(selection.attempt, selection.diagnosis, { budgets: [], nowMs, random: { next: () => 0 } }).do;
  };
  assert.equal(plan('3'), 'give-up');
  assert.equal(plan('2'), 'evict');
});
