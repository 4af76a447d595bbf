import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { Act } from '../../client/events/acts.ts';
import { type RenderOptions, renderAct } from './render-act.ts';

const name = 'front-5fc5b7765c-6cl6m';
const bound: Act = {
  time: '2026-01-01T12:01:03.150Z',
  component: 'scheduler',
  user: 'system:kube-scheduler',
  verb: 'create',
  did: 'changed',
  object: { kind: 'pod', group: '', namespace: 'default', name, subresource: 'binding' },
  changes: [{ path: 'spec.nodeName', to: 'node-1' }],
  why: 'of 3 nodes 2 fit: 1 node(s) had untolerated taint(s)',
};
const options: RenderOptions = { you: 'kubernetes-admin', hasColours: false, timeOf: (time) => time.slice(11, 23) };
const render = (act: Parameters<typeof renderAct>[0], more: Partial<RenderOptions> = {}) => renderAct(act, { ...options, ...more });
/** The words of one act. */
const words = (more: Partial<Act>, how: Partial<RenderOptions> = {}): string => render({ ...bound, ...more }, how)[0]?.slice(40) ?? '';
const actor = (more: Partial<Act>): string =>
  render({ ...bound, ...more })[0]
    ?.slice(14, 38)
    .trim() ?? '';

test('an act is one line where nobody says how wide', () => {
  assert.deepEqual(render(bound), [
    `12:01:03.150  scheduler                 bound pod/${name} → node-1 (of 3 nodes 2 fit: 1 node(s) had untolerated taint(s))`,
  ]);
});

for (const width of [60, 80, 120]) {
  test(`${width} columns are kept, and nothing is lost`, () => {
    for (const act of [bound, { ...bound, component: 'kubelet', node: 'default-simulated-3' }]) {
      const lines = render(act, { width });
      for (const line of lines) assert.ok(line.length <= width, line);
      const said = lines.map((line) => line.slice(line === lines[0] ? 0 : line.search(/\S/))).join(' ');
      assert.match(said, new RegExp(`bound pod/${name} → node-1 \\(of 3 nodes 2 fit: 1 node\\(s\\) had untolerated taint\\(s\\)\\)$`));
    }
  });
}

test('60 columns', () => {
  assert.deepEqual(render(bound, { width: 60 }), [
    `12:01:03  scheduler     bound pod/${name} →`,
    '                        node-1 (of 3 nodes 2 fit: 1 node(s)',
    '                        had untolerated taint(s))',
  ]);
});

test('colours only where they are allowed, and they add no width', () => {
  const [line = ''] = render(bound, { hasColours: true });
  assert.notEqual(line, render(bound)[0]);
  assert.equal(stripVTControlCharacters(line), render(bound)[0]);
});

test('lost acts', () => assert.deepEqual(render({ lost: 12 }), ['… 12 acts are not shown: they came faster than they were read']));

for (const [note, want] of [
  [{ away: { seconds: 3, isWhole: true } }, '… the API server was away for 3 s; what happened since it is back follows'],
  [{ away: { seconds: 3 } }, '… the API server was away for 3 s; what happened then is not told'],
  [{ waiting: { seconds: 60 } }, '… the cluster has stopped; waiting 60 s for it to come back'],
  [{ ended: 'deleted' }, 'the cluster was deleted'],
] as const)
  test(`a note: ${want}`, () => assert.deepEqual(render(note), [want]));

test('what came again and again', () => {
  const refusal = { code: 403, reason: 'Forbidden', message: 'exceeded quota', resource: 'pods', by: 'ResourceQuota' };
  const repeated: Act = { ...bound, did: 'refused', object: { kind: 'pod', group: '', namespace: 'default', name: 'x-1' }, refusal };
  assert.equal(
    render({ repeated, times: 12, seconds: 10 })[0]?.slice(40),
    '… 12 times more in 10 s: was refused (403 by ResourceQuota): create a pod',
  );
});

