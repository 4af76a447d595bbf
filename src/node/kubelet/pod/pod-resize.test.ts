import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { container, observe, observedContainer, testPod } from '../../../../test/kit/test-pods.ts';
import type { Container, Pod } from '../../../api/generated/core-v1.ts';
import { PodResize } from './pod-resize.ts';

const podWith = (cpu: string, more: Partial<Container> = {}, generation = 1): Pod =>
  testPod({ metadata: { generation }, spec: { containers: [container('main', { resources: { requests: { cpu } }, ...more })] } });
const cpuOf = (pod: Pod): string | undefined => pod.spec.containers[0]?.resources?.requests?.['cpu'];
const running = observe(observedContainer('main', 'running'));
const fits = () => undefined;

describe('PodResize', () => {
  test('a wish that fits is granted, applied, and then done', () => {
    const resize = new PodResize(podWith('1'));
    resize.settle(resize.allocatedPod(podWith('1')), running);
    const wish = podWith('2', {}, 2);
    assert.equal(resize.consider(wish, fits).event?.reason, 'ResizeStarted');
    const allocated = resize.allocatedPod(wish);
    assert.equal(cpuOf(allocated), '2');
    assert.deepEqual(
      resize.conditions().map((c) => [c.type, c.observedGeneration]),
      [['PodResizeInProgress', 2]],
    );
    assert.deepEqual(
      resize.updates(allocated, running).map((u) => u.containerID),
      ['main-0'],
    );
    assert.equal(resize.settle(allocated, running).event, undefined);
    for (const update of resize.updates(allocated, running)) resize.noteActual(update, allocated);
    assert.deepEqual(resize.settle(allocated, running).event, {
      type: 'Normal',
      reason: 'ResizeCompleted',
      message: 'Pod resize completed: {"containers":[{"name":"main","resources":{"requests":{"cpu":"2"}}}],"generation":2}',
    });
    assert.deepEqual(resize.conditions(), []);
  });
  test('what does not fit leaves the pod as it is', () => {
    const resize = new PodResize(podWith('1'));
    const wish = podWith('8');
    const no = (ever: boolean) => () => ({ reason: 'OutOfcpu', message: 'no room', ever });
    assert.equal(resize.consider(wish, no(true)).event?.reason, 'ResizeDeferred');
    assert.equal(resize.consider(wish, no(true)).event, undefined);
    assert.deepEqual([resize.isDeferred, cpuOf(resize.allocatedPod(wish))], [true, '1']);
    assert.equal(resize.consider(wish, no(false)).event?.reason, 'ResizeInfeasible');
    assert.deepEqual(resize.conditions(), [
      { type: 'PodResizePending', status: 'True', observedGeneration: 1, reason: 'Infeasible', message: 'no room' },
    ]);
    assert.deepEqual(resize.consider(podWith('1'), fits), {});
    assert.deepEqual(resize.conditions(), []);
  });
  test('a policy that asks for a restart', () => {
    const policy = { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] };
    const resize = new PodResize(podWith('1', policy));
    resize.settle(resize.allocatedPod(podWith('1', policy)), running);
    resize.consider(podWith('2', policy), fits);
    const allocated = resize.allocatedPod(podWith('2', policy));
    assert.deepEqual([resize.updates(allocated, running), resize.needsRestart(allocated, 'main-0', 'main')], [[], true]);
  });
  test('another kubelet reads from the status what was granted', () => {
    const status = {
      containerStatuses: [
        {
          name: 'main',
          image: '',
          imageID: '',
          ready: true,
          restartCount: 0,
          containerID: 'containerd://main-0',
          allocatedResources: { cpu: '1' },
          resources: { requests: { cpu: '500m' } },
        },
      ],
    };
    const resize = new PodResize({ ...podWith('2'), status });
    const allocated = resize.allocatedPod(podWith('2'));
    assert.equal(cpuOf(allocated), '1');
    assert.equal(resize.updates(allocated, running).length, 1);
  });
  test('the same amount in other words is no wish', () => {
    const resize = new PodResize(podWith('1'));
    assert.deepEqual(
      resize.consider(podWith('1000m'), () => assert.fail()),
      {},
    );
  });

  describe('of the pod as a whole', () => {
    const whole = (limit: string, more: Partial<Pod> = {}): Pod =>
      testPod({
        metadata: { generation: 1 },
        spec: {
          resources: { requests: { cpu: '1' }, limits: { cpu: limit } },
          containers: [container('main'), container('own', { resources: { limits: { cpu: '1' } } })],
        },
        ...more,
      });
    const both = observe(observedContainer('main', 'running'), observedContainer('own', 'running'));
    const limitOf = (pod: Pod): string | undefined => pod.spec.resources?.limits?.['cpu'];

    test('it changes the pod, and those containers that have no limit of their own', () => {
      const resize = new PodResize(whole('2'));
      resize.settle(resize.allocatedPod(whole('2')), both);
      assert.equal(resize.podDiffers(whole('2')), false);
      const wish = whole('4');
      assert.equal(resize.consider(wish, fits).event?.reason, 'ResizeStarted');
      const allocated = resize.allocatedPod(wish);
      assert.deepEqual([limitOf(allocated), limitOf(resize.actualPod(allocated, both)), resize.podDiffers(allocated)], ['4', '2', true]);
      const updates = resize.updates(allocated, both);
      assert.deepEqual(
        updates.map((u) => u.containerID),
        ['main-0'],
      );
      for (const update of updates) resize.noteActual(update, allocated);
      assert.equal(resize.settle(allocated, both).event, undefined);
      resize.noteActualPod(allocated);
      assert.equal(resize.settle(allocated, both).event?.reason, 'ResizeCompleted');
      assert.equal(limitOf(resize.actualPod(allocated, both)), '4');
    });
    test('what does not fit leaves it as it is', () => {
      const resize = new PodResize(whole('2'));
      assert.equal(
        resize.consider(whole('4'), () => ({ reason: 'OutOfcpu', message: 'no room', ever: true })).event?.reason,
        'ResizeDeferred',
      );
      assert.equal(limitOf(resize.allocatedPod(whole('4'))), '2');
    });
    test('another kubelet reads from the status what was granted and what is there, without the overhead', () => {
      const status = { resources: { requests: { cpu: '1100m' }, limits: { cpu: '2100m' } }, allocatedResources: { cpu: '1100m' } };
      const pod = whole('4', { status });
      const resize = new PodResize({ ...pod, spec: { ...pod.spec, overhead: { cpu: '100m' } } });
      const allocated = resize.allocatedPod(pod);
      assert.deepEqual(allocated.spec.resources, { requests: { cpu: '1' }, limits: { cpu: '2' } });
      assert.equal(resize.podDiffers(allocated), false);
    });
  });
});
