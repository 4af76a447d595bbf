/** Which pods the scheduler takes, what makes it try them again, and what it does when a binding goes wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Node, Pod } from '../../src/api/generated/kinds.ts';
import { errors } from '../../src/api/meta/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import type { SchedulerMetrics } from '../../src/control-plane/scheduler/scheduler-metrics.ts';
import { requests, startSchedulerCluster } from './scheduler-cluster.ts';

/** Counts tries by their result. */
class Tries implements SchedulerMetrics {
  readonly results: string[] = [];
  attempted(result: string): void {
    this.results.push(result);
  }
  decided(): void {}
  scheduled(): void {}
  preemptionTried(): void {}
  preempted(): void {}
  watchQueue(): void {}
}

/** A client whose next bindings are met by `meet`, which may throw. */
const bindingsMet =
  (meet: (name: string) => Promise<void>) =>
  (client: Client): Client =>
    new Proxy(client, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (property !== 'post') return typeof value === 'function' ? value.bind(target) : value;
        return async (...parameters: Parameters<Client['post']>) => {
          if (parameters[2] === 'binding') await meet(parameters[1].name);
          return target.post(...parameters);
        };
      },
    });

const bindTo = (client: Client, name: string, nodeName: string) =>
  client.post(Pod, { namespace: 'default', name }, 'binding', {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name },
    target: { kind: 'Node', name: nodeName },
  });

test('the most important pod is placed first', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.pod('low', { ...requests('3'), priority: 1 });
  await cluster.pod('high', { ...requests('3'), priority: 9 });
  await cluster.settle();
  await cluster.node('a');
  await cluster.settle(1000);
  assert.deepEqual([await cluster.nodeOf('high'), await cluster.nodeOf('low')], ['a', undefined]);
});

test('without any node a pod says so once, and waits', async () => {
  const tries = new Tries();
  await using cluster = await startSchedulerCluster({ metrics: tries });
  await cluster.pod('p');
  await cluster.settle(60_000);
  assert.equal((await cluster.scheduled('p'))?.message, 'no nodes available to schedule pods');
  assert.deepEqual(tries.results, ['unschedulable']);
  await cluster.node('a');
  await cluster.settle();
  assert.equal(await cluster.nodeOf('p'), 'a');
});

test('gates hold a pod back; pods of other schedulers are left alone', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a');
  await cluster.pod('gated', { schedulingGates: [{ name: 'example.com/wait' }] });
  await cluster.pod('foreign', { schedulerName: 'other' });
  await cluster.settle(1000);
  assert.deepEqual([await cluster.nodeOf('gated'), await cluster.nodeOf('foreign')], [undefined, undefined]);
  assert.equal((await cluster.scheduled('gated'))?.reason, 'SchedulingGated');
  assert.equal(cluster.scheduler.pending.gated, 1);
  await cluster.client.patch(Pod, { namespace: 'default', name: 'gated' }, { type: 'merge', body: { spec: { schedulingGates: null } } });
  await cluster.settle();
  assert.equal(await cluster.nodeOf('gated'), 'a');
  assert.equal((await cluster.scheduled('gated'))?.status, 'True');
});

test('a pod that names its node takes its room there', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a');
  await cluster.pod('placed', { ...requests('3'), nodeName: 'a' });
  await cluster.pod('p', requests('2'));
  await cluster.settle(100);
  assert.equal(await cluster.nodeOf('p'), undefined);
  await cluster.remove('placed');
  await cluster.settle();
  assert.equal(await cluster.nodeOf('p'), 'a');
});

test('a finished pod leaves its room', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a');
  await cluster.pod('done', requests('3'));
  await cluster.settle();
  await cluster.pod('p', requests('3'));
  await cluster.settle(100);
  const status = { phase: 'Succeeded' };
  await cluster.client.patch(Pod, { namespace: 'default', name: 'done' }, { type: 'merge', body: { status } }, { subresource: 'status' });
  await cluster.settle();
  assert.equal(await cluster.nodeOf('p'), 'a');
});

