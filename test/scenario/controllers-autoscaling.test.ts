/** Autoscalers on a ReplicaSet whose load the test decides: what they do over minutes, and what their status says of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HorizontalPodAutoscalerSpec } from '../../src/api/generated/autoscaling-v2.ts';
import { Event, HorizontalPodAutoscaler, Pod, ReplicaSet } from '../../src/api/generated/kinds.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import { errors } from '../../src/api/meta/status-error.ts';
import { formatTime } from '../../src/api/meta/time.ts';
import type { Client } from '../../src/client/client.ts';
import { horizontalPodAutoscaling } from '../../src/control-plane/controllers/autoscaling/horizontal-pod-autoscaler.ts';
import { replicaSetController } from '../../src/control-plane/controllers/workloads/replica-set.ts';
import { type ControlPlane, startControlPlane, testNode } from './control-plane.ts';

const namespace = 'default';
const web = { namespace, name: 'web' };
const selector = { matchLabels: { app: 'web' } };
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web' };
const halfOfCPU = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }];

/** What the metrics APIs say; absent: there is none. */
interface Load {
  /** all pods' together, thousandths of a CPU */
  cpu?: number;
  /** of the external metric `queue` */
  queue?: number;
}

class Autoscaled implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly load: Load;

  private constructor(plane: ControlPlane, load: Load) {
    this.plane = plane;
    this.load = load;
  }

  static async start(
    spec: Partial<HorizontalPodAutoscalerSpec>,
    { replicas = 1, ...load }: Load & { readonly replicas?: number } = {},
  ): Promise<Autoscaled> {
    const given: Load = load;
    const answer = async (client: Client, path: string): Promise<unknown> => {
      const timestamp = formatTime(plane.clock.now());
      if (path.startsWith('/apis/metrics.k8s.io/')) {
        if (given.cpu === undefined) throw errors.pathNotFound();
        const { items } = await client.list(Pod, { namespace });
        const usage = { cpu: `${Math.round(given.cpu / items.length)}m`, memory: '8Mi' };
        return { items: items.map(({ metadata }) => ({ metadata, timestamp, window: '15s', containers: [{ name: 'main', usage }] })) };
      }
      if (given.queue === undefined) throw errors.pathNotFound();
      return { items: [{ metricName: 'queue', timestamp, value: String(given.queue) }] };
    };
    const wrap = (client: Client): Client =>
      new Proxy(client, {
        get: (target, name) =>
          name === 'raw'
            ? (path: string, options?: object) => (path.includes('metrics.k8s.io/') ? answer(client, path) : client.raw(path, options))
            : Reflect.get(target, name).bind(target),
      });
    const plane = await startControlPlane([replicaSetController, horizontalPodAutoscaling(), testNode()], { wrap });
    const containers = [{ name: 'main', image: 'web', resources: { requests: { cpu: '100m' } } }];
    const template = { metadata: { labels: selector.matchLabels }, spec: { containers } };
    await plane.client.create(ReplicaSet, { metadata: web, spec: { replicas, selector, template } });
    await plane.client.create(HorizontalPodAutoscaler, { metadata: web, spec: { scaleTargetRef, maxReplicas: 10, ...spec } });
    await plane.settle();
    return new Autoscaled(plane, given);
  }

  async replicas(): Promise<number> {
    return (await this.plane.client.get(ReplicaSet, web)).spec.replicas ?? 1;
  }

  /** After each look, one every 15 s. */
  async replicasOver(looks: number): Promise<number[]> {
    const seen: number[] = [];
    for (let i = 0; i < looks; i++) {
      await this.plane.tick(15);
      seen.push(await this.replicas());
    }
    return seen;
  }

  async said(type: string): Promise<string> {
    const { status } = await this.plane.client.get(HorizontalPodAutoscaler, web);
    const found = findCondition(status.conditions, type);
    return found ? `${found.status} ${found.reason}: ${found.message}` : 'absent';
  }

  async events(): Promise<string[]> {
    const { items } = await this.plane.client.list(Event, { namespace });
    return items
      .filter(({ involvedObject }) => involvedObject.kind === 'HorizontalPodAutoscaler')
      .map(({ reason, message }) => `${reason}: ${message}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.plane[Symbol.asyncDispose]();
  }
}

test('replicas follow the load: up at once and at most doubled, down when five minutes asked for no more', async () => {
  await using scaled = await Autoscaled.start({ metrics: halfOfCPU }, { cpu: 400 });
  assert.deepEqual(await scaled.replicasOver(6), [4, 8, 8, 8, 8, 8]);
  assert.match(await scaled.said('ScalingActive'), /^True ValidMetricFound: .* from cpu resource utilization \(percentage of request\)$/);
  assert.match(await scaled.said('ScalingLimited'), /^False DesiredWithinRange: /);
  const { status } = await scaled.plane.client.get(HorizontalPodAutoscaler, web);
  assert.deepEqual([status.currentReplicas, status.desiredReplicas], [8, 8]);
  assert.deepEqual(status.currentMetrics?.[0]?.resource, { name: 'cpu', current: { averageUtilization: 50, averageValue: '50m' } });
  assert.ok(
    (await scaled.events()).includes(
      'SuccessfulRescale: New size: 8; reason: cpu resource utilization (percentage of request) above target',
    ),
  );
  scaled.load.cpu = 80;
  assert.deepEqual(await scaled.replicasOver(1), [8]);
  assert.match(await scaled.said('AbleToScale'), /^True ScaleDownStabilized: /);
  await scaled.plane.tick(300);
  assert.equal(await scaled.replicas(), 2);
  assert.ok((await scaled.events()).includes('SuccessfulRescale: New size: 2; reason: All metrics below target'));
});

test('without metrics nothing is done, and it is said why; with them it goes on', async () => {
  await using scaled = await Autoscaled.start({ metrics: halfOfCPU });
  assert.deepEqual(await scaled.replicasOver(1), [1]);
  const why =
    'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)';
  assert.equal(
    await scaled.said('ScalingActive'),
    `False FailedGetResourceMetric: the HPA was unable to compute the replica count: ${why}`,
  );
  assert.deepEqual(
    new Set(await scaled.events()),
    new Set([
      `FailedGetResourceMetric: ${why}`,
      `FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${why}`,
    ]),
  );
  scaled.load.cpu = 150;
  assert.deepEqual((await scaled.replicasOver(2)).at(-1), 3);
});

test('bounds hold without metrics; a target at zero is left alone', async () => {
  await using scaled = await Autoscaled.start({ minReplicas: 3, maxReplicas: 5 }, { replicas: 9 });
  assert.deepEqual(await scaled.replicasOver(1), [5]);
  const scaleTo = (replicas: number) => scaled.plane.client.patch(ReplicaSet, web, { type: 'merge', body: { spec: { replicas } } });
  await scaleTo(1);
  assert.deepEqual(await scaled.replicasOver(1), [3]);
  await scaleTo(0);
  assert.deepEqual(await scaled.replicasOver(2), [0, 0]);
  assert.equal(
    await scaled.said('ScalingActive'),
    'False ScalingDisabled: scaling is disabled since the replica count of the target is zero',
  );
});

test('of several metrics the one that asks for most counts; one that fails lets it go up, not down', async () => {
  const queue = { type: 'External', external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '10' } } };
  await using scaled = await Autoscaled.start({ metrics: [...halfOfCPU, queue] }, { cpu: 100, queue: 40 });
  assert.deepEqual((await scaled.replicasOver(2)).at(-1), 4);
  delete scaled.load.cpu;
  scaled.load.queue = 60;
  assert.deepEqual(await scaled.replicasOver(1), [6]);
  scaled.load.queue = 1;
  await scaled.plane.tick(400);
  assert.equal(await scaled.replicas(), 6);
  assert.match(await scaled.said('ScalingActive'), /^False FailedGetResourceMetric/);
});

test('what is no target, and what two autoscalers want, is told', async () => {
  await using scaled = await Autoscaled.start({ metrics: halfOfCPU, scaleTargetRef: { ...scaleTargetRef, name: 'gone' } }, { cpu: 100 });
  await scaled.plane.tick(15);
  assert.equal(
    await scaled.said('AbleToScale'),
    `False FailedGetScale: the HPA controller was unable to get the target's current scale: replicasets.apps "gone" not found`,
  );
  await scaled.plane.client.patch(HorizontalPodAutoscaler, web, { type: 'merge', body: { spec: { scaleTargetRef } } });
  const second = { metadata: { namespace, name: 'second' }, spec: { scaleTargetRef, maxReplicas: 4, metrics: halfOfCPU } };
  await scaled.plane.client.create(HorizontalPodAutoscaler, second);
  await scaled.plane.tick(45);
  assert.equal(
    await scaled.said('ScalingActive'),
    'False AmbiguousSelector: pods by selector app=web are controlled by multiple HPAs: [{second default} {web default}]',
  );
});

