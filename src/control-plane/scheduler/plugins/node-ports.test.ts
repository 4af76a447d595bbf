import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHelped, type TestPod, testFacts, verdictsOf } from '../../../../test/kit/scheduler-objects.ts';
import type { ContainerPort } from '../../../api/generated/core-v1.ts';
import { nodePorts } from './node-ports.ts';

type Port = Omit<ContainerPort, 'containerPort'>;

const ports = (...those: readonly Port[]): TestPod => ({
  containers: [{ name: 'c', image: 'i', ports: those.map((port) => ({ containerPort: 80, ...port })) }],
});

const rows: readonly { readonly name: string; readonly taken: Port; readonly wanted: Port; readonly collides: boolean }[] = [
  { name: 'the same port', taken: { hostPort: 80 }, wanted: { hostPort: 80 }, collides: true },
  { name: 'another port', taken: { hostPort: 80 }, wanted: { hostPort: 81 }, collides: false },
  { name: 'another protocol', taken: { hostPort: 80 }, wanted: { hostPort: 80, protocol: 'UDP' }, collides: false },
  { name: 'TCP is meant where none is named', taken: { hostPort: 80, protocol: 'TCP' }, wanted: { hostPort: 80 }, collides: true },
  { name: 'another address', taken: { hostPort: 80, hostIP: '10.0.0.1' }, wanted: { hostPort: 80, hostIP: '10.0.0.2' }, collides: false },
  { name: 'the same address', taken: { hostPort: 80, hostIP: '10.0.0.1' }, wanted: { hostPort: 80, hostIP: '10.0.0.1' }, collides: true },
  { name: 'every address against one', taken: { hostPort: 80, hostIP: '10.0.0.1' }, wanted: { hostPort: 80 }, collides: true },
  {
    name: 'one against every address',
    taken: { hostPort: 80, hostIP: '0.0.0.0' },
    wanted: { hostPort: 80, hostIP: '10.0.0.1' },
    collides: true,
  },
];

for (const { name, taken, wanted, collides } of rows) {
  test(`NodePorts: ${name}`, () => {
    const cluster = { nodes: { a: {} }, pods: { a: { other: ports(taken) } } };
    const want = collides ? "node(s) didn't have free ports for the requested pod ports" : 'ok';
    assert.deepEqual(verdictsOf(nodePorts, cluster, testFacts('p', ports(wanted))), { a: want });
    const old = testFacts('other', ports(taken));
    assert.equal(isHelped(nodePorts, testFacts('p', ports(wanted)), { type: 'pod-removed', old }), collides);
  });
}

test('NodePorts: sidecars hold ports, other init containers do not', () => {
  const init = (restartPolicy?: string): TestPod => ({
    initContainers: [{ name: 'i', image: 'i', ports: [{ containerPort: 80, hostPort: 80 }], ...(restartPolicy && { restartPolicy }) }],
  });
  const of = (pod: TestPod) =>
    verdictsOf(nodePorts, { nodes: { a: {} }, pods: { a: { other: pod } } }, testFacts('p', ports({ hostPort: 80 })))['a'];
  assert.equal(of(init()), 'ok');
  assert.notEqual(of(init('Always')), 'ok');
});
