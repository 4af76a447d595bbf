/** ResourceQuota: what is filled in, and what is refused. */
import { testCells, testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.hard.cpu, spec.hard.pods and 1 more',
    given: { apiVersion: 'v1', kind: 'ResourceQuota', spec: { hard: { cpu: '1000m', pods: 10 }, scopes: ['NotTerminating'] } },
    has: { 'spec.hard.cpu': '1', 'spec.hard.pods': '10', status: {} },
  },
]);

testCells([
  {
    name: 'shows , , 27h',
    object: {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      spec: { hard: { pods: 4, 'limits.cpu': 1, 'requests.memory': '1Gi' } },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    },
    cells: ['x', '', '', '27h'],
  },
  {
    name: 'shows pods: 1/4, requests.memory: 0/1Gi, limits.cpu: 500m/1, 27h',
    object: {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      spec: { hard: { pods: 4, 'limits.cpu': 1, 'requests.memory': '1Gi' } },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        hard: { pods: 4, 'limits.cpu': 1, 'requests.memory': '1Gi' },
        used: { pods: 1, 'limits.cpu': '500m', 'requests.memory': 0 },
      },
    },
    cells: ['x', 'pods: 1/4, requests.memory: 0/1Gi', 'limits.cpu: 500m/1', '27h'],
  },
]);
