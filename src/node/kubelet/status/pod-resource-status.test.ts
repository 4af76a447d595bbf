import assert from 'node:assert/strict';
import { test } from 'node:test';
import { container, testPod } from '../../../../test/kit/test-pods.ts';
import type { Pod, PodSpec } from '../../../api/generated/core-v1.ts';
import { podResourceStatus } from './pod-resource-status.ts';

const pod = (spec: Partial<PodSpec>, qosClass: 'BestEffort' | 'Burstable' = 'Burstable'): Pod =>
  testPod({ spec: { containers: [container('main')], ...spec }, status: { qosClass } });
const sized = pod({
  containers: [
    container('main', { resources: { requests: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '1Gi' }, limits: { memory: '2Gi' } } }),
  ],
});
const whole = pod({ resources: { requests: { cpu: '1' }, limits: { cpu: '2', memory: '1Gi' } } });

const cases: { name: string; granted: Pod; actual?: Pod; isRunning?: boolean; want: object }[] = [
  { name: 'nothing asked for', granted: pod({}, 'BestEffort'), want: { resources: {} } },
  {
    name: 'of containers, while it runs: what its cgroup enforces',
    granted: sized,
    want: {
      allocatedResources: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '1Gi' },
      resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } },
    },
  },
  {
    name: 'before it runs: all that was granted',
    granted: sized,
    isRunning: false,
    want: {
      allocatedResources: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '1Gi' },
      resources: { requests: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '1Gi' }, limits: { memory: '2Gi' } },
    },
  },
  {
    name: 'a limit that one container lacks is not enforced',
    granted: pod({ containers: [container('a', { resources: { limits: { cpu: '1' }, requests: { cpu: '1' } } }), container('b')] }),
    want: { allocatedResources: { cpu: '1' }, resources: { requests: { cpu: '1' } } },
  },
  {
    name: 'of the pod as a whole, while it is being resized',
    granted: pod({ resources: { requests: { cpu: '2' }, limits: { cpu: '4', memory: '1Gi' } } }),
    actual: whole,
    want: { allocatedResources: { cpu: '2' }, resources: { requests: { cpu: '1' }, limits: { cpu: '2', memory: '1Gi' } } },
  },
  {
    name: 'overhead counts',
    granted: pod({ overhead: { cpu: '100m' }, resources: { requests: { cpu: '1' }, limits: { cpu: '2' } } }),
    want: { allocatedResources: { cpu: '1100m' }, resources: { requests: { cpu: '1100m' }, limits: { cpu: '2100m' } } },
  },
];
for (const { name, granted, actual = granted, isRunning = true, want } of cases) {
  test(name, () => assert.deepEqual(podResourceStatus(granted, actual, isRunning), want));
}
