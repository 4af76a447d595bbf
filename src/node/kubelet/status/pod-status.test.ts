import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { container, observe, observedContainer, observedSandbox, type TestPod, testPod } from '../../../../test/kit/test-pods.ts';
import type { ContainerStatus, PodStatus } from '../../../api/generated/core-v1.ts';
import { nothingObserved, type ObservedPod } from '../pod/observed-pod.ts';
import type { WaitingReason } from './container-statuses.ts';
import { finalPodStatus } from './final-status.ts';
import { mergePodStatus, podStatus, type Readiness, sameStatus, sortIPs } from './pod-status.ts';

interface Row {
  readonly name: string;
  readonly pod?: TestPod;
  readonly observed: ObservedPod;
  readonly old?: PodStatus;
  readonly waiting?: Readonly<Record<string, WaitingReason>>;
  readonly readiness?: Readonly<Record<string, Readiness>>;
  readonly terminal?: boolean;
  readonly override?: { readonly reason: string; readonly message: string; readonly disruption?: boolean };
  readonly want: readonly string[];
}

const statusOf = ({
  pod,
  observed,
  old,
  waiting = {},
  readiness = {},
  terminal = false,
  override,
}: Omit<Row, 'name' | 'want'>): PodStatus => {
  const subject = testPod(pod);
  return podStatus({
    pod: subject,
    observed,
    old: old ?? subject.status,
    runtimeName: 'containerd',
    waitingReasons: new Map(Object.entries(waiting)),
    readiness: (name) => readiness[name] ?? { started: true, ready: true },
    terminal,
    ...(override && { override }),
    hostIPs: ['192.0.2.1'],
    nowMs: Date.UTC(2026, 0, 1),
  });
};

const restartAll = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } } as const;
const toldStatus = (name: string, state: ContainerStatus['state'] & object): ContainerStatus => ({
  name,
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  containerID: `containerd://${name}`,
  state,
});

const describeState = ({ name, state, lastState, ready, restartCount }: ContainerStatus): string => {
  const of = (s: ContainerStatus['state']): string =>
    s?.running ? 'running' : s?.terminated ? `terminated:${s.terminated.exitCode}` : s?.waiting ? `waiting:${s.waiting.reason ?? ''}` : '';
  return [
    name,
    of(state),
    ...(of(lastState) ? [`(${of(lastState)})`] : []),
    ...(ready ? ['ready'] : []),
    ...(restartCount ? [`#${restartCount}`] : []),
  ].join(' ');
};

function describeStatus(status: PodStatus): readonly string[] {
  const conditions = (status.conditions ?? []).filter((c) => c.status !== 'True');
  return [
    `${status.phase}${status.reason ? ` ${status.reason}` : ''}`,
    ...(status.initContainerStatuses ?? []).map(describeState),
    ...(status.containerStatuses ?? []).map(describeState),
    ...conditions.map((c) => `not ${c.type}${c.reason ? `: ${c.reason}` : ''}${c.message ? ` (${c.message})` : ''}`),
  ];
}

const failed = { exitCode: 1, reason: 'Error' };
const never: TestPod = { spec: { restartPolicy: 'Never' } };
const unready = 'containers with unready status: [main]';

