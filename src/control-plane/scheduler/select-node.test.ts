import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  hostname,
  noVolumes,
  scoresOf,
  type TestNode,
  type TestPod,
  testFacts,
  testNode,
  testSelector,
  testTable,
  verdictOf,
  zone,
} from '../../../test/kit/scheduler-objects.ts';
import { labelMatcherOfMap } from '../../api/meta/selectors.ts';
import { seededRandom } from '../../client/clock.ts';
import { describeDiagnosis } from './diagnosis.ts';
import { NodeTable } from './node-table.ts';
import { Nominator } from './nominator.ts';
import { defaultPlugins } from './plugins/index.ts';
import { planPreemption } from './preemption/plan-preemption.ts';
import { feasibleNodesWanted, type NodeSelector } from './select-node.ts';

test('how many feasible nodes are enough', () => {
  for (const [nodes, want] of [
    [0, 0],
    [1, 1],
    [99, 99],
    [100, 100],
    [200, 100],
    [250, 120],
    [1000, 420],
    [5000, 500],
    [6000, 300],
    [10_000, 500],
  ] as const)
    assert.equal(feasibleNodesWanted(nodes), want, `${nodes} nodes`);
});

test('equals take turns', () => {
  const nodes = { a: { allocatable: { cpu: '999' } }, b: { allocatable: { cpu: '999' } }, c: { allocatable: { cpu: '999' } } };
  const selector = testSelector(testTable({ nodes }));
  const chosen = Map.groupBy(
    Array.from({ length: 300 }, () => verdictOf(selector, testFacts('p'))),
    (name) => name,
  );
  for (const name of ['a', 'b', 'c']) assert.ok((chosen.get(name)?.length ?? 0) > 60, `${name} has its share`);
});

test('a search that ended early goes on where it ended', () => {
  const names = Array.from({ length: 300 }, (_, i) => `n${i}`);
  const table = testTable({ nodes: Object.fromEntries(names.map((name) => [name, {}])) });
  const selector = testSelector(table);
  const chosen = new Set<string>();
  for (let i = 0; i < 300; i++) {
    const pod = testFacts(`p${i}`, { requests: { cpu: '4' } });
    const name = verdictOf(selector, pod);
    chosen.add(name);
    table.addPod(name, pod);
  }
  assert.equal(chosen.size, 300);
  assert.match(verdictOf(selector, testFacts('late', { requests: { cpu: '4' } })), /^0\/300 nodes are available: 300 Insufficient cpu\.$/);
});

interface MessageRow {
  readonly name: string;
  readonly nodes: { readonly [name: string]: TestNode };
  readonly pod: TestPod;
  readonly want: string;
}

const tainted = { taints: [{ key: 'k', effect: 'NoSchedule' as const }] };
const messageRows: readonly MessageRow[] = [
  { name: 'no node at all', nodes: {}, pod: {}, want: 'no nodes available to schedule pods' },
  {
    name: 'reasons are counted, and sorted as text',
    nodes: Object.fromEntries([
      ...Array.from({ length: 10 }, (_, i) => [`t${i}`, tainted]),
      ['small', { allocatable: { cpu: '1', memory: '1Mi' } }],
      ['cordoned', { unschedulable: true }],
    ]),
    pod: { requests: { cpu: '2', memory: '1Gi' } },
    want: '0/12 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) were unschedulable, 10 node(s) had untolerated taint(s).',
  },
  {
    name: 'nodes that are not named are not looked at',
    nodes: { a: tainted, b: {}, c: {} },
    pod: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }],
          },
        },
      },
    },
    want: "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't satisfy plugin(s) [NodeAffinity].",
  },
  {
    name: 'no node can be named',
    nodes: { a: {}, b: {} },
    pod: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              {
                matchFields: [
                  { key: 'metadata.name', operator: 'In', values: ['a'] },
                  { key: 'metadata.name', operator: 'In', values: ['b'] },
                ],
              },
            ],
          },
        },
      },
    },
    want: '0/2 nodes are available: pod affinity terms conflict.',
  },
];

