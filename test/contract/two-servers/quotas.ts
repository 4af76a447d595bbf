/** Clients that make and delete what a quota counts, while its limits change; and what it says in the end. */
import assert from 'node:assert/strict';
import { ConfigMap, Namespace, Pod, ResourceQuota, ServiceAccount } from '../../../src/api/generated/kinds.ts';
import { quantityMilliValue } from '../../../src/api/meta/quantity.ts';
import type { Client } from '../../../src/client/client.ts';
import { attempt, expectGone, expectSeen, type World } from './world.ts';

const name = 'limits';
const exceeded = /^403 Forbidden: .*exceeded quota: limits/;

const hards: readonly Record<string, string>[] = [
  { configmaps: '2', pods: '2', 'requests.cpu': '150m' },
  { configmaps: '4', pods: '3', 'requests.cpu': '300m' },
  { configmaps: '6', pods: '5', 'requests.cpu': '350m' },
];

/** A new namespace, which the other server knows as soon as it is there, with a quota. */
export async function makeNamespace(world: World, namespace: string): Promise<void> {
  const { here, there } = world.pick();
  await here.create(Namespace, { metadata: { name: namespace }, spec: {} });
  await there.create(ServiceAccount, { metadata: { namespace, name: 'default' } });
  const quota = await here.create(ResourceQuota, { metadata: { namespace, name }, spec: { hard: hards[1] ?? {} } });
  for await (const { object } of there.watch(ResourceQuota, { namespace, timeoutSeconds: 10 })) {
    if ((object as ResourceQuota).status?.hard?.['pods'] === quota.spec?.hard?.['pods']) return;
  }
  assert.fail('nobody fills in the status of a quota');
}

export async function useQuota(world: World, namespace: string, own: string): Promise<void> {
  const { here, there } = world.pick();
  const at = { namespace, name: own };
  switch (world.below(5)) {
    case 0: {
      const hard = world.oneOf(hards);
      await here.patch(ResourceQuota, { namespace, name }, { type: 'merge', body: { spec: { hard } } });
      return;
    }
    case 1:
    case 2: {
      const made = await attempt(here.create(ConfigMap, { metadata: at }), exceeded);
      if (!made) return;
      await expectSeen(world, there, ConfigMap, made);
      if (world.below(4) === 0) return;
      await there.delete(ConfigMap, at);
      await expectGone(here, ConfigMap, made);
      return;
    }
    default: {
      const resources = { requests: { cpu: world.oneOf(['50m', '100m', '200m']) } };
      const made = await attempt(
        here.create(Pod, { metadata: at, spec: { containers: [{ name: 'c', image: 'i', resources }] } }),
        exceeded,
      );
      if (!made) return;
      await expectSeen(world, there, Pod, made);
      if (world.below(4) === 0) return;
      await there.delete(Pod, at, { gracePeriodSeconds: 0 });
      await expectGone(here, Pod, made);
    }
  }
}

/** Follows a quota until it is disposed: use that grows never passes the limits that are in force. */
export function watchQuota(client: Client, namespace: string): AsyncDisposable {
  const stop = new AbortController();
  const following = (async () => {
    let before: Record<string, string> = {};
    for await (const { type, object } of client.watch(ResourceQuota, { namespace, signal: stop.signal })) {
      if (type === 'BOOKMARK') continue;
      const { hard = {}, used = {} } = (object as ResourceQuota).status ?? {};
      for (const [resource, amount] of Object.entries(used)) {
        const grew = quantityMilliValue(amount) > quantityMilliValue(before[resource] ?? '0');
        if (grew)
          assert.ok(
            quantityMilliValue(amount) <= quantityMilliValue(hard[resource] ?? '0'),
            `${namespace}: ${resource} ${amount} of ${hard[resource]}`,
          );
      }
      before = used;
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
    },
  };
}

/** What the quota says becomes what is there. */
export async function expectCounted(client: Client, namespace: string): Promise<void> {
  const [maps, pods] = [await client.list(ConfigMap, { namespace }), await client.list(Pod, { namespace })];
  const cpu = pods.items.reduce((sum, pod) => sum + quantityMilliValue(pod.spec.containers[0]?.resources?.requests?.['cpu'] ?? '0'), 0);
  const want = { configmaps: maps.items.length * 1000, pods: pods.items.length * 1000, 'requests.cpu': cpu };
  let last: unknown;
  for await (const { type, object } of client.watch(ResourceQuota, { namespace, timeoutSeconds: 10 })) {
    if (type === 'BOOKMARK') continue;
    const used = (object as ResourceQuota).status?.used ?? {};
    last = Object.fromEntries(Object.entries(used).map(([resource, amount]) => [resource, quantityMilliValue(amount)]));
    try {
      assert.deepEqual(last, want);
      return;
    } catch {}
  }
  assert.deepEqual(last, want, `the use of ${namespace}`);
}