test('a pod is tried again for what may help it, and for nothing else', async () => {
  const tries = new Tries();
  await using cluster = await startSchedulerCluster({ metrics: tries });
  await cluster.node('a', { cpu: '1' });
  await cluster.pod('p', requests('2'));
  await cluster.pod('other', requests('500m'));
  await cluster.settle(2000);
  assert.deepEqual(tries.results.sort(), ['scheduled', 'unschedulable']);
  await cluster.changeNode('a', { metadata: { labels: { color: 'blue' } }, spec: { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] } });
  await cluster.changeNode('a', { metadata: { annotations: { note: 'x' } } });
  await cluster.settle(2000);
  assert.equal(tries.results.length, 2, 'labels, taints and heartbeats make no room');
  const status = { allocatable: { cpu: '1500m', memory: '8Gi', pods: '110' } };
  await cluster.client.patch(Node, { name: 'a' }, { type: 'merge', body: { status } }, { subresource: 'status' });
  await cluster.settle(2000);
  assert.equal(tries.results.length, 2, 'more, but still not enough');
  await cluster.client.patch(
    Node,
    { name: 'a' },
    { type: 'merge', body: { status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } } } },
    { subresource: 'status' },
  );
  await cluster.settle(2000);
  assert.equal(await cluster.nodeOf('p'), 'a');
});

test('an uncordoned node, a toleration, a label: each helps the pod that waits for it', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('cordoned', { unschedulable: true });
  await cluster.node('tainted', { taints: [{ key: 'k', effect: 'NoSchedule' }] });
  await cluster.node('plain', { cpu: '1', labels: { disk: 'hdd' } });
  await cluster.pod('uncordon', requests('2'));
  await cluster.pod('tolerate', requests('2'));
  await cluster.pod('label', { ...requests('100m'), nodeSelector: { disk: 'ssd' } });
  await cluster.settle(2000);
  const tolerations = [...((await cluster.get('tolerate')).spec.tolerations ?? []), { key: 'k', operator: 'Exists' }];
  await cluster.client.patch(Pod, { namespace: 'default', name: 'tolerate' }, { type: 'merge', body: { spec: { tolerations } } });
  await cluster.settle();
  assert.equal(await cluster.nodeOf('tolerate'), 'tainted');
  await cluster.changeNode('plain', { metadata: { labels: { disk: 'ssd' } } });
  await cluster.settle();
  assert.equal(await cluster.nodeOf('label'), 'plain');
  await cluster.changeNode('cordoned', { spec: { unschedulable: null } });
  await cluster.settle();
  assert.equal(await cluster.nodeOf('uncordon'), 'cordoned');
});

test('the transition of the condition stays when only the message changes', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a', { cpu: '1' });
  await cluster.pod('p', requests('2'));
  await cluster.settle(5000);
  const first = await cluster.scheduled('p');
  await cluster.node('b', { cpu: '8', taints: [{ key: 'k', effect: 'NoSchedule' }] });
  await cluster.settle(5000);
  const second = await cluster.scheduled('p');
  assert.match(second?.message ?? '', /^0\/2 nodes/);
  assert.equal(second?.lastTransitionTime, first?.lastTransitionTime);
  await cluster.changeNode('b', { spec: { taints: null } });
  await cluster.settle(5000);
  const third = await cluster.scheduled('p');
  assert.equal(third?.status, 'True');
  assert.notEqual(third.lastTransitionTime, first?.lastTransitionTime);
});

test('a binding that fails is tried again, and its room is free meanwhile', async () => {
  let fails = 1;
  const wrap = bindingsMet(async () => {
    if (fails-- > 0) throw errors.serviceUnavailable('the store is away');
  });
  await using cluster = await startSchedulerCluster({ wrap });
  await cluster.node('a');
  await cluster.pod('p', requests('3'));
  await cluster.settle(100);
  const condition = await cluster.scheduled('p');
  assert.deepEqual([condition?.reason, condition?.message], ['SchedulerError', 'running Bind plugin "DefaultBinder": the store is away']);
  assert.deepEqual(await cluster.events('p'), [`FailedScheduling: ${condition?.message}`]);
  await cluster.pod('q', requests('3'));
  await cluster.settle(100);
  assert.equal(await cluster.nodeOf('q'), 'a');
  await cluster.node('b');
  await cluster.settle(1000);
  assert.equal(await cluster.nodeOf('p'), 'b');
});