for (const { name, nodes, pod, want } of messageRows) {
  test(`why not: ${name}`, () => assert.equal(verdictOf(testSelector(testTable({ nodes })), testFacts('p', pod)), want));
}

test('others that wait for a node with at least the same priority keep their room', () => {
  const table = testTable({ nodes: { a: {} } });
  const nominator = new Nominator();
  const selector = testSelector(table, { nominator });
  nominator.nominate(testFacts('waiting', { priority: 5, requests: { cpu: '3' } }), 'a');
  const wanting = (priority: number, more: TestPod = {}) => testFacts('p', { priority, requests: { cpu: '2' }, ...more });
  assert.equal(verdictOf(selector, wanting(4)), '0/1 nodes are available: 1 Insufficient cpu.');
  assert.equal(verdictOf(selector, wanting(5)), '0/1 nodes are available: 1 Insufficient cpu.');
  assert.equal(verdictOf(selector, wanting(6)), 'a', 'a more important one need not yield');
  assert.equal(verdictOf(selector, testFacts('waiting', { priority: 5, requests: { cpu: '3' } })), 'a', 'nor to itself');
  nominator.remove('waiting');
  assert.equal(verdictOf(selector, wanting(4)), 'a');
});

test('the node that a pod waits for is taken first', () => {
  const table = testTable({ nodes: { a: {}, b: {} }, pods: { a: { other: { requests: { cpu: '2' } } } } });
  const selector = testSelector(table);
  const wanting = (nominatedNodeName?: string) =>
    testFacts('p', { requests: { cpu: '1' }, ...(nominatedNodeName && { status: { nominatedNodeName } }) });
  assert.equal(verdictOf(selector, wanting()), 'b');
  assert.equal(verdictOf(selector, wanting('a')), 'a');
  table.addPod('a', testFacts('more', { requests: { cpu: '2' } }));
  assert.equal(verdictOf(selector, wanting('a')), 'b');
});

// The law: what is kept and caught up with says the same as what is worked out from nothing.

const zones = fc.constantFrom('x', 'y', 'z');
const nodeGiven: fc.Arbitrary<TestNode> = fc.record({
  labels: fc.oneof(
    zones.map((name) => ({ [zone]: name })),
    fc.constant({ disk: 'ssd' }),
    zones.map((name) => ({ [zone]: name, disk: 'hdd' })),
  ),
  allocatable: fc.record({ cpu: fc.constantFrom('1', '2', '4'), pods: fc.constantFrom('2', '110') }),
  taints: fc.constantFrom([], [{ key: 'k', effect: 'NoSchedule' as const }], [{ key: 's', effect: 'PreferNoSchedule' as const }]),
  unschedulable: fc.boolean().map((cordoned) => cordoned && false),
  images: fc.constantFrom({}, { 'image:latest': 500 * 1024 * 1024 }),
});

const labels = fc.constantFrom({ app: 'web' }, { app: 'db' }, {});
const term = fc.record({
  topologyKey: fc.constantFrom(zone, hostname, 'disk'),
  labelSelector: labels.map((matchLabels) => ({ matchLabels })),
});
const spread = fc.record({
  maxSkew: fc.constantFrom(1, 2),
  topologyKey: fc.constantFrom(zone, hostname),
  whenUnsatisfiable: fc.constantFrom('DoNotSchedule' as const, 'ScheduleAnyway' as const),
  labelSelector: labels.map((matchLabels) => ({ matchLabels })),
});
const podAffinity = fc.record(
  {
    requiredDuringSchedulingIgnoredDuringExecution: fc.array(term, { maxLength: 1 }),
    preferredDuringSchedulingIgnoredDuringExecution: fc.array(fc.record({ weight: fc.constantFrom(1, 50), podAffinityTerm: term }), {
      maxLength: 1,
    }),
  },
  { requiredKeys: [] },
);
const podGiven: fc.Arbitrary<TestPod> = fc.record(
  {
    labels,
    requests: fc.constantFrom({}, { cpu: '500m' }, { cpu: '1', memory: '1Gi' }),
    priority: fc.constantFrom(0, 10),
    tolerations: fc.constantFrom([], [{ operator: 'Exists' as const }]),
    nodeSelector: fc.constantFrom({}, {}, { disk: 'ssd' }),
    affinity: fc.oneof(
      fc.constant({}),
      podAffinity.map((podAffinity) => ({ podAffinity })),
      podAffinity.map((podAntiAffinity) => ({ podAntiAffinity })),
    ),
    topologySpreadConstraints: fc.array(spread, { maxLength: 2 }),
  },
  { requiredKeys: ['labels'] },
);

