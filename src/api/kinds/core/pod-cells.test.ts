/** Cells of the table. */
import { testCells } from '../cases.test.ts';

testCells([
  {
    name: 'shows 0/3, , 0',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    },
    cells: ['x', '0/3', '', '0', '27h', '<none>', 'n', '<none>', '0/1'],
  },
  {
    name: 'shows 0/3, Init:0/2, 0',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'i', image: 'x', imageID: '', ready: false, restartCount: 0, state: { running: { startedAt: '2020-01-01T00:00:00Z' } } },
        ],
      },
    },
    cells: ['x', '0/3', 'Init:0/2', '0', '27h', '<none>', 'n', '<none>', '0/1'],
  },
  {
    name: 'shows 0/3, Init:CrashLoopBackOff, 2 (27h ago)',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        phase: 'Pending',
        initContainerStatuses: [
          {
            name: 'i',
            image: 'x',
            imageID: '',
            ready: false,
            restartCount: 2,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:00:00Z' } },
          },
        ],
      },
    },
    cells: ['x', '0/3', 'Init:CrashLoopBackOff', '2 (27h ago)', '27h', '<none>', 'n', '<none>', '0/1'],
  },
  {
    name: 'shows 0/3, Init:1/2, 0',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'i', image: 'x', imageID: '', ready: true, restartCount: 0, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
          { name: 's', image: 'x', imageID: '', ready: false, restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } },
        ],
      },
    },
    cells: ['x', '0/3', 'Init:1/2', '0', '27h', '<none>', 'n', '<none>', '0/1'],
  },
  {
    name: 'shows 0/3, Init:ExitCode:3, 0',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        phase: 'Failed',
        initContainerStatuses: [
          { name: 'i', image: 'x', imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode: 3 } } },
        ],
      },
    },
    cells: ['x', '0/3', 'Init:ExitCode:3', '0', '27h', '<none>', 'n', '<none>', '0/1'],
  },
  {
    name: 'shows 0/3, Init:Signal:9, 0',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        phase: 'Failed',
        initContainerStatuses: [
          { name: 'i', image: 'x', imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode: 3, signal: 9 } } },
        ],
      },
    },
    cells: ['x', '0/3', 'Init:Signal:9', '0', '27h', '<none>', 'n', '<none>', '0/1'],
  },
  {
    name: 'shows 2/3, Running, 5 (10d ago)',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        phase: 'Running',
        podIP: '1.2.3.4',
        podIPs: [{ ip: '1.2.3.4' }],
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'a/b', status: 'True' },
        ],
        initContainerStatuses: [
          { name: 'i', image: 'x', imageID: '', ready: true, restartCount: 0, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
          {
            name: 's',
            image: 'x',
            imageID: '',
            ready: true,
            started: true,
            restartCount: 1,
            state: { running: { startedAt: '2020-01-01T00:00:00Z' } },
          },
        ],
        containerStatuses: [
          {
            name: 'a',
            image: 'x',
            imageID: '',
            ready: true,
            restartCount: 3,
            state: { running: { startedAt: '2020-01-01T00:00:00Z' } },
            lastState: { terminated: { exitCode: 1, finishedAt: '2025-12-23T01:00:00Z' } },
          },
          { name: 'b', image: 'x', imageID: '', ready: false, restartCount: 1, state: { running: { startedAt: '2020-01-01T00:00:00Z' } } },
        ],
      },
    },
    cells: ['x', '2/3', 'Running', '5 (10d ago)', '27h', '1.2.3.4', 'n', '<none>', '1/1'],
  },
  {
    name: 'shows 1/3, NotReady, 1',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'False' }],
        containerStatuses: [
          { name: 'a', image: 'x', imageID: '', ready: true, restartCount: 0, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
          { name: 'b', image: 'x', imageID: '', ready: true, restartCount: 1, state: { running: { startedAt: '2020-01-01T00:00:00Z' } } },
        ],
      },
    },
    cells: ['x', '1/3', 'NotReady', '1', '27h', '<none>', 'n', '<none>', '0/1'],
  },
  {
    name: 'shows 1/3, CrashLoopBackOff, 5 (11d ago)',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'a',
            image: 'x',
            imageID: '',
            ready: false,
            restartCount: 4,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, finishedAt: '2025-12-22T01:00:00Z' } },
          },
          { name: 'b', image: 'x', imageID: '', ready: true, restartCount: 1, state: { running: { startedAt: '2020-01-01T00:00:00Z' } } },
        ],
      },
    },
    cells: ['x', '1/3', 'CrashLoopBackOff', '5 (11d ago)', '27h', '<none>', 'n', '<none>', '0/1'],
  },
  {
    name: 'shows 0/3, ExitCode:137, 5',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        phase: 'Running',
        containerStatuses: [
          { name: 'a', image: 'x', imageID: '', ready: false, restartCount: 4, state: { terminated: { exitCode: 137 } } },
          { name: 'b', image: 'x', imageID: '', ready: false, restartCount: 1, state: { terminated: { signal: 9, exitCode: 0 } } },
        ],
      },
    },
    cells: ['x', '0/3', 'ExitCode:137', '5', '27h', '<none>', 'n', '<none>', '0/1'],
  },
  {
    name: 'shows 0/3, SchedulingGated, 0',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
    },
    cells: ['x', '0/3', 'SchedulingGated', '0', '27h', '<none>', 'n', '<none>', '0/1'],
  },
  {
    name: 'shows 0/3, Evicted, 0',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { phase: 'Failed', reason: 'Evicted' },
    },
    cells: ['x', '0/3', 'Evicted', '0', '27h', '<none>', 'n', '<none>', '0/1'],
  },
  {
    name: 'shows 0/3, Completed, 0',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        phase: 'Succeeded',
        containerStatuses: [
          {
            name: 'a',
            image: 'x',
            imageID: '',
            ready: false,
            restartCount: 0,
            state: { terminated: { exitCode: 0, reason: 'Completed' } },
          },
          {
            name: 'b',
            image: 'x',
            imageID: '',
            ready: false,
            restartCount: 0,
            state: { terminated: { exitCode: 0, reason: 'Completed' } },
          },
        ],
      },
    },
    cells: ['x', '0/3', 'Completed', '0', '27h', '<none>', 'n', '<none>', '0/1'],
  },
  {
    name: 'shows 0/3, NodeLost, 0',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        nodeName: 'n',
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: 'a/b' }],
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 's', image: 'x', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { phase: 'Unknown', reason: 'NodeLost' },
    },
    cells: ['x', '0/3', 'NodeLost', '0', '27h', '<none>', 'n', '<none>', '0/1'],
  },
]);
