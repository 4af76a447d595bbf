import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../../api/meta/object.ts';
import { differences } from './differences.ts';

const object = (more: object, kind = 'Pod'): KubeObject => ({ apiVersion: 'v1', kind, metadata: { name: 'a' }, ...more }) as KubeObject;
const containers = (...list: readonly object[]) => ({ spec: { containers: list } });

const rows = [
  { name: 'nothing', before: {}, after: {}, want: [] },
  {
    name: 'a number',
    before: { spec: { replicas: 3 } },
    after: { spec: { replicas: 5 } },
    want: [{ path: 'spec.replicas', from: '3', to: '5' }],
  },
  {
    name: 'one container of two',
    before: containers({ name: 'a', image: 'a:1' }, { name: 'b', image: 'b:1' }),
    after: containers({ name: 'b', image: 'b:2' }, { name: 'a', image: 'a:1' }),
    want: [{ path: 'spec.containers.b.image', from: 'b:1', to: 'b:2' }],
  },
  {
    name: 'what the server keeps for itself and what repeats is left out',
    before: { metadata: { name: 'a', resourceVersion: '1', generation: 1 }, status: { podIPs: [] } },
    after: { metadata: { name: 'a', resourceVersion: '2', generation: 2 }, status: { podIPs: [{ ip: '1' }], startTime: 'now' } },
    want: [],
  },
  {
    name: 'a condition by its type, with its reason',
    before: { status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '1' }] } },
    after: {
      status: { conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'm', lastTransitionTime: '2' }] },
    },
    want: [{ path: 'status.conditions.Ready', from: 'True', to: 'False (ContainersNotReady)' }],
  },
  {
    name: 'how a container ended',
    before: { status: { containerStatuses: [{ name: 'a', state: { running: { startedAt: 'x' } } }] } },
    after: { status: { containerStatuses: [{ name: 'a', state: { terminated: { reason: 'OOMKilled', exitCode: 137 } } }] } },
    want: [{ path: 'status.containerStatuses.a.state', from: 'running', to: 'terminated (OOMKilled, exit code 137)' }],
  },
  {
    name: 'a taint comes, a label goes',
    before: { metadata: { name: 'a', labels: { old: 'x' } }, spec: {} },
    after: { metadata: { name: 'a' }, spec: { taints: [{ key: 'oven', value: 'hot', effect: 'NoSchedule' }] } },
    want: [
      { path: 'spec.taints.oven', to: '=hot:NoSchedule' },
      { path: 'metadata.labels.old', from: 'x' },
    ],
  },
  {
    name: 'the most telling first',
    before: { metadata: { name: 'a', labels: {} }, spec: { replicas: 1, paused: false } },
    after: { metadata: { name: 'a', labels: { a: 'b' } }, spec: { paused: true, replicas: 2 } },
    want: [
      { path: 'spec.replicas', from: '1', to: '2' },
      { path: 'spec.paused', from: 'false', to: 'true' },
      { path: 'metadata.labels.a', to: 'b' },
    ],
  },
  {
    name: 'a Secret shows where, never what',
    kind: 'Secret',
    before: { data: { password: 'c2VjcmV0' } },
    after: { data: { password: 'aGlkZGVu', more: 'eA==' } },
    want: [{ path: 'data.password' }, { path: 'data.more' }],
  },
  {
    name: 'data whose keys are called as what is left out of a status',
    kind: 'ConfigMap',
    before: { data: {} },
    after: { data: { ready: 'yes', startTime: 'now', generation: '2' } },
    want: [
      { path: 'data.ready', to: 'yes' },
      { path: 'data.startTime', to: 'now' },
      { path: 'data.generation', to: '2' },
    ],
  },
  {
    name: 'of a Secret annotations neither, which may repeat it',
    kind: 'Secret',
    before: {},
    after: { metadata: { name: 'a', annotations: { copy: 'c2VjcmV0' }, labels: { l: 'x' } } },
    want: [{ path: 'metadata.annotations.copy' }, { path: 'metadata.labels.l', to: 'x' }],
  },
  {
    name: 'a key in something else',
    kind: 'ConfigMap',
    before: { data: {} },
    after: { data: { 'tls.key': '-----BEGIN PRIVATE KEY-----\nMHc\n-----END PRIVATE KEY-----' } },
    want: [{ path: 'data.tls.key', to: '…' }],
  },
];

for (const { name, kind, before, after, want } of rows) {
  test(`differences: ${name}`, () => assert.deepEqual(differences(object(before, kind), object(after, kind)), want));
}

test('differences: an object that is all new says the first ones, in short', () => {
  const data = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, 'x'.repeat(1000)]));
  const found = differences(object({ data: {} }, 'ConfigMap'), object({ data }, 'ConfigMap'));
  assert.equal(found.length, 12);
  assert.equal(found[0]?.to?.length, 60);
});