const rows: readonly Row[] = [
  {
    name: 'nothing yet',
    observed: nothingObserved,
    want: [
      'Pending',
      'main waiting:ContainerCreating',
      'not PodReadyToStartContainers',
      `not Ready: ContainersNotReady (${unready})`,
      `not ContainersReady: ContainersNotReady (${unready})`,
    ],
  },
  { name: 'running and ready', observed: observe(observedContainer('main', 'running')), want: ['Running', 'main running ready'] },
  {
    name: 'running, its readiness probe has not succeeded',
    observed: observe(observedContainer('main', 'running')),
    readiness: { main: { started: true, ready: false } },
    want: ['Running', 'main running', `not Ready: ContainersNotReady (${unready})`, `not ContainersReady: ContainersNotReady (${unready})`],
  },
  {
    name: 'not started by its startup probe yet',
    observed: observe(observedContainer('main', 'running')),
    readiness: { main: { started: false, ready: true } },
    want: ['Running', 'main running', `not Ready: ContainersNotReady (${unready})`, `not ContainersReady: ContainersNotReady (${unready})`],
  },
  {
    name: 'a gate that nobody opened',
    pod: { spec: { readinessGates: [{ conditionType: 'example.com/gate' }] } },
    observed: observe(observedContainer('main', 'running')),
    want: [
      'Running',
      'main running ready',
      'not Ready: ReadinessGatesNotReady (corresponding condition of pod readiness gate "example.com/gate" does not exist.)',
    ],
  },
  {
    name: 'between two tries',
    observed: observe(observedContainer('main', 'exited', { ...failed, restartCount: 2 })),
    waiting: { main: { reason: 'CrashLoopBackOff', message: 'back-off' } },
    want: [
      'Running',
      'main waiting:CrashLoopBackOff (terminated:1) #2',
      `not Ready: ContainersNotReady (${unready})`,
      `not ContainersReady: ContainersNotReady (${unready})`,
    ],
  },
  {
    name: 'the instance before tells the last state',
    observed: observe(
      observedContainer('main', 'running', { id: 'main-1', restartCount: 1 }),
      observedContainer('main', 'exited', { ...failed, createdAtMs: 1 }),
    ),
    want: ['Running', 'main running (terminated:1) ready #1'],
  },
  {
    name: 'an image that can’t be pulled',
    observed: observe(),
    waiting: { main: { reason: 'ImagePullBackOff', message: 'Back-off pulling image' } },
    want: [
      'Pending',
      'main waiting:ImagePullBackOff',
      `not Ready: ContainersNotReady (${unready})`,
      `not ContainersReady: ContainersNotReady (${unready})`,
    ],
  },
  {
    name: 'ended well, for good',
    pod: never,
    observed: observe(observedContainer('main', 'exited', { reason: 'Completed' })),
    want: ['Succeeded', 'main terminated:0', 'not Ready: PodCompleted', 'not ContainersReady: PodCompleted'],
  },
  {
    name: 'failed, for good',
    pod: never,
    observed: observe(observedContainer('main', 'exited', failed)),
    want: ['Failed', 'main terminated:1', 'not Ready: PodFailed', 'not ContainersReady: PodFailed'],
  },
  {
    name: 'stopped by deletion: it would restart, but it ends',
    observed: observe(observedContainer('main', 'exited')),
    pod: { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
    terminal: true,
    want: ['Succeeded', 'main terminated:0', 'not Ready: PodCompleted', 'not ContainersReady: PodCompleted'],
  },
  {
    name: 'an init container runs',
    pod: { spec: { initContainers: [container('one'), container('two')] } },
    observed: observe(observedContainer('one', 'running')),
    want: [
      'Pending',
      'one running',
      'two waiting:PodInitializing',
      'main waiting:PodInitializing',
      'not Initialized: ContainersNotInitialized (containers with incomplete status: [one two])',
      `not Ready: ContainersNotReady (${unready})`,
      `not ContainersReady: ContainersNotReady (${unready})`,
    ],
  },
  {
    name: 'an init container failed for good',
    pod: { spec: { restartPolicy: 'Never', initContainers: [container('one')] } },
    observed: observe(observedContainer('one', 'exited', failed)),
    want: [
      'Failed',
      'one terminated:1',
      'main waiting:PodInitializing',
      'not Initialized: ContainersNotInitialized (containers with incomplete status: [one])',
      'not Ready: PodFailed',
      'not ContainersReady: PodFailed',
    ],
  },
  {
    name: 'a sidecar that is not ready keeps the pod from being ready',
    pod: { spec: { initContainers: [container('side', { restartPolicy: 'Always' })] } },
    observed: observe(observedContainer('main', 'running'), observedContainer('side', 'running')),
    readiness: { side: { started: true, ready: false } },
    want: [
      'Running',
      'side running',
      'main running ready',
      'not Ready: ContainersNotReady (containers with unready status: [side])',
      'not ContainersReady: ContainersNotReady (containers with unready status: [side])',
    ],
  },
  {
    name: 'the runtime lost what was running',
    observed: observe(),
    old: {
      phase: 'Running',
      containerStatuses: [
        { name: 'main', image: '', imageID: '', ready: true, restartCount: 0, containerID: 'containerd://x', state: { running: {} } },
      ],
    },
    want: [
      'Running',
      'main waiting:ContainerCreating (terminated:137) #1',
      `not Ready: ContainersNotReady (${unready})`,
      `not ContainersReady: ContainersNotReady (${unready})`,
    ],
  },
  {
    name: 'all containers are removed to start over',
    pod: {
      spec: {
        restartPolicy: 'Never',
        initContainers: [container('setup')],
        containers: [container('main', { restartPolicy: 'Never', restartPolicyRules: [restartAll] }), container('side')],
      },
    },
    observed: observe(),
    old: {
      phase: 'Running',
      conditions: [{ type: 'AllContainersRestarting', status: 'True' }],
      initContainerStatuses: [toldStatus('setup', { terminated: { exitCode: 0 } })],
      containerStatuses: [toldStatus('main', { terminated: { exitCode: 42 } }), toldStatus('side', { running: {} })],
    },
    want: [
      'Running',
      'setup waiting:RestartingAllContainers (terminated:137) #1',
      'main waiting:RestartingAllContainers (terminated:137) #1',
      'side waiting:RestartingAllContainers (terminated:137) #1',
      'not Initialized: ContainersNotInitialized (containers with incomplete status: [setup])',
      'not Ready: ContainersNotReady (containers with unready status: [main side])',
      'not ContainersReady: ContainersNotReady (containers with unready status: [main side])',
      'not AllContainersRestarting',
    ],
  },
  {
    name: 'ended by the kubelet itself',
    observed: observe(observedContainer('main', 'running')),
    override: { reason: 'DeadlineExceeded', message: 'too long' },
    want: ['Failed DeadlineExceeded', 'main running ready', 'not Ready: PodFailed', 'not ContainersReady: PodFailed'],
  },
  {
    name: 'what the API says is terminal stays so',
    pod: { status: { phase: 'Failed', reason: 'Evicted' } },
    observed: observe(observedContainer('main', 'running')),
    want: ['Failed Evicted', 'main running ready', 'not Ready: PodFailed', 'not ContainersReady: PodFailed'],
  },
];

describe('podStatus', () => {
  for (const { name, want, ...given } of rows) test(name, () => assert.deepEqual(describeStatus(statusOf(given)), want));

  test('conditions keep the time of their last change', () => {
    const since = '2025-01-01T00:00:00Z';
    const old: PodStatus = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: since }] };
    const of = (ready: boolean) =>
      statusOf({
        observed: observe(observedContainer('main', 'running')),
        old,
        readiness: { main: { started: true, ready } },
      }).conditions?.find((c) => c.type === 'Ready')?.lastTransitionTime;
    assert.equal(of(true), since);
    assert.equal(of(false), '2026-01-01T00:00:00Z');
  });

  test('a container’s status as the API has it', () => {
    const pod = { spec: { containers: [container('main', { resources: { requests: { cpu: '1' } } })] } };
    const [status] =
      statusOf({ pod, observed: observe(observedContainer('main', 'exited', { ...failed, startedAtMs: 1500, finishedAtMs: 2500 })) })
        .containerStatuses ?? [];
    assert.deepEqual(status, {
      name: 'main',
      image: 'image:1',
      imageID: 'sha256:1',
      containerID: 'containerd://main-0',
      state: {
        terminated: {
          exitCode: 1,
          reason: 'Error',
          startedAt: '1970-01-01T00:00:01Z',
          finishedAt: '1970-01-01T00:00:02Z',
          containerID: 'containerd://main-0',
        },
      },
      lastState: {},
      ready: false,
      restartCount: 0,
      allocatedResources: { cpu: '1' },
      resources: { requests: { cpu: '1' } },
      started: false,
    });
  });

  test('last words are cut, so that all containers’ together stay below 12 kB', () => {
    const pod = { spec: { containers: [container('main'), container('b'), container('c'), container('d')] } };
    const observed = observe(observedContainer('main', 'exited', { ...failed, message: 'x'.repeat(4096) }));
    const status = statusOf({ pod, observed }).containerStatuses?.find((c) => c.name === 'main');
    assert.equal(status?.state?.terminated?.message?.length, 3072);
  });

  test('host network pods have the node’s address', () => {
    const observed = { sandboxes: [observedSandbox({ ips: [], hostNetwork: true })], containers: [] };
    assert.equal(statusOf({ pod: { spec: { hostNetwork: true } }, observed }).podIP, '192.0.2.1');
  });
});

