/** Pods that make room for more important ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pod, PodDisruptionBudget } from '../../src/api/generated/kinds.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import { errors } from '../../src/api/meta/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import { requests, type SchedulerCluster, startSchedulerCluster } from './scheduler-cluster.ts';

const low = (cpu: string) => ({ ...requests(cpu), priority: 1 });
const high = (cpu: string) => ({ ...requests(cpu), priority: 100 });
const nominated = async (cluster: SchedulerCluster, name: string) => (await cluster.get(name)).status.nominatedNodeName;

test('a victim is told why, keeps its grace period, and then its room is used', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a');
  await cluster.pod('victim', low('3'));
  await cluster.settle();
  await cluster.pod('urgent', high('2'));
  await cluster.settle(1000);
  const victim = await cluster.get('victim');
  const condition = findCondition(victim.status.conditions, 'DisruptionTarget');
  assert.ok(victim.metadata.deletionTimestamp);
  assert.equal(victim.metadata.deletionGracePeriodSeconds, 30);
  assert.deepEqual(
    [condition?.status, condition?.reason, condition?.message],
    ['True', 'PreemptionByScheduler', 'default-scheduler: preempting to accommodate a higher priority pod'],
  );
  const urgent = await cluster.get('urgent');
  assert.deepEqual((await cluster.events('victim')).slice(1), [`Preempted: Preempted by pod ${urgent.metadata.uid} on node a`]);
  assert.equal(urgent.status.nominatedNodeName, 'a');
  assert.equal(urgent.spec.nodeName, undefined);
  assert.equal((await cluster.scheduled('urgent'))?.message, '0/1 nodes are available: 1 Insufficient cpu.');
  await cluster.remove('victim');
  await cluster.settle();
  assert.equal(await cluster.nodeOf('urgent'), 'a');
  assert.equal(await nominated(cluster, 'urgent'), undefined, 'it waits for nothing any more');
});

test('room that was made for one pod is not taken by a lesser one', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a');
  await cluster.pod('victim', low('4'));
  await cluster.settle();
  await cluster.pod('urgent', high('3'));
  await cluster.settle(1000);
  await cluster.pod('sneaky', { ...requests('2'), priority: 50 });
  await cluster.pod('small', { ...requests('1'), priority: 50 });
  await cluster.settle(1000);
  await cluster.remove('victim');
  await cluster.settle(1000);
  assert.deepEqual([await cluster.nodeOf('urgent'), await cluster.nodeOf('sneaky'), await cluster.nodeOf('small')], ['a', undefined, 'a']);
});

test('while the victims leave, nobody else has to', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a', { cpu: '2' });
  await cluster.node('b', { cpu: '2' });
  await cluster.pod('v1', low('2'));
  await cluster.pod('v2', low('2'));
  await cluster.settle();
  await cluster.pod('urgent', high('2'));
  await cluster.settle(1000);
  await cluster.changeNode('a', { metadata: { labels: { x: 'y' } } });
  await cluster.settle(6 * 60_000);
  const leaving = (await Promise.all([cluster.get('v1'), cluster.get('v2')])).filter(({ metadata }) => metadata.deletionTimestamp);
  assert.equal(leaving.length, 1);
  assert.match((await cluster.scheduled('urgent'))?.message ?? '', /not eligible due to a terminating pod on the nominated node\.$/);
});

test('preemptionPolicy Never only waits at the head of the queue', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a');
  await cluster.pod('there', low('3'));
  await cluster.settle();
  await cluster.pod('patient', { ...high('3'), preemptionPolicy: 'Never' });
  await cluster.pod('lesser', { ...requests('3'), priority: 1 });
  await cluster.settle(1000);
  assert.match((await cluster.scheduled('patient'))?.message ?? '', /preemption: not eligible due to preemptionPolicy=Never\.$/);
  assert.equal((await cluster.get('there')).metadata.deletionTimestamp, undefined);
  await cluster.remove('there');
  await cluster.settle();
  assert.deepEqual([await cluster.nodeOf('patient'), await cluster.nodeOf('lesser')], ['a', undefined]);
});

test('a more important pod takes the place that a lesser one waited for', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a');
  await cluster.pod('victim', low('4'));
  await cluster.settle();
  await cluster.pod('urgent', high('4'));
  await cluster.settle(1000);
  assert.equal(await nominated(cluster, 'urgent'), 'a');
  await cluster.pod('critical', { ...requests('4'), priority: 1000 });
  await cluster.settle(1000);
  assert.equal(await nominated(cluster, 'critical'), 'a');
  await cluster.remove('victim');
  await cluster.settle(1000);
  assert.deepEqual([await cluster.nodeOf('critical'), await cluster.nodeOf('urgent')], ['a', undefined]);
  assert.equal(await nominated(cluster, 'urgent'), undefined);
});

test('the pod that waits is gone: those behind it get the room', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a');
  await cluster.pod('victim', low('3'));
  await cluster.settle();
  await cluster.pod('urgent', high('3'));
  await cluster.settle(1000);
  await cluster.remove('victim');
  await cluster.remove('urgent');
  await cluster.pod('next', low('3'));
  await cluster.settle(1000);
  assert.equal(await cluster.nodeOf('next'), 'a');
});

test('budgets are kept where there is a choice', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a');
  await cluster.node('b');
  const pinned = (nodeName: string) => ({ ...low('3'), nodeName });
  await cluster.pod('guarded', pinned('a'), { app: 'db' });
  await cluster.pod('free', { ...pinned('b'), priority: 50 });
  await cluster.client.create(PodDisruptionBudget, {
    metadata: { name: 'db', namespace: 'default' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'db' } } },
  });
  await cluster.settle();
  await cluster.pod('urgent', high('3'));
  await cluster.settle(1000);
  assert.equal((await cluster.get('guarded')).metadata.deletionTimestamp, undefined);
  assert.ok((await cluster.get('free')).metadata.deletionTimestamp);
});

test('a scheduler that starts anew knows who waits for what', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a');
  await cluster.pod('victim', low('4'));
  await cluster.settle();
  await cluster.pod('urgent', high('3'));
  await cluster.settle(1000);
  await cluster.restart();
  await cluster.pod('sneaky', { ...requests('2'), priority: 50 });
  await cluster.settle(1000);
  await cluster.remove('victim');
  await cluster.settle(1000);
  assert.deepEqual([await cluster.nodeOf('urgent'), await cluster.nodeOf('sneaky')], ['a', undefined]);
});

test('a preemption that fails is tried again', async () => {
  let fails = 1;
  const wrap = (client: Client): Client =>
    new Proxy(client, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (property !== 'delete') return typeof value === 'function' ? value.bind(target) : value;
        return (...parameters: Parameters<Client['delete']>) =>
          fails-- > 0 ? Promise.reject(errors.serviceUnavailable('later')) : target.delete(...parameters);
      },
    });
  await using cluster = await startSchedulerCluster({ wrap });
  await cluster.node('a');
  await cluster.pod('victim', low('3'));
  await cluster.settle();
  await cluster.pod('urgent', high('3'));
  await cluster.settle(2000);
  assert.ok((await cluster.get('victim')).metadata.deletionTimestamp);
  await cluster.client.delete(Pod, { namespace: 'default', name: 'victim' }, { gracePeriodSeconds: 0 });
  await cluster.settle(1000);
  assert.equal(await cluster.nodeOf('urgent'), 'a');
});
