import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterState } from './condition.ts';
import { type ClusterStatus, type NodeStatus, parseChecks, problemsOf } from './status.ts';

const apiServer = { url: 'https://127.0.0.1:6443', answers: true, checks: [{ name: 'ping', ok: true }] };
const node: NodeStatus = { name: 'default-1', simulated: false, ready: true, proxyHealthy: true };
const down: NodeStatus = { ...node, ready: false, message: 'container runtime is down' };
const many = Array.from({ length: 7 }, (_, i) => ({ name: `n${i}`, simulated: true, ready: false }));

type Given = Partial<Omit<ClusterStatus, 'healthy' | 'problems' | 'state'>>;
const rows: readonly { readonly name: string; readonly state: ClusterState; readonly given?: Given; readonly want: readonly string[] }[] = [
  { name: 'all is well', state: 'running', given: { apiServer, nodes: [node] }, want: [] },
  { name: 'it starts', state: 'starting', want: [] },
  { name: 'it is started again', state: 'restarting', want: [] },
  { name: 'stopped', state: 'stopped', want: ['not-running: it is not running → timonier up x'] },
  { name: 'crashed', state: 'crashed', want: ['crashed: its process died → timonier up x'] },
  { name: 'a pod is left', state: 'crashed', given: { leftPods: 1 }, want: ['crashed: its process died; 1 pod still run → timonier up x'] },
  { name: 'the disk is full', state: 'disk-full', want: ['disk-full: the disk of /d is full → free space there'] },
  { name: 'paused', state: 'paused', want: ['paused: process 8 is paused → kill -CONT 8'] },
  { name: 'stopping', state: 'stopping', want: ['stopping: it is being stopped → timonier down x waits for it; then timonier up x'] },
  {
    name: 'silent',
    state: 'running',
    given: { apiServer: { ...apiServer, answers: false, checks: [] } },
    want: ['no-answer: process 8 is there, and does not answer → timonier down x, then timonier up x'],
  },
  {
    name: 'a check fails',
    state: 'running',
    given: { apiServer: { ...apiServer, checks: [...apiServer.checks, { name: 'etcd', ok: false }] }, nodes: [node] },
    want: ['check-failed: checks fail: etcd → timonier logs x says why'],
  },
  {
    name: 'containerd is gone, and the proxy fails',
    state: 'running',
    given: { apiServer, nodes: [{ ...down, proxyHealthy: false }] },
    want: [
      'node-not-ready: default-1: container runtime is down → timonier logs x says why',
      'proxy-failed: default-1: Services may lead nowhere, its proxy fails → timonier logs x says why',
    ],
  },
  {
    name: 'containerd is stopped, and nobody has noticed yet',
    state: 'running',
    given: { apiServer, nodes: [{ ...node, runtimeRuns: false }] },
    want: ['runtime-failed: default-1: its containerd does not run → timonier logs x says why'],
  },
  {
    name: 'many nodes',
    state: 'running',
    given: { apiServer, nodes: many },
    want: ['n0', 'n1', 'n2', 'n3', 'n4']
      .map((name) => `node-not-ready: ${name}: not Ready → timonier logs x says why`)
      .with(4, 'node-not-ready: n4: not Ready; and 2 nodes more → timonier logs x says why'),
  },
];
for (const { name, state, given, want } of rows) {
  test(`the problems of a cluster: ${name}`, () => {
    const problems = problemsOf({ name: 'x', dir: '/d', state, process: { pid: 8 }, ...given });
    assert.deepEqual(
      problems.map(({ code, message, fix }) => `${code}: ${message} → ${fix}`),
      want,
    );
  });
}

test('checks as the server prints them', () => {
  const text = '[+]ping ok\n[-]etcd failed: reason withheld\n[+]poststarthook/rbac/bootstrap-roles ok\nreadyz check failed\n';
  assert.deepEqual(parseChecks(text), [
    { name: 'ping', ok: true },
    { name: 'etcd', ok: false },
    { name: 'poststarthook/rbac/bootstrap-roles', ok: true },
  ]);
});
