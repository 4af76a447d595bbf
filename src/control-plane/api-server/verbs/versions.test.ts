/** Kinds that are served in several versions, or with a life of their own in the store. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as kinds from '../../../api/generated/kinds.ts';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import type { KindRef, KubeObject, New } from '../../../api/meta/object.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { seededRandom } from '../../../client/clock.ts';
import { silentLog } from '../../../client/log.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { openMemoryStore } from '../../store/memory-store.ts';
import { createApiServer } from '../api-server.ts';

const coreEvents: KindRef = { group: '', version: 'v1', kind: 'Event', resource: 'events', namespaced: true };
const newEvents: KindRef = { group: 'events.k8s.io', version: 'v1', kind: 'Event', resource: 'events', namespaced: true };
const scalersV1: KindRef = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  namespaced: true,
};
const at = { namespace: 'default', name: 'a' };

const event = {
  metadata: at,
  regarding: { kind: 'Pod', namespace: 'default', name: 'p' },
  reason: 'Tested',
  action: 'Test',
  type: 'Normal',
  reportingController: 'example.com/tester',
  reportingInstance: 'tester-1',
  eventTime: '2026-01-01T00:00:00.000000Z',
  note: 'hello',
} as unknown as New<KubeObject>;

async function start() {
  const stack = new AsyncDisposableStack();
  const clock = new VirtualClock();
  const storage = stack.use(openMemoryStore({ clock }));
  const server = stack.use(await createApiServer({ storage, registry: builtInRegistry(), clock, random: seededRandom(1), log: silentLog }));
  return { clock, client: server.loopback, server, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it('shows an event in both of its groups, in the words of each', async () => {
  await using running = await start();
  const { client } = running;
  const watching = client.watch(coreEvents, { resourceVersion: '1', fieldSelector: 'involvedObject.name=p' })[Symbol.asyncIterator]();
  const seen = watching.next();
  await client.create(newEvents, event);
  const inCore = (await client.get(coreEvents, at)) as KubeObject & {
    readonly message?: string;
    readonly involvedObject?: { readonly name?: string };
  };
  assert.deepEqual([inCore.apiVersion, inCore.message, inCore.involvedObject?.name], ['v1', 'hello', 'p']);
  assert.deepEqual((await seen).value?.object, inCore);
  const { items } = await client.list(newEvents, { fieldSelector: 'regarding.name=p' });
  assert.deepEqual(
    items.map((item) => [item.apiVersion, (item as { note?: string }).note]),
    [['events.k8s.io/v1', 'hello']],
  );
  await watching.return?.();
});

it('forgets events after their time, on the store of leases', async () => {
  await using running = await start();
  const { client, clock } = running;
  await client.create(newEvents, event);
  await clock.advance(3_590_000);
  await client.get(coreEvents, at);
  await clock.advance(80_000);
  await assert.rejects(client.get(coreEvents, at), isNotFound);
});

it('stores an autoscaler once, whatever version wrote it', async () => {
  await using running = await start();
  const { client, server } = running;
  const spec = {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
    maxReplicas: 3,
    targetCPUUtilizationPercentage: 50,
  };
  await client.create(scalersV1, { metadata: at, spec } as New<KubeObject>);
  const inV2 = await client.get(kinds.HorizontalPodAutoscaler, at);
  assert.equal(inV2.apiVersion, 'autoscaling/v2');
  assert.equal(inV2.spec.metrics?.[0]?.resource?.target.averageUtilization, 50);
  await client.update(kinds.HorizontalPodAutoscaler, { ...inV2, spec: { ...inV2.spec, maxReplicas: 5 } });
  const inV1 = (await client.get(scalersV1, at)) as KubeObject & { readonly spec: { readonly maxReplicas: number } };
  assert.equal(inV1.spec.maxReplicas, 5);
  assert.deepEqual(server.reader.get(scalersV1, at), inV1);
  const again = await client.update(scalersV1, inV1);
  assert.equal(again.metadata.resourceVersion, inV1.metadata.resourceVersion);
});