test('a pod that somebody else binds first is where that one put it', async () => {
  const gate = Promise.withResolvers<void>();
  const wrap = bindingsMet((name) => (name === 'p' ? gate.promise : Promise.resolve()));
  await using cluster = await startSchedulerCluster({ wrap });
  await cluster.node('a');
  await cluster.node('b', { labels: { other: 'true' }, taints: [{ key: 'k', effect: 'NoSchedule' }] });
  await cluster.pod('p', requests('3'));
  await cluster.settle();
  await bindTo(cluster.client, 'p', 'b');
  gate.resolve();
  await cluster.settle(1000);
  assert.equal(await cluster.nodeOf('p'), 'b');
  assert.deepEqual(cluster.scheduler.pending, { active: 0, backOff: 0, unschedulable: 0, gated: 0 });
  await cluster.pod('q', requests('3'));
  await cluster.settle();
  assert.equal(await cluster.nodeOf('q'), 'a', 'the room that was meant for the first is free');
  assert.equal((await cluster.events('p')).length, 0);
});

test('a pod that is deleted while it is bound leaves nothing behind', async () => {
  const gate = Promise.withResolvers<void>();
  const wrap = bindingsMet((name) => (name === 'p' ? gate.promise : Promise.resolve()));
  await using cluster = await startSchedulerCluster({ wrap });
  await cluster.node('a');
  await cluster.pod('p', requests('3'));
  await cluster.settle();
  await cluster.remove('p');
  await cluster.pod('q', requests('3'));
  await cluster.settle();
  assert.equal(await cluster.nodeOf('q'), 'a', 'before the binding has failed');
  gate.resolve();
  await cluster.settle(20_000);
  assert.deepEqual(cluster.scheduler.pending, { active: 0, backOff: 0, unschedulable: 0, gated: 0 });
});

test('a node that goes away while a pod is bound to it takes the pod along', async () => {
  const gate = Promise.withResolvers<void>();
  const wrap = bindingsMet((name) => (name === 'p' ? gate.promise : Promise.resolve()));
  await using cluster = await startSchedulerCluster({ wrap });
  await cluster.node('a');
  await cluster.pod('p', requests('3'));
  await cluster.settle();
  await cluster.client.delete(Node, { name: 'a' });
  await cluster.pod('q', requests('3'));
  await cluster.settle();
  gate.resolve();
  await cluster.settle();
  assert.deepEqual([await cluster.nodeOf('p'), await cluster.nodeOf('q')], ['a', undefined]);
  await cluster.node('a');
  await cluster.settle(2000);
  assert.equal(await cluster.nodeOf('q'), undefined, 'the first is still there');
  await cluster.remove('p');
  await cluster.settle(2000);
  assert.equal(await cluster.nodeOf('q'), 'a');
});

test('a pod made anew under the same name is another pod', async () => {
  const gate = Promise.withResolvers<void>();
  let held = true;
  const wrap = bindingsMet(async () => {
    if (!held) return;
    held = false;
    await gate.promise;
  });
  await using cluster = await startSchedulerCluster({ wrap });
  await cluster.node('a');
  await cluster.pod('p', requests('3'));
  await cluster.settle();
  await cluster.remove('p');
  await cluster.pod('p', requests('2'));
  gate.resolve();
  await cluster.settle(20_000);
  assert.equal(await cluster.nodeOf('p'), 'a');
  await cluster.pod('q', requests('2'));
  await cluster.settle();
  assert.equal(await cluster.nodeOf('q'), 'a', 'only the second counts');
});

test('a pod whose deletion has begun is not placed', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.client.create(Pod, {
    metadata: { name: 'p', namespace: 'default', finalizers: ['example.com/hold'] },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  });
  await cluster.client.delete(Pod, { namespace: 'default', name: 'p' });
  await cluster.node('a');
  await cluster.settle(2000);
  assert.equal(await cluster.nodeOf('p'), undefined);
  assert.ok((await cluster.events('p')).includes('FailedScheduling: skip schedule deleting pod: default/p'));
});

test('what a node is thought of can be asked', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a', { cpu: '1' });
  await cluster.node('b');
  const pod = await cluster.pod('p', { ...requests('2'), schedulerName: 'none' });
  await cluster.settle();
  assert.deepEqual(cluster.scheduler.explain(pod), [
    { nodeName: 'a', plugin: 'NodeResourcesFit', reasons: ['Insufficient cpu'] },
    { nodeName: 'b', plugin: undefined, reasons: [] },
  ]);
});

test('a stopped scheduler leaves no timer', async () => {
  const cluster = await startSchedulerCluster();
  await cluster.pod('p');
  await cluster.settle();
  await cluster.restart();
  await cluster.settle();
  const { clock, scheduler } = cluster;
  const before = clock.pending;
  await scheduler[Symbol.asyncDispose]();
  assert.equal(clock.pending, before - 1);
  await cluster[Symbol.asyncDispose]();
});
