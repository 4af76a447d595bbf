import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { container, observe, observedContainer, observedSandbox, type TestPod, testPod } from '../../../../test/kit/test-pods.ts';
import type { Container } from '../../../api/generated/core-v1.ts';
import type { BackOffEntry } from '../back-off.ts';
import { nothingObserved, type ObservedPod } from './observed-pod.ts';
import { backOffKey, type PodPlan, type ProbeVerdict, planPod } from './plan-pod.ts';

/** A plan in a few words. */
function describePlan(plan: PodPlan): readonly string[] {
  const sandbox = plan.createSandbox;
  return [
    ...(plan.killPod ? ['kill pod'] : []),
    ...(sandbox ? [`create sandbox ${sandbox.attempt}${sandbox.replaces ? ` for ${sandbox.replaces}` : ''}`] : []),
    ...plan.kill.map((k) => `kill ${k.container.name}: ${k.message}`),
    ...plan.reset.map((c) => `reset ${c.name}`),
    ...plan.start.map((s) => `start ${s.role} ${s.container.name}`),
    ...plan.waiting.map((w) => `${w.container.name} waits until ${w.untilMs}: ${w.message}`),
  ];
}

interface Row {
  readonly name: string;
  readonly pod?: TestPod;
  readonly observed: ObservedPod;
  readonly probes?: Readonly<Record<string, ProbeVerdict>>;
  readonly backOffs?: readonly [Container, BackOffEntry][];
  readonly nowMs?: number;
  readonly want: readonly string[];
}

const failed = { exitCode: 1, reason: 'Error' };
const sidecar = (name: string, more: Partial<Container> = {}): Container => container(name, { restartPolicy: 'Always', ...more });
const inits = (...initContainers: readonly Container[]): TestPod => ({ spec: { initContainers } });
const rule = (action: string, values: readonly number[]) => ({ action, exitCodes: { operator: 'In', values } });

