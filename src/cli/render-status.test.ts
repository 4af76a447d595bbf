import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterStatus } from '../cluster/instance/status.ts';
import { renderLine, renderStatus } from './render-status.ts';

const columnsMax = 60;
const nowMs = Date.parse('2026-01-01T00:03:00Z');
const common = { name: 'default', healthy: false, problems: [], dir: '/var/lib/timonier/default' } as const;
const process = { pid: 812, startedAt: '2026-01-01T00:00:00Z', uptimeMs: 180_000, version: '0.1.0' };
const real = { name: 'default-1', simulated: false, ready: true, proxyHealthy: true };
const url = 'https://127.0.0.1:6443';
const checks = [
  { name: 'ping', ok: true },
  { name: 'etcd', ok: false },
];
const died = { lastExit: 'signal 9', lastExitAt: '2026-01-01T00:02:55Z' };

const rows: readonly { readonly name: string; readonly given: ClusterStatus; readonly want: readonly string[] }[] = [
  {
    name: 'running',
    given: {
      ...common,
      state: 'running',
      process,
      supervisor: { pid: 811, restarts: 0 },
      apiServer: { url, answers: true, checks: [] },
      nodes: [real, { name: 'default-simulated-1', simulated: true, ready: false }],
      pods: { Running: 3, Pending: 1 },
      addons: [{ name: 'ingress', note: 'http 8080, https 443' }],
      kubeconfig: '/root/.kube/config',
    },
    want: [
      'Cluster:     default, running',
      'Process:     812, up 3m, timonier 0.1.0',
      'Supervisor:  process 811, 0 restarts',
      'API server:  https://127.0.0.1:6443, ready',
      'Nodes:       1 of 2 Ready (1 real, 1 simulated)',
      'Proxies:     1 of 1 healthy',
      'Pods:        3 Running, 1 Pending',
      'Ingress:     http 8080, https 443',
      'kubeconfig:  /root/.kube/config',
    ],
  },
  {
    name: 'a check fails',
    given: {
      ...common,
      state: 'disk-full',
      process,
      supervisor: { pid: 811, restarts: 1, ...died },
      apiServer: { url, answers: true, checks },
      nodes: [],
      pods: {},
      problems: [{ code: 'disk-full', message: 'the disk of /d is full', fix: 'free space there' }],
    },
    want: [
      'Cluster:     default, disk full',
      'Process:     812, up 3m, timonier 0.1.0',
      'Supervisor:  process 811, 1 restart (SIGKILL, 5s ago)',
      'API server:  https://127.0.0.1:6443, not ready: etcd',
      'Nodes:       0 of 0 Ready (0 real, 0 simulated)',
      'Pods:        none',
      'Problem:     the disk of /d is full',
      '  fix:       free space there',
    ],
  },
  {
    name: 'silent, from `run`',
    given: { ...common, state: 'running', process, apiServer: { url, answers: false, checks: [] } },
    want: [
      'Cluster:     default, running',
      'Process:     812, up 3m, timonier 0.1.0',
      'Supervisor:  none: nothing restarts a process that dies',
      'API server:  https://127.0.0.1:6443, does not answer',
    ],
  },
  {
    name: 'the first start',
    given: { ...common, state: 'starting', process: { pid: 8 }, supervisor: { pid: 7, restarts: 0 } },
    want: ['Cluster:     default, starting', 'Process:     8, starting', 'Supervisor:  process 7, 0 restarts'],
  },
  {
    name: 'waiting to be started again',
    given: { ...common, state: 'restarting', supervisor: { pid: 7, restarts: 3, ...died, nextTryAt: '2026-01-01T00:03:07Z' } },
    want: [
      'Cluster:     default, restarting',
      'Process:     none; started again in 7 s',
      'Supervisor:  process 7, 3 restarts (SIGKILL, 5s ago)',
    ],
  },
  {
    name: 'it has just ended',
    given: { ...common, state: 'restarting', supervisor: { pid: 7, restarts: 0, lastExit: 'exit 70', lastExitAt: '2026-01-01T00:03:00Z' } },
    want: [
      'Cluster:     default, restarting',
      'Process:     none; it has just ended',
      'Supervisor:  process 7, 0 restarts (exit 70, 0s ago)',
    ],
  },
  {
    name: 'crashed',
    given: {
      ...common,
      state: 'crashed',
      leftPods: 3,
      problems: [{ code: 'crashed', message: 'its process died; 3 pods still run', fix: 'timonier up default' }],
    },
    want: [
      'Cluster:     default, crashed',
      'Pods:        3 still running',
      'Problem:     its process died; 3 pods still run',
      '  fix:       timonier up default',
    ],
  },
];
for (const { name, given, want } of rows) {
  test(`the status for people: ${name}`, () => {
    const lines = renderStatus(given, nowMs).map(renderLine);
    assert.deepEqual(lines, want);
    for (const line of lines) assert.ok(line.length <= columnsMax, line);
  });
}