test('however long a target’s selector and however many want it, what is said of it is short', async () => {
  const terms = Array.from({ length: 5000 }, (_, i) => ({ key: `k${i}`, operator: 'DoesNotExist' }));
  await using scaled = await Autoscaled.start({ metrics: halfOfCPU, scaleTargetRef: { ...scaleTargetRef, name: 'long' } });
  const { client } = scaled.plane;
  const labels = { long: 'yes' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'web' }] } };
  const long = { matchLabels: labels, matchExpressions: terms };
  await client.create(ReplicaSet, { metadata: { namespace, name: 'long' }, spec: { replicas: 1, selector: long, template } });
  for (let i = 0; i < 200; i++) {
    const spec = { scaleTargetRef: { ...scaleTargetRef, name: 'long' }, maxReplicas: 4, metrics: halfOfCPU };
    await client.create(HorizontalPodAutoscaler, { metadata: { namespace, name: `a${i}` }, spec });
  }
  await scaled.plane.tick(45);
  assert.match(
    await scaled.said('ScalingActive'),
    /^False AmbiguousSelector: pods by selector .*… are controlled by multiple HPAs: \[{a0 /,
  );
  const said = [...(await scaled.events()), await scaled.said('ScalingActive')];
  assert.ok(Math.max(...said.map(({ length }) => length)) < 1100);
});
