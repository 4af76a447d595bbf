/** What enforces NetworkPolicies when nft refuses: no pod is let in before its rules are in place, and what is in place stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Namespace, NetworkPolicy, Pod } from '../../src/api/generated/kinds.ts';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import { seededRandom } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { VirtualClock } from '../../src/client/virtual-clock.ts';
import { createApiServer } from '../../src/control-plane/api-server/api-server.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';
import { PolicyEngine } from '../../src/node/policy/policy-engine.ts';
import { FakeNft } from '../kit/fake-nft.ts';

test('a pod waits while nft refuses, and is let in when its rules are in place', async () => {
  const [clock, random, log, nft] = [new VirtualClock(), seededRandom(1), silentLog, new FakeNft()];
  await using storage = openMemoryStore({ clock });
  await using server = await createApiServer({ storage, registry: builtInRegistry(), clock, random, log });
  const client = server.loopback;
  await client.create(Namespace, { metadata: { name: 'shop' }, spec: {} });
  await client.create(NetworkPolicy, { metadata: { name: 'closed', namespace: 'shop' }, spec: { podSelector: {} } });
  const containers = [{ name: 'main', image: 'web' }];
  const pod = await client.create(Pod, { metadata: { name: 'web', namespace: 'shop' }, spec: { nodeName: 'here', containers } });

  nft.failures = Number.POSITIVE_INFINITY;
  await using engine = await PolicyEngine.start({ client, clock, log, nodeName: 'here', table: 'timonier-x-policy', tools: nft });
  const admitted = engine.admit(pod, ['10.244.0.2']);
  await Promise.all([assert.rejects(admitted, /No such file/), clock.advance(1000)]);
  nft.failures = 0;
  await Promise.all([engine.admit(pod, ['10.244.0.2']), clock.advance(2000)]);
  assert.match(nft.scripts.at(-1) ?? '', /add element inet timonier-x-policy in-4 \{ 10\.244\.0\.2 : goto isolated-in-/);

  const before = nft.scripts.length;
  await engine.admit(pod, ['10.244.0.2']);
  assert.equal(nft.scripts.length, before, 'told again, nothing changes');
  nft.failures = 2; // the difference, and the whole table after it
  const moved = engine.admit(pod, ['10.244.0.3']);
  await assert.rejects(moved, /No such file/);
  assert.ok(engine.ruleset.elements.get('in-4')?.has('10.244.0.2'), 'what is in place stays');
  await Promise.all([engine.admit(pod, ['10.244.0.3']), clock.advance(1000)]);
  assert.deepEqual([...(engine.ruleset.elements.get('in-4')?.keys() ?? [])], ['10.244.0.3']);

  const isIsolated = (): boolean => engine.ruleset.elements.get('in-4')?.has('10.244.0.3') === true;
  const { uid } = pod.metadata;
  await client.delete(Pod, { name: 'web', namespace: 'shop' }, { gracePeriodSeconds: 0 });
  const other = await client.create(Pod, { metadata: { name: 'next', namespace: 'shop' }, spec: { nodeName: 'here', containers } });
  await client.update(Pod, { ...other, status: { podIPs: [{ ip: '10.244.0.4' }] } }, { subresource: 'status' });
  while (!engine.ruleset.elements.get('in-4')?.has('10.244.0.4')) await clock.advance(1);
  assert.ok(isIsolated(), 'its containers may run on');
  engine.release(uid);
  await engine.admit(other, ['10.244.0.5']);
  assert.ok(!isIsolated(), 'its sandbox is gone');
});
