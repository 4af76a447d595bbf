import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TestPod, testPod } from '../../../test/kit/scheduler-objects.ts';
import { podNonZeroRequests, podRequests, podScoredRequests } from './pod-requests.ts';

const mib = 1024 * 1024;
const container = (name: string, requests: { readonly [name: string]: string } = {}, more: object = {}) => ({
  name,
  image: 'i',
  resources: { requests },
  ...more,
});
const sidecar = (name: string, requests: { readonly [name: string]: string }) => container(name, requests, { restartPolicy: 'Always' });
const resizing = (requests: object, allocatedResources: object = {}) => ({
  containerStatuses: [
    { name: 'c', image: 'i', imageID: '', ready: true, restartCount: 0, resources: { requests }, allocatedResources },
  ] as never,
});

interface Row {
  readonly name: string;
  readonly pod: TestPod;
  readonly want: readonly [milliCPU: number, memoryMiB: number, others?: { readonly [name: string]: number }];
  /** the same for scoring, of what is there and of what comes; default: as `want` */
  readonly nonZero?: readonly [milliCPU: number, memoryMiB: number];
  readonly scored?: readonly [milliCPU: number, memoryMiB: number];
}

const rows: readonly Row[] = [
  { name: 'nothing is asked for', pod: {}, want: [0, 0], nonZero: [100, 200] },
  {
    name: 'containers add up',
    pod: { containers: [container('a', { cpu: '1', memory: '64Mi' }), container('b', { cpu: '500m', memory: '64Mi' })] },
    want: [1500, 128],
  },
  {
    name: 'what one container leaves out is assumed for it alone',
    pod: { containers: [container('a', { cpu: '1' }), container('b', { memory: '64Mi' })] },
    want: [1000, 64],
    nonZero: [1100, 264],
  },
  {
    name: 'an explicit zero is not filled in',
    pod: { containers: [container('a', { cpu: '0', memory: '0' })] },
    want: [0, 0],
  },
  {
    name: 'the largest init container, where that is more',
    pod: {
      containers: [container('a', { cpu: '1', memory: '64Mi' })],
      initContainers: [container('i', { cpu: '2', memory: '32Mi' }), container('j', { cpu: '1500m', memory: '128Mi' })],
    },
    want: [2000, 128],
  },
  {
    name: 'sidecars run on beside the containers',
    pod: { containers: [container('a', { cpu: '1', memory: '1Mi' })], initContainers: [sidecar('s', { cpu: '200m', memory: '1Mi' })] },
    want: [1200, 2],
  },
  {
    name: 'an init container runs beside the sidecars before it only',
    pod: {
      containers: [container('a', { cpu: '100m', memory: '1Mi' })],
      initContainers: [
        container('i', { cpu: '1', memory: '1Mi' }),
        sidecar('s', { cpu: '200m', memory: '1Mi' }),
        container('j', { cpu: '900m', memory: '1Mi' }),
      ],
    },
    want: [1100, 2],
  },
  {
    name: 'overhead comes on top',
    pod: { requests: { cpu: '1', memory: '64Mi' }, overhead: { cpu: '100m', memory: '16Mi' } },
    want: [1100, 80],
  },
  {
    name: 'extended resources and huge pages are counted, others are not',
    pod: {
      requests: { cpu: '1', memory: '1Mi', 'example.com/gpu': '2', 'hugepages-2Mi': '4Mi', unknown: '7', 'requests.example.com/x': '1' },
    },
    want: [1000, 1, { 'example.com/gpu': 2, 'hugepages-2Mi': 4 * mib }],
  },
  {
    name: 'pod-level requests win, but not where what is left is scored',
    pod: { requests: { cpu: '1' }, resources: { requests: { cpu: '3', memory: '64Mi', 'hugepages-2Mi': '2Mi', 'example.com/gpu': '1' } } },
    want: [3000, 64, { 'hugepages-2Mi': 2 * mib }],
    scored: [1000, 200],
  },
  {
    name: 'a resource that the pod level leaves out is assumed per container',
    pod: { containers: [container('a'), container('b')], resources: { requests: { cpu: '3' } } },
    want: [3000, 0],
    nonZero: [3000, 400],
    scored: [200, 400],
  },
  {
    name: 'a container that shrinks keeps what it still has',
    pod: { requests: { cpu: '1', memory: '1Mi' }, status: resizing({ cpu: '2', memory: '1Mi' }, { cpu: '1' }) },
    want: [2000, 1],
    scored: [1000, 1],
  },
  {
    name: 'a resize that is not possible does not count',
    pod: {
      requests: { cpu: '8', memory: '1Mi' },
      status: {
        ...resizing({ cpu: '1', memory: '1Mi' }),
        conditions: [{ type: 'PodResizePending', status: 'True', reason: 'Infeasible' }],
      } as never,
    },
    want: [1000, 1],
    scored: [8000, 1],
  },
];

for (const { name, pod, want, nonZero, scored } of rows) {
  test(`requests: ${name}`, () => {
    const given = testPod('p', pod);
    const requests = podRequests(given);
    const [milliCPU, memoryMiB, others = {}] = want;
    assert.deepEqual(
      { ...requests, others: Object.fromEntries(requests.others) },
      { milliCPU, memoryBytes: memoryMiB * mib, ephemeralBytes: 0, others },
    );
    const [cpuThere, memoryThere] = nonZero ?? want;
    const there = podNonZeroRequests(given);
    assert.deepEqual(there, { milliCPU: cpuThere, memoryBytes: memoryThere * mib });
    const [cpuComing, memoryComing] = scored ?? nonZero ?? want;
    assert.deepEqual(podScoredRequests(given, there), { milliCPU: cpuComing, memoryBytes: memoryComing * mib });
  });
}