const none = { changes: [], why: undefined };
const event = (reason: string, message: string, more: object = {}): Partial<Act> => ({
  did: 'told',
  object: { kind: 'pod', group: '', namespace: 'default', name: 'x' },
  event: { type: 'Normal', reason, message, count: 1, container: 'web', ...more },
});
const rows: readonly { want: string; given: Partial<Act> }[] = [
  {
    given: { ...none, did: 'created', object: { kind: 'deployment', group: 'apps', name: 'front' }, summary: '3 replicas' },
    want: 'created deployment/front (3 replicas)',
  },
  {
    given: { ...none, did: 'deleted', object: { kind: 'pod', group: '', namespace: 'bakery', name: 'x' } },
    want: 'deleted pod/x in bakery',
  },
  {
    given: { ...none, did: 'marked', object: { kind: 'pod', group: '', name: 'x', subresource: 'eviction' }, summary: '30 s to stop' },
    want: 'evicted pod/x (30 s to stop)',
  },
  {
    given: {
      did: 'changed',
      why: 'w',
      object: { kind: 'deployment', group: 'apps', name: 'front' },
      changes: [{ path: 'spec.replicas', from: '3', to: '5' }],
    },
    want: 'scaled deployment/front 3 → 5 (w)',
  },
  {
    given: {
      ...none,
      object: { kind: 'deployment', group: 'apps', name: 'front' },
      changes: [{ path: 'spec.template.spec.containers.front.image', from: 'bakery:1.0', to: 'bakery:2.0' }],
    },
    want: 'changed deployment/front: image of front bakery:1.0 → bakery:2.0',
  },
  {
    given: {
      ...none,
      object: { kind: 'pod', group: '', name: 'x', subresource: 'status' },
      changes: [
        { path: 'status.phase', from: 'Pending', to: 'Running' },
        { path: 'status.conditions.Ready', to: 'True' },
        { path: 'status.podIP', to: '10.0.0.1' },
      ],
    },
    want: 'pod/x: Pending → Running, ready',
  },
  {
    given: {
      ...none,
      object: { kind: 'pod', group: '', name: 'x', subresource: 'status' },
      changes: [{ path: 'status.containerStatuses.a.state', from: 'running', to: 'terminated (OOMKilled, exit code 137)' }],
    },
    want: 'pod/x: a terminated (OOMKilled, exit code 137)',
  },
  {
    given: {
      ...none,
      object: { kind: 'deployment', group: 'apps', name: 'd', subresource: 'status' },
      summary: '1 of 2 ready',
      changes: [{ path: 'status.conditions.Progressing', to: 'False (ProgressDeadlineExceeded)' }],
    },
    want: 'deployment/d: 1 of 2 ready, not Progressing (ProgressDeadlineExceeded)',
  },
  {
    given: { ...none, object: { kind: 'node', group: '', name: 'n' }, changes: [{ path: 'spec.taints.oven', to: '=hot:NoSchedule' }] },
    want: 'changed node/n: taint oven=hot:NoSchedule',
  },
  {
    given: { ...none, object: { kind: 'node', group: '', name: 'n' }, changes: [{ path: 'spec.taints.oven', from: '=hot:NoSchedule' }] },
    want: 'changed node/n: taint oven removed',
  },
  {
    given: { ...none, object: { kind: 'node', group: '', name: 'n' }, changes: [{ path: 'metadata.labels.floor', from: '2' }] },
    want: 'changed node/n: labels.floor removed',
  },
  {
    given: {
      ...none,
      object: { kind: 'namespace', group: '', name: 'n', subresource: 'status' },
      changes: [
        { path: 'status.conditions.NamespaceDeletionDiscoveryFailure', to: 'False (ResourcesDiscovered)' },
        { path: 'status.conditions.NamespaceContentRemaining', to: 'True (SomeResourcesRemain)' },
        { path: 'status.conditions.NamespaceFinalizersRemaining', to: 'True (SomeFinalizersRemain)' },
      ],
    },
    want: 'namespace/n: something is left in it, finalizers hold what is left in it',
  },
  {
    given: {
      ...none,
      object: { kind: 'node', group: '', name: 'n', subresource: 'status' },
      changes: [
        { path: 'status.conditions.MemoryPressure', from: 'True', to: 'False (KubeletHasSufficientMemory)' },
        { path: 'status.conditions.DiskPressure', to: 'False' },
        { path: 'status.conditions.Odd', from: 'True' },
      ],
    },
    want: 'node/n: no longer MemoryPressure (KubeletHasSufficientMemory), no DiskPressure, condition Odd removed',
  },
  { given: { ...none, object: { kind: 'node', group: '', name: 'n' } }, want: 'changed node/n' },
  {
    given: { ...none, object: { kind: 'secret', group: '', name: 's' }, changes: [{ path: 'data.password' }] },
    want: 'changed secret/s: data.password',
  },
  {
    given: {
      ...none,
      object: { kind: 'endpointslice', group: 'discovery.k8s.io', name: 'f-1' },
      owners: ['service/front'],
      summary: '3 of 3 pods ready',
    },
    want: 'service/front: 3 of 3 pods ready',
  },
  { given: event('Started', 'Container started'), want: 'started container web of pod/x' },
  {
    given: event('Pulled', 'Successfully pulled image "a" in 2s (2s including waiting). Image size: 1 bytes.'),
    want: 'pulled image "a" in 2s for pod/x',
  },
  {
    given: event('Unhealthy', 'Liveness probe failed', { type: 'Warning', count: 3 }),
    want: 'pod/x: Unhealthy: Liveness probe failed (3 times)',
  },
  {
    given: event('FailedScheduling', '0/3 nodes are available: 3 Insufficient cpu.', { type: 'Warning' }),
    want: 'finds no node for pod/x: 0/3 nodes are available: 3 Insufficient cpu.',
  },
  {
    given: {
      did: 'refused',
      verb: 'create',
      object: { kind: 'pod', group: '', namespace: 'default', name: '' },
      refusal: { code: 403, reason: 'Forbidden', message: 'no', resource: 'pods', by: 'authorization' },
    },
    want: 'was refused (403 by authorization): create a pod: no',
  },
  { given: event('Odd', 'red\u001b[31m\r\nnext\u202e'), want: 'pod/x: Odd: red [31m next ' },
];
for (const { want, given } of rows) test(`words: ${want}`, () => assert.equal(words(given), want));

test('who it is', () => {
  assert.equal(actor({}), 'scheduler');
  assert.equal(actor({ component: 'kubelet', node: 'node-1' }), 'kubelet node-1');
  assert.equal(actor({ component: undefined, user: 'kubernetes-admin' }), 'you');
  assert.equal(actor({ component: undefined, user: 'jane' }), 'user "jane"');
  for (const user of ['you', 'replicaset', 'kubelet x', 'a/b']) assert.equal(actor({ component: undefined, user }), `user "${user}"`);
  assert.equal(actor({ component: undefined, user: 'system:serviceaccount:bakery:baker' }), 'bakery/baker');
});

test('the namespace that is looked at is not repeated', () => {
  const given: Partial<Act> = { ...none, did: 'deleted', object: { kind: 'pod', group: '', namespace: 'bakery', name: 'x' } };
  assert.equal(words(given, { namespace: 'bakery' }), 'deleted pod/x');
});
