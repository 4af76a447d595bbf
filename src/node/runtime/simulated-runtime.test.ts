import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { seededRandom } from '../../client/clock.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { isRuntimeError, runsToCompletionAnnotation } from './container-runtime.ts';
import type { StringMap } from './cri-types.ts';
import { SimulatedRuntime } from './simulated-runtime.ts';

describe('SimulatedRuntime', () => {
  let clock: VirtualClock;
  let runtime: SimulatedRuntime;

  beforeEach(async () => {
    clock = new VirtualClock();
    runtime = new SimulatedRuntime({ clock, random: seededRandom(1), podCidr: '10.1.0.0/29' });
    await runtime.pullImage({ image: 'app' });
  });

  const runPod = async (annotations: StringMap = {}, ofContainer: StringMap = {}) => {
    const sandboxConfig = { metadata: { name: 'pod', namespace: 'default', uid: 'uid' }, annotations };
    const podSandboxId = await runtime.runPodSandbox(sandboxConfig);
    const config = { metadata: { name: 'main' }, image: { image: 'app' }, annotations: ofContainer };
    const containerId = await runtime.createContainer({ podSandboxId, sandboxConfig, config });
    const started = runtime.startContainer(containerId);
    // the refusal of a start is awaited by whoever expects it
    started.catch(() => undefined);
    return { podSandboxId, containerId, started };
  };
  const stateOf = async (containerId: string): Promise<string> => (await runtime.containerStatus(containerId)).state;

  it('runs after its delay, and needs no timer while it runs', async () => {
    const { containerId, started } = await runPod({ 'timonier.dev/start-delay': '3s' });
    await clock.advance(2999);
    assert.equal(await stateOf(containerId), 'CONTAINER_CREATED');
    await clock.advance(1);
    await started;
    assert.equal(await stateOf(containerId), 'CONTAINER_RUNNING');
    assert.equal(clock.pending, 0);
    await clock.advance(1e9);
    assert.equal(await stateOf(containerId), 'CONTAINER_RUNNING');
  });

  it('ends what is expected to end', async () => {
    const { containerId } = await runPod({}, { [runsToCompletionAnnotation]: 'true' });
    await clock.advance(1100);
    const { state, exitCode, startedAt, finishedAt } = await runtime.containerStatus(containerId);
    assert.deepEqual([state, exitCode, (finishedAt - startedAt) / 1e6], ['CONTAINER_EXITED', 0, 1000]);
    assert.equal(clock.pending, 0);
  });

  it('can refuse to start', async () => {
    const { containerId, started } = await runPod({ 'timonier.dev/start-error': 'exec: "nope": not found' });
    const refused = assert.rejects(started, /exec: "nope": not found/);
    await clock.advance(100);
    await refused;
    assert.equal((await runtime.containerStatus(containerId)).exitCode, 128);
  });

  it('takes its time to stop, but not more than the grace period', async () => {
    for (const { gracePeriodSeconds, want } of [
      { gracePeriodSeconds: 30, want: 0 },
      { gracePeriodSeconds: 1, want: 137 },
    ]) {
      const { containerId, podSandboxId } = await runPod({ 'timonier.dev/stop-after': '2s' });
      await clock.advance(100);
      const stopped = runtime.stopContainer(containerId, gracePeriodSeconds);
      await clock.advance(999);
      assert.equal(await stateOf(containerId), 'CONTAINER_RUNNING');
      await clock.advance(1001);
      await stopped;
      assert.equal((await runtime.containerStatus(containerId)).exitCode, want);
      await runtime.removePodSandbox(podSandboxId);
    }
  });

  it('stopped while it starts, it never runs', async () => {
    const { containerId, started } = await runPod();
    await runtime.stopContainer(containerId, 0);
    await clock.advance(100);
    await started;
    assert.equal(await stateOf(containerId), 'CONTAINER_EXITED');
  });

  it('refuses images of the registries that are there to fail', async () => {
    await assert.rejects(runtime.pullImage({ image: 'not-found.timonier.dev/app' }), (error) => isRuntimeError(error, 'NotFound'));
    await assert.rejects(runtime.pullImage({ image: 'denied.timonier.dev/app' }), (error) => isRuntimeError(error, 'PermissionDenied'));
    assert.equal(await runtime.imageStatus('denied.timonier.dev/app'), undefined);
  });

  it('hands out every address of its range, and the ones given back', async () => {
    const pods = await Promise.all([1, 2, 3, 4, 5].map(() => runPod()));
    await assert.rejects(runPod(), (error) => isRuntimeError(error, 'ResourceExhausted'));
    const addresses = await Promise.all(pods.map(async ({ podSandboxId }) => (await runtime.podSandboxStatus(podSandboxId)).network?.ip));
    assert.deepEqual(addresses, ['10.1.0.2', '10.1.0.3', '10.1.0.4', '10.1.0.5', '10.1.0.6']);
    await runtime.removePodSandbox(pods[2]?.podSandboxId ?? '');
    const { podSandboxId } = await runPod();
    assert.equal((await runtime.podSandboxStatus(podSandboxId)).network?.ip, '10.1.0.4');
  });

  it('has no network before it has a range', async () => {
    const bare = new SimulatedRuntime({ clock, random: seededRandom(1) });
    const ready = async (): Promise<boolean | undefined> =>
      (await bare.status()).conditions.find(({ type }) => type === 'NetworkReady')?.status;
    assert.equal(await ready(), false);
    await assert.rejects(bare.runPodSandbox({ metadata: { name: 'pod', namespace: 'default', uid: 'uid' } }));
    await bare.updatePodCidr('10.2.0.0/24,fd00::/64');
    assert.equal(await ready(), true);
  });

  it('answers probes by the time since the start', async () => {
    const { containerId } = await runPod({ 'timonier.dev/probe': 'fail-after=10s' });
    assert.throws(() => runtime.simulation.probe({ containerId, type: 'liveness' }));
    await clock.advance(100);
    assert.equal(runtime.simulation.probe({ containerId, type: 'liveness' }).success, true);
    await clock.advance(10_000);
    assert.equal(runtime.simulation.probe({ containerId, type: 'liveness' }).success, false);
  });

  it('has logs, and ends following them when the container ends', async () => {
    const { containerId } = await runPod({ 'timonier.dev/log': 'one\ntwo', 'timonier.dev/run-for': '5s' });
    await clock.advance(100);
    const read = (async () => {
      const lines: string[] = [];
      for await (const part of runtime.simulation.logs(containerId, { follow: true })) lines.push(part.toString());
      return lines.join('');
    })();
    await clock.advance(5000);
    assert.equal(await read, '2026-01-01T00:00:00.100000000Z stdout F one\n2026-01-01T00:00:00.100000000Z stdout F two\n');
  });

  it('uses processor time while it runs', async () => {
    const { containerId } = await runPod({ 'timonier.dev/cpu': '500m', 'timonier.dev/run-for': '10s' });
    await clock.advance(5100);
    assert.equal((await runtime.containerStats(containerId)).cpu?.usageCoreNanoSeconds?.value, 2.5e9);
    await clock.advance(60_000);
    assert.equal((await runtime.containerStats(containerId)).cpu?.usageCoreNanoSeconds?.value, 5e9);
  });

  it('leaves no timer', async () => {
    await runPod({ 'timonier.dev/run-for': '1h' });
    await clock.advance(100);
    assert.equal(clock.pending, 1);
    await runtime[Symbol.asyncDispose]();
    assert.equal(clock.pending, 0);
  });
});