type Step =
  | { readonly do: 'node'; readonly name: string; readonly node: TestNode }
  | { readonly do: 'no-node'; readonly name: string }
  | { readonly do: 'pod'; readonly name: string; readonly nodeName: string; readonly pod: TestPod }
  | { readonly do: 'no-pod'; readonly name: string }
  | { readonly do: 'ask'; readonly pod: TestPod };

const nodeNames = fc.constantFrom('a', 'b', 'c', 'd');
const podNames = fc.constantFrom('p', 'q', 'r', 's', 't', 'u');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('node' as const), name: nodeNames, node: nodeGiven }),
  fc.record({ do: fc.constant('no-node' as const), name: nodeNames }),
  fc.record({ do: fc.constant('pod' as const), name: podNames, nodeName: nodeNames, pod: podGiven }),
  fc.record({ do: fc.constant('no-pod' as const), name: podNames }),
  fc.record({ do: fc.constant('ask' as const), pod: podGiven }),
);

const plugins = defaultPlugins({
  defaultSelector: ({ labels }) => (labels['app'] ? labelMatcherOfMap(labels) : undefined),
  volumes: noVolumes,
});

/** Everything that can be told of a pod; a plan of preemption must leave no trace. */
function opinion(selector: NodeSelector, name: string, given: TestPod): unknown {
  const pod = testFacts(name, given);
  const selection = selector.select(pod);
  const scores = scoresOf(selector, pod);
  if (selection.node) return scores;
  const plan = planPreemption(selection.attempt, selection.diagnosis, { budgets: [], nowMs: 0, random: seededRandom(1) });
  assert.deepEqual(scoresOf(selector, pod), scores);
  const how = plan.do === 'evict' ? plan.candidate.victims.length : plan.message;
  return { why: describeDiagnosis(selection.diagnosis), do: plan.do, how };
}

test('law: through the caches or from nothing, the verdicts and scores are the same', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), fc.array(podGiven, { minLength: 1, maxLength: 3 }), (steps, asked) => {
      const table = new NodeTable(() => undefined);
      const selector = testSelector(table, { plugins });
      const nodes = new Map<string, TestNode>();
      const pods = new Map<string, { readonly nodeName: string; readonly pod: TestPod }>();
      const compare = (given: TestPod): void => {
        const fresh = new NodeTable(() => undefined);
        for (const [name, node] of nodes) fresh.setNode(testNode(name, node));
        for (const [name, { nodeName, pod }] of pods) fresh.addPod(nodeName, testFacts(name, { nodeName, ...pod }));
        assert.deepEqual(opinion(selector, 'asked', given), opinion(testSelector(fresh, { plugins }), 'asked', given));
      };
      for (const each of steps) {
        if (each.do === 'node') {
          nodes.set(each.name, each.node);
          table.setNode(testNode(each.name, each.node));
        } else if (each.do === 'no-node') {
          nodes.delete(each.name);
          table.removeNode(each.name);
        } else if (each.do === 'pod') {
          pods.set(each.name, each);
          table.addPod(each.nodeName, testFacts(each.name, { nodeName: each.nodeName, ...each.pod }));
        } else if (each.do === 'no-pod') {
          pods.delete(each.name);
          table.removePod(each.name);
        } else compare(each.pod);
        for (const given of asked) selector.evaluate(testFacts('asked', given)); // so that the caches have something to catch up with
      }
      for (const given of asked) compare(given);
    }),
    { numRuns: 150 },
  );
});
