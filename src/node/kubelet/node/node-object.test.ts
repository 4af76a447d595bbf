import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { container, testPod } from '../../../../test/kit/test-pods.ts';
import type { Node, PodSpec } from '../../../api/generated/core-v1.ts';
import { judgeAdmission } from '../pod/pod-admission.ts';
import { planStatusPatch } from '../status/status-manager.ts';
import { simulatedMachine } from './machine-facts.ts';
import { planNodePatch } from './node-agent.ts';
import { isAllocatableLate, type NodeInput, newNode, nodeAllocatable, nodeStatus, readiness, sameNodeStatus } from './node-object.ts';

const condition = (type: string, status: boolean) => ({ type, status, reason: 'Why', message: 'because' });
const runtime = (network: boolean) => ({
  conditions: [condition('RuntimeReady', true), condition('NetworkReady', network)],
  runtimeHandlers: [],
});
const input = (more: Partial<NodeInput> = {}): NodeInput => ({
  name: 'n1',
  hostIPs: ['192.0.2.1'],
  machine: simulatedMachine('n1', { cpu: '4', memory: '8Gi', 'ephemeral-storage': '100Gi' }),
  labels: { zone: 'a' },
  taints: [],
  podsMax: 110,
  port: 10250,
  version: 'v1.36.3',
  runtimeVersion: 'simulated://1',
  runtime: runtime(true),
  images: [],
  pressure: { memory: false, disk: false, pid: false },
  ...more,
});
const nowMs = Date.UTC(2026, 0, 1);

describe('the node', () => {
  test('registers with its labels and what it has', () => {
    const node = newNode(input(), nowMs);
    assert.deepEqual([node.metadata.labels?.['zone'], node.metadata.labels?.['kubernetes.io/hostname']], ['a', 'n1']);
    const { capacity, allocatable, addresses } = node.status as Node['status'];
    assert.deepEqual([capacity?.['pods'], capacity?.['cpu'], allocatable?.['memory']], ['110', '4', '8092Mi']);
    assert.equal(nodeAllocatable(input())['ephemeral-storage'], String(90 * 2 ** 30));
    assert.deepEqual(addresses, [
      { type: 'InternalIP', address: '192.0.2.1' },
      { type: 'Hostname', address: 'n1' },
    ]);
  });
  test('is ready when runtime and network are', () => {
    const of = (i: NodeInput) => nodeStatus(i, undefined, nowMs).conditions?.map((c) => `${c.type}=${c.status} ${c.reason}`);
    assert.deepEqual(of(input()), [
      'MemoryPressure=False KubeletHasSufficientMemory',
      'DiskPressure=False KubeletHasNoDiskPressure',
      'PIDPressure=False KubeletHasSufficientPID',
      'Ready=True KubeletReady',
    ]);
    assert.equal(of(input({ runtime: runtime(false) }))?.[3], 'Ready=False KubeletNotReady');
    assert.equal(
      readiness({ runtime: runtime(false) }),
      'container runtime network not ready: NetworkReady=false reason:Why message:because',
    );
    assert.equal(readiness({ runtime: undefined }), 'container runtime is down');
  });
  test('a heartbeat alone is no change; a condition keeps its time', () => {
    const first = nodeStatus(input(), undefined, nowMs);
    const later = nodeStatus(input(), first, nowMs + 60_000);
    assert.equal(sameNodeStatus(first, later), true);
    assert.deepEqual(later.conditions?.[3], { ...first.conditions?.[3], lastHeartbeatTime: '2026-01-01T00:01:00Z' });
    assert.equal(sameNodeStatus(first, nodeStatus(input({ runtime: runtime(false) }), first, nowMs)), false);
  });
  test('what others say it has can be given away, until they take it back', () => {
    const first = nodeStatus(input(), undefined, nowMs);
    const told = { ...first, capacity: { ...first.capacity, 'example.com/gpu': '4', pods: '1' } };
    const second = nodeStatus(input(), told, nowMs);
    assert.deepEqual(
      [second.capacity?.['example.com/gpu'], second.allocatable?.['example.com/gpu'], second.capacity?.['pods']],
      ['4', '4', '110'],
    );
    const third = nodeStatus(input(), { ...second, capacity: first.capacity ?? {} }, nowMs);
    assert.equal(third.allocatable?.['example.com/gpu'], undefined);
    assert.deepEqual([first, told, second].map(isAllocatableLate), [false, true, false]);
  });
  test('only what differs is patched', () => {
    const first = nodeStatus(input(), undefined, nowMs);
    const one = { ...first, capacity: { cpu: '2', 'hugepages-2Mi': '0' } };
    assert.deepEqual(planNodePatch(one, { ...one, capacity: { cpu: '1' } }), { capacity: { cpu: '1', 'hugepages-2Mi': null } });
    assert.deepEqual(planNodePatch(first, { ...first, addresses: [{ type: 'InternalIP', address: '192.0.2.9' }] }), {
      addresses: [
        { type: 'InternalIP', address: '192.0.2.9' },
        { type: 'Hostname', $patch: 'delete' },
      ],
    });
  });
});