test('a pod that ends for the node’s sake says so, once', () => {
  const override = { reason: 'Evicted', message: 'no memory', disruption: true };
  const observed = observe(observedContainer('main', 'running'));
  const first = statusOf({ observed, override });
  const again = statusOf({ observed, override, old: first });
  for (const status of [first, again]) assert.equal(status.conditions?.filter((c) => c.type === 'DisruptionTarget').length, 1);
});

describe('mergePodStatus', () => {
  const others = { type: 'example.com/gate', status: 'True' };
  const ready = { type: 'Ready', status: 'True' };
  test('conditions of others stay', () => {
    const merged = mergePodStatus({ phase: 'Running', conditions: [others] }, { phase: 'Running', conditions: [ready] }, true);
    assert.deepEqual(merged.conditions, [others, ready]);
  });
  test('it is not terminal while containers may run', () => {
    const current: PodStatus = { phase: 'Running', reason: 'a' };
    const next: PodStatus = { phase: 'Failed', reason: 'b', message: 'c' };
    assert.deepEqual(mergePodStatus(current, next, true), { phase: 'Running', reason: 'a', conditions: [] });
    assert.equal(mergePodStatus(current, next, false).phase, 'Failed');
  });
  test('a terminal pod is not ready', () => {
    const merged = mergePodStatus({ phase: 'Running' }, { phase: 'Succeeded', conditions: [ready] }, false);
    assert.deepEqual(merged.conditions, [{ type: 'Ready', status: 'False', reason: 'PodCompleted' }]);
  });
});

