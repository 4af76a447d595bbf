import assert from 'node:assert/strict';
import { test } from 'node:test';
import { container, type TestPod, testPod } from '../../../../test/kit/test-pods.ts';
import { seededRandom } from '../../../client/clock.ts';
import { silentLog } from '../../../client/log.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { SimulatedRuntime } from '../../runtime/simulated-runtime.ts';
import { endPods } from './end-pods.ts';
import { annotationsOfContainer, labelsOfContainer, labelsOfPod } from './runtime-labels.ts';

const rows: readonly { name: string; pods: readonly TestPod[]; stopAfter: string; wantSeconds: number; exitCode: number }[] = [
  { name: 'no pod', pods: [], stopAfter: '0s', wantSeconds: 0, exitCode: 0 },
  {
    name: 'its own grace, and the two seconds that every pod has',
    pods: [{ spec: { terminationGracePeriodSeconds: 1 } }],
    stopAfter: '1h',
    wantSeconds: 2,
    exitCode: 137,
  },
  { name: 'its own grace', pods: [{ spec: { terminationGracePeriodSeconds: 4 } }], stopAfter: '1h', wantSeconds: 4, exitCode: 137 },
  { name: 'the node’s bound', pods: [{ spec: { terminationGracePeriodSeconds: 3600 } }], stopAfter: '1h', wantSeconds: 10, exitCode: 137 },
  {
    name: 'what is left of a deletion',
    pods: [{ spec: { terminationGracePeriodSeconds: 30 }, metadata: { deletionGracePeriodSeconds: 3 } }],
    stopAfter: '1h',
    wantSeconds: 3,
    exitCode: 137,
  },
  { name: 'no longer than it takes', pods: [{}], stopAfter: '1s', wantSeconds: 1, exitCode: 0 },
  {
    name: 'its preStop hook first, out of the same grace',
    pods: [{ spec: { containers: [container('main', { lifecycle: { preStop: { sleep: { seconds: 3 } } } })] } }],
    stopAfter: '1s',
    wantSeconds: 4,
    exitCode: 0,
  },
  {
    name: 'all side by side',
    pods: [1, 5, 7].map((seconds) => ({ spec: { terminationGracePeriodSeconds: seconds } })),
    stopAfter: '1h',
    wantSeconds: 7,
    exitCode: 137,
  },
];
for (const { name, pods, stopAfter, wantSeconds, exitCode } of rows) {
  test(`a node that shuts down gives its pods: ${name}`, async () => {
    const clock = new VirtualClock();
    const runtime = new SimulatedRuntime({ clock, random: seededRandom(1), podCidr: '10.1.0.0/24' });
    const ids = [];
    for (const [i, given] of pods.entries()) {
      const pod = testPod({ ...given, metadata: { ...given.metadata, name: `web-${i}`, uid: `uid-${i}` } });
      ids.push(await run(runtime, clock, pod, { 'timonier.dev/stop-after': stopAfter }));
    }
    const begunMs = clock.monotonic();
    let tookMs: number | undefined;
    const ended = endPods({ runtime, clock, log: silentLog }, 10).then(() => {
      tookMs = clock.monotonic() - begunMs;
    });
    await clock.advance(60_000);
    await ended;
    assert.equal(tookMs, wantSeconds * 1000);
    for (const id of ids) {
      const { state, exitCode: code } = await runtime.containerStatus(id);
      assert.deepEqual([state, code], ['CONTAINER_EXITED', exitCode]);
    }
    assert.ok((await runtime.listPodSandbox()).every(({ state }) => state === 'SANDBOX_NOTREADY'));
  });
}

async function run(runtime: SimulatedRuntime, clock: VirtualClock, pod: ReturnType<typeof testPod>, annotations: Record<string, string>) {
  const [main] = pod.spec.containers;
  assert.ok(main);
  const { name, namespace = '', uid } = pod.metadata;
  const sandboxConfig = { metadata: { name, namespace, uid }, labels: labelsOfPod(pod), annotations };
  await runtime.pullImage({ image: 'image:1' });
  const podSandboxId = await runtime.runPodSandbox(sandboxConfig);
  const config = {
    metadata: { name: main.name },
    image: { image: 'image:1' },
    labels: labelsOfContainer(pod, main),
    annotations: annotationsOfContainer(pod, main, 0),
  };
  const id = await runtime.createContainer({ podSandboxId, sandboxConfig, config });
  const started = runtime.startContainer(id);
  await clock.advance(1000);
  await started;
  return id;
}