const tables: Readonly<Record<string, readonly Row[]>> = {
  sandbox: [
    { name: 'a new pod', observed: nothingObserved, want: ['kill pod', 'create sandbox 0', 'start regular main'] },
    { name: 'a pod as it should be', observed: observe(observedContainer('main', 'running')), want: [] },
    {
      name: 'a sandbox that died takes its containers along',
      observed: { sandboxes: [observedSandbox({ ready: false })], containers: [observedContainer('main', 'running')] },
      want: ['kill pod', 'create sandbox 1 for sandbox-0', 'start regular main'],
    },
    {
      name: 'a sandbox without address',
      observed: { sandboxes: [observedSandbox({ ips: [] })], containers: [] },
      want: ['kill pod', 'create sandbox 1 for sandbox-0', 'start regular main'],
    },
    {
      name: 'two sandboxes at once',
      observed: { sandboxes: [observedSandbox({ id: 'b', attempt: 1 }), observedSandbox()], containers: [] },
      want: ['kill pod', 'create sandbox 2 for b', 'start regular main'],
    },
    {
      name: 'a host network pod has no address of its own',
      pod: { spec: { hostNetwork: true } },
      observed: { sandboxes: [observedSandbox({ ips: [], hostNetwork: true })], containers: [observedContainer('main', 'running')] },
      want: [],
    },
    {
      name: 'a pod that never restarts is done when its sandbox died',
      pod: { spec: { restartPolicy: 'Never' } },
      observed: { sandboxes: [observedSandbox({ ready: false })], containers: [observedContainer('main', 'exited')] },
      want: ['kill pod'],
    },
    {
      name: 'what succeeded is not run again in a new sandbox',
      pod: { spec: { restartPolicy: 'OnFailure', containers: [container('main'), container('other')] } },
      observed: {
        sandboxes: [observedSandbox({ ready: false })],
        containers: [observedContainer('main', 'exited'), observedContainer('other', 'running')],
      },
      want: ['kill pod', 'create sandbox 1 for sandbox-0', 'start regular other'],
    },
    {
      name: 'a new sandbox begins with the first init container',
      pod: inits(container('one'), container('two')),
      observed: { sandboxes: [observedSandbox({ ready: false })], containers: [observedContainer('main', 'running')] },
      want: ['kill pod', 'create sandbox 1 for sandbox-0', 'start init one'],
    },
  ],
  'regular containers': [
    { name: 'none yet', observed: observe(), want: ['start regular main'] },
    {
      name: 'ended, and always restarted',
      observed: observe(observedContainer('main', 'exited')),
      want: ['start regular main'],
    },
    {
      name: 'ended well, and restarted on failure only',
      pod: { spec: { restartPolicy: 'OnFailure' } },
      observed: observe(observedContainer('main', 'exited')),
      want: ['kill pod'],
    },
    {
      name: 'failed, and never restarted, while another runs',
      pod: { spec: { restartPolicy: 'Never', containers: [container('main'), container('other')] } },
      observed: observe(observedContainer('main', 'exited', failed), observedContainer('other', 'running')),
      want: [],
    },
    { name: 'created but never started', observed: observe(observedContainer('main', 'created')), want: ['start regular main'] },
    {
      name: 'in an unknown state',
      observed: observe(observedContainer('main', 'unknown')),
      want: ['kill main: Container is in "unknown" state, try killing it before restart', 'start regular main'],
    },
    {
      name: 'with another image now',
      observed: observe(observedContainer('main', 'running', { hash: 'other' })),
      want: ['kill main: Container main definition changed, will be restarted', 'start regular main'],
    },
    {
      name: 'failed its liveness probe',
      observed: observe(observedContainer('main', 'running')),
      probes: { 'liveness main-0': 'failure' },
      want: ['kill main: Container main failed liveness probe, will be restarted', 'start regular main'],
    },
    {
      name: 'failed its startup probe, and is never restarted',
      pod: { spec: { restartPolicy: 'Never' } },
      observed: observe(observedContainer('main', 'running')),
      probes: { 'startup main-0': 'failure' },
      want: ['kill pod', 'kill main: Container main failed startup probe'],
    },
    {
      name: 'a pod marked for deletion starts nothing',
      pod: { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
      observed: observe(observedContainer('main', 'exited')),
      want: ['kill pod'],
    },
    {
      name: 'an ephemeral container is started once',
      pod: { spec: { ephemeralContainers: [container('debug'), container('old')] } },
      observed: observe(observedContainer('main', 'running'), observedContainer('old', 'exited')),
      want: ['start ephemeral debug'],
    },
  ],
  'restart rules of a container': [
    {
      name: 'its own policy wins over the pod’s',
      pod: { spec: { restartPolicy: 'Never', containers: [container('main', { restartPolicy: 'OnFailure' })] } },
      observed: observe(observedContainer('main', 'exited', failed)),
      want: ['start regular main'],
    },
    {
      name: 'an exit code that asks for a restart',
      pod: { spec: { containers: [container('main', { restartPolicy: 'Never', restartPolicyRules: [rule('Restart', [42])] })] } },
      observed: observe(observedContainer('main', 'exited', { exitCode: 42 })),
      want: ['start regular main'],
    },
    {
      name: 'an exit code that starts all over: who asked comes last',
      pod: {
        spec: {
          initContainers: [container('init')],
          containers: [
            container('main', { restartPolicy: 'Never', restartPolicyRules: [rule('RestartAllContainers', [7])] }),
            container('b'),
          ],
        },
      },
      observed: observe(
        observedContainer('main', 'exited', { exitCode: 7 }),
        observedContainer('b', 'running'),
        observedContainer('init', 'exited'),
      ),
      want: ['reset b', 'reset init', 'reset main'],
    },
  ],
  'init containers': [
    { name: 'the first', pod: inits(container('one'), container('two')), observed: observe(), want: ['start init one'] },
    { name: 'one runs', pod: inits(container('one'), container('two')), observed: observe(observedContainer('one', 'running')), want: [] },
    {
      name: 'the next',
      pod: inits(container('one'), container('two')),
      observed: observe(observedContainer('one', 'exited')),
      want: ['start init two'],
    },
    {
      name: 'the last is done',
      pod: inits(container('one'), container('two')),
      observed: observe(observedContainer('two', 'exited'), observedContainer('one', 'exited')),
      want: ['start regular main'],
    },
    {
      name: 'one failed, and is tried again',
      pod: inits(container('one')),
      observed: observe(observedContainer('one', 'exited', failed)),
      want: ['start init one'],
    },
    {
      name: 'one failed for good',
      pod: { spec: { restartPolicy: 'Never', initContainers: [container('one'), container('two')] } },
      observed: observe(observedContainer('one', 'exited', failed)),
      want: ['kill pod'],
    },
    {
      name: 'they were cleaned away, and the pod goes on',
      pod: inits(container('one')),
      observed: observe(observedContainer('main', 'running')),
      want: [],
    },
    {
      name: 'out of memory is a failure even with exit code 0',
      pod: inits(container('one')),
      observed: observe(observedContainer('one', 'exited', { reason: 'OOMKilled' })),
      want: ['start init one'],
    },
  ],
  sidecars: [
    {
      name: 'one that runs lets the next start',
      pod: inits(sidecar('side'), container('two')),
      observed: observe(observedContainer('side', 'running')),
      want: ['start init two'],
    },
    {
      name: 'its startup probe holds the next back',
      pod: inits(sidecar('side', { startupProbe: {} }), container('two')),
      observed: observe(observedContainer('side', 'running')),
      probes: { 'startup side-0': 'unknown' },
      want: [],
    },
    {
      name: 'its startup probe failed',
      pod: inits(sidecar('side', { startupProbe: {} })),
      observed: observe(observedContainer('side', 'running')),
      probes: { 'startup side-0': 'failure' },
      want: ['kill side: Init container side failed startup probe', 'start init side'],
    },
    {
      name: 'the last one runs: the pod is initialized',
      pod: inits(sidecar('side')),
      observed: observe(observedContainer('side', 'running')),
      want: ['start regular main'],
    },
    {
      name: 'one that ended is started again, beside the regular containers',
      pod: inits(sidecar('side')),
      observed: observe(observedContainer('main', 'running'), observedContainer('side', 'exited')),
      want: ['start init side'],
    },
    {
      name: 'its liveness probe failed',
      pod: inits(sidecar('side', { livenessProbe: {} })),
      observed: observe(observedContainer('main', 'running'), observedContainer('side', 'running')),
      probes: { 'liveness side-0': 'failure' },
      want: ['kill side: Init container side failed liveness probe', 'start init side'],
    },
    {
      name: 'they don’t keep a finished pod alive',
      pod: { spec: { restartPolicy: 'Never', initContainers: [sidecar('side')] } },
      observed: observe(observedContainer('main', 'exited'), observedContainer('side', 'running')),
      want: ['kill pod'],
    },
  ],
  'back-off': [
    {
      name: 'the first failure is forgiven',
      observed: observe(observedContainer('main', 'exited', { ...failed, finishedAtMs: 1000 })),
      nowMs: 1000,
      want: ['start regular main'],
    },
    {
      name: 'the second waits',
      observed: observe(observedContainer('main', 'exited', { ...failed, finishedAtMs: 5000 })),
      backOffs: [[container('main'), { delayMs: 10_000, updatedAtMs: 1000 }]],
      nowMs: 6000,
      want: ['main waits until 15000: back-off 10s restarting failed container=main pod=web_default(uid-1)'],
    },
    {
      name: 'until its time has come',
      observed: observe(observedContainer('main', 'exited', { ...failed, finishedAtMs: 5000 })),
      backOffs: [[container('main'), { delayMs: 10_000, updatedAtMs: 1000 }]],
      nowMs: 15_000,
      want: ['start regular main'],
    },
    {
      name: 'ten minutes of peace make it forgotten',
      observed: observe(observedContainer('main', 'exited', { ...failed, finishedAtMs: 700_000 })),
      backOffs: [[container('main'), { delayMs: 300_000, updatedAtMs: 1000 }]],
      nowMs: 700_001,
      want: ['start regular main'],
    },
    {
      name: 'an init container that waits holds up those after it',
      pod: inits(container('one')),
      observed: observe(observedContainer('one', 'exited', { ...failed, finishedAtMs: 5000 })),
      backOffs: [[container('one'), { delayMs: 20_000, updatedAtMs: 1000 }]],
      nowMs: 6000,
      want: ['one waits until 25000: back-off 20s restarting failed container=one pod=web_default(uid-1)'],
    },
  ],
};

for (const [title, rows] of Object.entries(tables)) {
  describe(`planPod: ${title}`, () => {
    for (const { name, pod, observed, probes = {}, backOffs = [], nowMs = 10, want } of rows) {
      test(name, () => {
        const plan = planPod({
          pod: testPod(pod),
          observed,
          probe: (type, id) => probes[`${type} ${id}`],
          backOffs: new Map(backOffs.map(([c, entry]) => [backOffKey(c), entry])),
          nowMs,
        });
        assert.deepEqual(describePlan(plan), want);
      });
    }
  });
}

test('the delay doubles up to five minutes', () => {
  const main = container('main');
  let entry: BackOffEntry | undefined;
  const delays: number[] = [];
  for (let nowMs = 0; delays.length < 7; nowMs += 301_000) {
    const observed = observe(observedContainer('main', 'exited', { finishedAtMs: nowMs }));
    const backOffs = new Map(entry ? [[backOffKey(main), entry]] : []);
    const plan = planPod({ pod: testPod(), observed, probe: () => undefined, backOffs, nowMs: nowMs + 300_000 });
    entry = plan.start[0]?.backOff?.entry;
    delays.push((entry?.delayMs ?? 0) / 1000);
  }
  assert.deepEqual(delays, [10, 20, 40, 80, 160, 300, 300]);
});