test('sameStatus looks at what the kubelet owns', () => {
  const status: PodStatus = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: 'a' }] };
  const touched: PodStatus = {
    ...status,
    conditions: [
      { type: 'example.com/gate', status: 'True' },
      { type: 'Ready', status: 'True', lastTransitionTime: 'b' },
    ],
  };
  assert.equal(sameStatus(status, touched), true);
  assert.equal(sameStatus(status, { ...status, podIP: '10.0.0.1' }), false);
});

test('finalPodStatus ends what nobody saw ending', () => {
  const running: ContainerStatus = { name: 'main', image: '', imageID: '', ready: true, restartCount: 0, state: { running: {} } };
  const status: PodStatus = { phase: 'Running', containerStatuses: [running], conditions: [{ type: 'Ready', status: 'True' }] };
  assert.deepEqual(describeStatus(finalPodStatus(testPod(), status, '2026-01-01T00:00:00Z')), [
    'Failed',
    'main terminated:137',
    'not Ready: PodFailed',
  ]);
});

test('sortIPs puts the node’s family first', () => {
  assert.deepEqual(sortIPs(['fd00::2', '10.0.0.2', '10.0.0.3'], ['192.0.2.1']), ['10.0.0.2', 'fd00::2']);
  assert.deepEqual(sortIPs(['10.0.0.2', 'fd00::2'], ['fd01::1', '192.0.2.1']), ['fd00::2', '10.0.0.2']);
});
