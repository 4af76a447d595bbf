/** Pods, and what a runtime would say of them, for the tables of the kubelet's tests. */
import type { Container, Pod, PodSpec, PodStatus } from '../../src/api/generated/core-v1.ts';
import { hashContainer } from '../../src/node/kubelet/container/container-identity.ts';
import type { ObservedContainer, ObservedPod, ObservedSandbox } from '../../src/node/kubelet/pod/observed-pod.ts';

export interface TestPod {
  readonly spec?: Partial<PodSpec>;
  readonly status?: PodStatus;
  readonly metadata?: Partial<Pod['metadata']>;
}

export const testPod = ({ spec, status, metadata }: TestPod = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'default',
    uid: 'uid-1',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    generation: 1,
    ...metadata,
  },
  spec: { containers: [{ name: 'main', image: 'image:1' }], nodeName: 'node-1', terminationGracePeriodSeconds: 30, ...spec },
  status: { phase: 'Pending', qosClass: 'BestEffort', ...status },
});

export const container = (name: string, more: Partial<Container> = {}): Container => ({ name, image: 'image:1', ...more });

export const observedSandbox = (more: Partial<ObservedSandbox> = {}): ObservedSandbox => ({
  id: 'sandbox-0',
  attempt: 0,
  ready: true,
  createdAtMs: 1,
  hostNetwork: false,
  ips: ['10.0.0.2'],
  ...more,
});

export const observedContainer = (
  name: string,
  state: ObservedContainer['state'],
  more: Partial<ObservedContainer> = {},
): ObservedContainer => ({
  id: `${name}-0`,
  name,
  state,
  sandboxID: 'sandbox-0',
  createdAtMs: 2,
  startedAtMs: state === 'created' ? 0 : 3,
  finishedAtMs: state === 'exited' ? 4 : 0,
  exitCode: 0,
  reason: '',
  message: '',
  image: 'image:1',
  imageRef: 'sha256:1',
  restartCount: 0,
  hash: hashContainer({ name, image: 'image:1' }),
  logPath: '',
  ...more,
});

export const observe = (...containers: readonly ObservedContainer[]): ObservedPod => ({ sandboxes: [observedSandbox()], containers });