describe('judgeAdmission', () => {
  const node = { metadata: { ...({} as Node['metadata']), name: 'node-1', labels: { zone: 'a', cores: '8' } }, spec: {} };
  const judge = (spec: Partial<PodSpec>, others: readonly Partial<PodSpec>[] = [], taints: Node['spec']['taints'] = []) =>
    judgeAdmission({
      pod: testPod({ spec }),
      node: { ...node, spec: { taints } },
      allocatable: { cpu: '2', memory: '1Gi', pods: '3' },
      others: others.map((o) => testPod({ spec: o })),
    });
  const needs = (cpu: string, memory = '0'): Partial<PodSpec> => ({
    containers: [container('main', { resources: { requests: { cpu, memory } } })],
  });
  const port = (hostPort: number): Partial<PodSpec> => ({ containers: [container('main', { ports: [{ containerPort: 80, hostPort }] })] });
  const affinity = (key: string, operator: 'In' | 'Gt', values: readonly string[]): Partial<PodSpec> => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }] },
      },
    },
  });
  const noExecute = { key: 'k', effect: 'NoExecute' as const };
  const rows: readonly { readonly name: string; readonly got: ReturnType<typeof judge>; readonly want: string | undefined }[] = [
    { name: 'fits', got: judge(needs('1')), want: undefined },
    {
      name: 'too many pods',
      got: judge({}, [{}, {}, {}]),
      want: "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
    },
    {
      name: 'too little processor',
      got: judge(needs('1500m'), [needs('1')]),
      want: "OutOfcpu: Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
    },
    {
      name: 'too little memory',
      got: judge(needs('0', '2Gi')),
      want: "OutOfmemory: Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824",
    },
    {
      name: 'another node’s labels',
      got: judge({ nodeSelector: { zone: 'b' } }),
      want: "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    },
    { name: 'its affinity fits', got: judge(affinity('cores', 'Gt', ['4'])), want: undefined },
    {
      name: 'its affinity does not',
      got: judge(affinity('zone', 'In', ['b'])),
      want: "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    },
    {
      name: 'a port that is taken',
      got: judge(port(8080), [port(8080)]),
      want: "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    },
    { name: 'another port', got: judge(port(8080), [port(8081)]), want: undefined },
    {
      name: 'a taint',
      got: judge({}, [], [noExecute]),
      want: "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
    },
    { name: 'a taint it tolerates', got: judge({ tolerations: [{ key: 'k', operator: 'Exists' }] }, [], [noExecute]), want: undefined },
    {
      name: 'another system',
      got: judge({ os: { name: 'windows' } }),
      want: "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS",
    },
  ];
  for (const { name, got, want } of rows) test(name, () => assert.equal(got && `${got.reason}: ${got.message}`, want));
});

describe('planStatusPatch', () => {
  test('nothing to say', () => assert.equal(planStatusPatch('u', { phase: 'Running' }, { phase: 'Running' }), undefined));
  test('what changed, what is gone', () => {
    const current = { phase: 'Running' as const, reason: 'x', podIP: '1', podIPs: [{ ip: '1' }], hostIP: 'h' };
    assert.deepEqual(planStatusPatch('u', current, { phase: 'Failed', hostIP: 'h' }), {
      metadata: { uid: 'u' },
      status: { phase: 'Failed', reason: null, podIP: null, podIPs: null },
    });
  });
  test('conditions by their type', () => {
    const ready = { type: 'Ready', status: 'False', message: 'no' };
    const kept = { type: 'PodScheduled', status: 'True' };
    const gone = { type: 'Old', status: 'True' };
    assert.deepEqual(planStatusPatch('u', { conditions: [kept, ready, gone] }, { conditions: [kept, { type: 'Ready', status: 'True' }] }), {
      metadata: { uid: 'u' },
      status: {
        '$setElementOrder/conditions': [{ type: 'PodScheduled' }, { type: 'Ready' }],
        conditions: [
          { type: 'Ready', status: 'True', message: null },
          { type: 'Old', $patch: 'delete' },
        ],
      },
    });
  });
});
