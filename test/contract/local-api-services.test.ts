/**
 * APIServices of what a server serves itself, as its clients see them: those of built-in kinds until somebody says
 * otherwise, those of custom resources as long as they are defined.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APIService, CustomResourceDefinition } from '../../src/api/generated/kinds.ts';
import { realClock } from '../../src/client/clock.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';
import { define, definition, undefine, version } from '../kit/definitions.ts';
import { startGuardedServer } from '../kit/guarded-server.ts';
import { whenGone, whenSeen } from '../kit/when-seen.ts';

const label = 'kube-aggregator.kubernetes.io/automanaged';
const seen = (server: Awaited<ReturnType<typeof startGuardedServer>>, name: string, wanted = (_: APIService): boolean => true) =>
  whenSeen(server.admin, APIService, { name }, (service, type) => type !== 'DELETED' && wanted(service));
const withService = (service: APIService): APIService =>
  ({ ...service, spec: { ...service.spec, insecureSkipTLSVerify: true, service: { namespace: 'default', name: 'other' } } }) as APIService;

test('one of a built-in kind is there from the start, and is what somebody makes of it until the next', async () => {
  await using storage = openMemoryStore({ clock: realClock });
  {
    await using server = await startGuardedServer({ storage });
    const apps = await seen(server, 'v1.apps');
    const raw = await server.ask('/apis/apiregistration.k8s.io/v1/apiservices/v1.apps');
    const { metadata } = JSON.parse(raw.text) as APIService;
    assert.deepEqual(
      [metadata.labels, apps.spec, apps.status.conditions?.map(({ type, status, reason }) => [type, status, reason])],
      [
        { [label]: 'onstart' },
        { group: 'apps', version: 'v1', groupPriorityMinimum: 17800, versionPriority: 15 },
        [['Available', 'True', 'Local']],
      ],
    );
    assert.deepEqual(
      metadata.managedFields?.map(({ manager, operation, subresource }) => [manager, operation, subresource]),
      [['kube-apiserver', 'Update', undefined]],
    );
    await seen(server, 'v1.batch');
    await server.admin.delete(APIService, { name: 'v1.batch' });
    await server.admin.update(APIService, withService(apps));
    await seen(server, 'v1.apps', ({ status }) => status.conditions?.[0]?.reason === 'ServiceNotFound');
    assert.equal((await server.ask('/apis/apps/v1/deployments')).code, 503);
    const back = await server.admin.get(APIService, { name: 'v1.apps' });
    assert.ok(back.spec.service);
    await assert.rejects(server.admin.get(APIService, { name: 'v1.batch' }), { code: 404 });
  }
  await using server = await startGuardedServer({ storage });
  const apps = await seen(server, 'v1.apps', ({ spec, status }) => !spec.service && status.conditions?.[0]?.reason === 'Local');
  assert.equal((await server.ask('/apis/apps/v1/deployments')).code, 200);
  await seen(server, 'v1.batch');
  const { resourceVersion } = apps.metadata;
  assert.equal((await server.admin.get(APIService, { name: 'v1.apps' })).metadata.resourceVersion, resourceVersion);
});

test("one of a custom resource's group-version comes and goes with its definitions", async () => {
  await using server = await startGuardedServer();
  const versions = [version('v1'), version('v2', { storage: false })];
  const shop = definition('Shop', { versions });
  const cake = definition('Cake');
  await define(server.admin, shop);
  const { spec, metadata } = await seen(server, 'v2.example.com');
  assert.deepEqual(
    [spec, metadata.labels],
    [{ group: 'example.com', version: 'v2', groupPriorityMinimum: 1000, versionPriority: 100 }, { [label]: 'true' }],
  );
  await define(server.admin, cake);

  const first = await seen(server, 'v1.example.com');
  await server.admin.delete(APIService, { name: 'v1.example.com' });
  const second = await seen(server, 'v1.example.com', ({ metadata: { uid } }) => uid !== first.metadata.uid);
  await server.admin.update(APIService, withService(second));
  await seen(server, 'v1.example.com', ({ metadata: { generation }, spec }) => generation !== 1 && !spec.service);

  const current = await server.admin.get(CustomResourceDefinition, { name: 'shops.example.com' });
  const notServed = versions.map((each) => ({ ...each, served: each.name !== 'v2' }));
  const withdrawn = whenGone(server.admin, APIService, { name: 'v2.example.com' });
  await server.admin.update(CustomResourceDefinition, {
    ...current,
    spec: { ...current.spec, versions: notServed },
  } as CustomResourceDefinition);
  await withdrawn;
  await undefine(server.admin, shop);
  const stays = await server.admin.get(APIService, { name: 'v1.example.com' });
  assert.equal(stays.metadata.uid, second.metadata.uid);
  const gone = whenGone(server.admin, APIService, { name: 'v1.example.com' });
  await undefine(server.admin, cake);
  await gone;
});
