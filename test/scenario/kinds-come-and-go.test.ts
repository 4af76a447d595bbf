/** A kind that is added to a running API server, changed and taken away again: what clients, controllers and quotas see of it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { request } from 'undici';
import { ConfigMap, CustomResourceDefinition, Namespace, ResourceQuota } from '../../src/api/generated/kinds.ts';
import type { APIGroupList } from '../../src/api/generated/meta-v1.ts';
import type { KubeObject } from '../../src/api/meta/object.ts';
import { isNotFound } from '../../src/api/meta/status-error.ts';
import { bundledKubectl } from '../../src/cli/bundled-kubectl.ts';
import type { WatchEvent } from '../../src/client/client.ts';
import { realClock, realRandom } from '../../src/client/clock.ts';
import { runControllers } from '../../src/client/controllers/controller-runner.ts';
import { silentLog } from '../../src/client/log.ts';
import { discoverResources } from '../../src/client/transport/discovery.ts';
import type { ServerParts } from '../../src/control-plane/api-server/api-server.ts';
import { publishingEndpoints } from '../../src/control-plane/api-server/publishing/endpoints.ts';
import { garbageCollector } from '../../src/control-plane/controllers/deletion/garbage-collector.ts';
import { namespaceController } from '../../src/control-plane/controllers/deletion/namespace.ts';
import { type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';
import { everybody, listen } from '../kit/https-server.ts';
import { colorfulSchema, newWidget, type Widget, widgetKind, widgets } from '../kit/widgets.ts';

const Widgets = widgetKind();
const path = '/apis/example.com/v1/namespaces/default/widgets';
const json = <T = Record<string, unknown>>(text: string): T => JSON.parse(text) as T;

async function started(): Promise<GuardedServer> {
  const guarded = await startGuardedServer();
  await guarded.admin.create(Namespace, { metadata: { name: 'default' }, spec: {} }).catch(() => undefined);
  return guarded;
}

test('a kind is served from when it is added on', async () => {
  await using guarded = await started();
  const { server, ask } = guarded;
  assert.equal((await ask(path)).code, 404);
  assert.equal((await ask('/apis/example.com/v1')).code, 404);
  const aggregated = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };
  const tag = (await ask('/apis', { headers: aggregated })).headers['etag'];
  await server.kinds.put(widgets(Widgets));

  const made = await ask(path, {
    body: { metadata: { name: 'a' }, spec: {}, status: { ready: true }, kind: 'Widget', apiVersion: 'example.com/v1' },
  });
  assert.equal(made.code, 201, made.text);
  const { metadata, spec, status } = json<Widget>(made.text);
  assert.deepEqual([metadata.generation, spec, status], [1, { size: 1 }, undefined], 'defaults are filled in, a status is not taken');
  const heads = [path, `${path}?limit=1`, `${path}/a`, `${path}/b`, '/api/v1/namespaces/default'];
  const headed = await Promise.all(heads.map((each) => ask(each, { method: 'HEAD' })));
  assert.deepEqual(
    headed.map(({ code, text }) => [code, text]),
    [200, 200, 200, 404, 405].map((code) => [code, '']),
    'a HEAD is a GET without the answer, of custom resources alone',
  );
  const merged = await ask(`${path}/a`, {
    method: 'PATCH',
    body: { spec: { size: 5 } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  assert.deepEqual([merged.code, json<Widget>(merged.text).metadata.generation], [200, 2]);
  const told = await ask(`${path}/a/status`, {
    method: 'PATCH',
    body: { spec: { size: 9 }, status: { ready: true } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  assert.deepEqual([json<Widget>(told.text).spec, json<Widget>(told.text).status], [{ size: 5 }, { ready: true }]);
  const strategic = { method: 'PATCH', body: {}, headers: { 'content-type': 'application/strategic-merge-patch+json' } };
  assert.equal((await ask(`${path}/a`, strategic)).code, 415);
  const applied = await ask(`${path}/a?fieldManager=mine&force=true`, {
    method: 'PATCH',
    body: { apiVersion: 'example.com/v1', kind: 'Widget', spec: { size: 5 } },
    headers: { 'content-type': 'application/apply-patch+yaml' },
  });
  assert.deepEqual([applied.code, json<Widget>(applied.text).spec?.size], [200, 5]);
  const strict = await ask(`${path}?fieldValidation=Strict`, {
    body: { ...newWidget('b'), spec: { color: 'red' }, kind: 'Widget', apiVersion: 'example.com/v1' },
  });
  assert.match(strict.text, /unknown field \\"spec.color\\"/);

  const table = await ask(path, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
  const { columnDefinitions, rows } = json<{ columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] }>(table.text);
  assert.deepEqual([columnDefinitions.map(({ name }) => name), rows.map(({ cells }) => cells)], [['Name', 'Size'], [['a', 5]]]);
  assert.equal(json<{ items: unknown[] }>((await ask(`${path}?fieldSelector=metadata.name=a`)).text).items.length, 1);
  assert.equal((await ask(`${path}?fieldSelector=spec.size=5`)).code, 400);

  const page = [404, '404 page not found\n'];
  const notThere = ['/apis/example.com/v1/gadgets', '/apis/example.com/v2/widgets', '/apis/example.com/v2'];
  for (const each of notThere) {
    const { code, text } = await ask(each);
    assert.deepEqual([code, text], page, each);
  }
  assert.equal((await ask('/apis/example.com/v1/widgets', { body: newWidget('c') })).code, 404, 'a create has to name the namespace');

  const groups = json<APIGroupList>((await ask('/apis')).text).groups.map(({ name }) => name);
  assert.equal(groups.at(-1), 'example.com', 'after all that are built in');
  const list = json<{ resources: { name: string; verbs: string[] }[] }>((await ask('/apis/example.com/v1')).text);
  assert.deepEqual(
    list.resources.map(({ name }) => name),
    ['widgets', 'widgets/status'],
  );
  const now = await ask('/apis', { headers: { ...aggregated, 'if-none-match': String(tag) } });
  assert.equal(now.code, 200, 'what a client keeps of discovery is old');
  const document = json<{ components: { schemas: Record<string, unknown> } }>((await ask('/openapi/v3/apis/example.com/v1')).text);
  assert.ok(document.components.schemas['com.example.v1.Widget']);
  assert.match((await ask('/openapi/v2')).text, /"com.example.v1.Widget"/);
  assert.ok(json<{ paths: string[] }>((await ask('/')).text).paths.includes('/apis/example.com/v1'));
});

test('kubectl gets, explains, labels and deletes it', async (t) => {
  const kubectl = await bundledKubectl();
  if (!kubectl) return t.skip('no kubectl is installed');
  await using guarded = await started();
  const { server, pki, port } = guarded;
  const home = await mkdtemp(join(tmpdir(), 'timonier-kinds-'));
  try {
    const { certPem, keyPem } = await pki.certificate('admin', {
      commonName: 'admin',
      organizations: ['system:masters'],
      usages: ['client'],
    });
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const config = {
      clusters: [
        { name: 'c', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': base64(pki.authority.certPem) } },
      ],
      users: [{ name: 'u', user: { 'client-certificate-data': base64(certPem), 'client-key-data': base64(keyPem) } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    const file = join(home, 'config');
    await writeFile(file, JSON.stringify(config));
    const run = async (...words: string[]): Promise<string> =>
      (await promisify(execFile)(kubectl, ['--kubeconfig', file, '--cache-dir', join(home, 'cache'), ...words])).stdout.trim();
    await assert.rejects(run('get', 'widgets'), /the server doesn't have a resource type "widgets"/);
    await server.kinds.put(widgets(Widgets));
    await guarded.admin.create(Widgets, newWidget('a'));
    assert.match(await run('get', 'wd'), /^NAME +SIZE\na +3$/);
    assert.match(await run('explain', 'widgets.spec.size'), /FIELD: size <integer>/);
    for (const [given, want] of [
      [4, 'created'],
      [5, 'configured'],
      [5, 'unchanged'],
    ] as const) {
      const manifest = join(home, 'widget.json');
      await writeFile(
        manifest,
        JSON.stringify({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'b' }, spec: { size: given } }),
      );
      assert.equal(await run('apply', '-f', manifest), `widget.example.com/b ${want}`);
    }
    assert.equal(await run('label', 'widget/a', 'x=y'), 'widget.example.com/a labeled');
    assert.equal(await run('patch', 'widget', 'a', '--type=merge', '-p', '{"spec":{"size":7}}'), 'widget.example.com/a patched');
    assert.equal(await run('get', 'widgets.v1.example.com', 'a', '-o', 'jsonpath={.spec.size} {.metadata.labels}'), '7 {"x":"y"}');
    assert.match(await run('get', 'all', '-o', 'name'), /^widget.example.com\/a$/m);
    assert.equal(await run('delete', 'widget', 'a'), 'widget.example.com "a" deleted from default namespace');
    await server.kinds.remove(Widgets);
    await assert.rejects(run('get', 'widgets'), /NotFound|could not find the requested resource/);
  } finally {
    await rm(home, { recursive: true });
  }
});

test('owners, namespaces and quotas count it like any other', async () => {
  await using guarded = await started();
  const { server, admin } = guarded;
  const { loopback: client } = server;
  const environment = { client, clock: realClock, random: realRandom, log: silentLog };
  await using running = runControllers([garbageCollector(), namespaceController], environment);
  await running.started;

  const hard = { 'count/widgets.example.com': '2' };
  await admin.create(ResourceQuota, { metadata: { name: 'few', namespace: 'default' }, spec: { hard } });
  const used = until(
    client.watch(ResourceQuota, { namespace: 'default' }),
    ({ status }) => status?.used?.['count/widgets.example.com'] === '2',
  );
  await server.kinds.put(widgets(Widgets));
  // What defines a kind tells those who follow kinds.
  await admin.create(CustomResourceDefinition, {
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  });
  const owner = await admin.create(Widgets, newWidget('owner'));
  const reference = { apiVersion: 'example.com/v1', kind: 'Widget', name: 'owner', uid: owner.metadata.uid ?? '' };
  const owned = { name: 'owned', namespace: 'default', ownerReferences: [reference] };
  await admin.create(ConfigMap, { metadata: owned });
  await admin.create(Widgets, { ...newWidget('owned'), metadata: owned });
  await assert.rejects(admin.create(Widgets, newWidget('third')), {
    message:
      /exceeded quota: few, requested: count\/widgets.example.com=1, used: count\/widgets.example.com=2, limited: count\/widgets.example.com=2/,
  });
  await used;

  const gone = Promise.all([
    until(client.watch(ConfigMap, { namespace: 'default' }), ({ metadata }, type) => type === 'DELETED' && metadata.name === 'owned'),
    until(client.watch(Widgets, { namespace: 'default' }), ({ metadata }, type) => type === 'DELETED' && metadata.name === 'owned'),
  ]);
  await admin.delete(Widgets, { name: 'owner', namespace: 'default' }, { propagationPolicy: 'Background' });
  await gone;
  await admin.create(Widgets, newWidget('again')); // the quota has room

  await admin.create(Namespace, { metadata: { name: 'short' }, spec: {} });
  await admin.create(Widgets, { ...newWidget('a'), metadata: { name: 'a', namespace: 'short' } });
  const ended = until(client.watch(Namespace), ({ metadata }, type) => type === 'DELETED' && metadata.name === 'short');
  await admin.delete(Namespace, { name: 'short' });
  await ended;
  assert.deepEqual((await admin.list(Widgets, { namespace: 'short' })).items, []);

  // A quota that was there before the kind, and stays when it goes.
  const released = until(
    client.watch(ResourceQuota, { namespace: 'default' }),
    ({ status }) => status?.used?.['count/widgets.example.com'] === '0',
  );
  await server.kinds.remove(Widgets);
  await released;
  const counted = until(
    client.watch(ResourceQuota, { namespace: 'default' }),
    ({ status }) => status?.used?.['count/widgets.example.com'] === '1',
  );
  await server.kinds.put(widgets(Widgets));
  await counted;
});

test('a kind that changes, goes and comes again', async () => {
  await using listening = await listen(({ registry }) => ({
    ...everybody,
    nonResourceEndpoints: publishingEndpoints({ registry, version: 'v1.36.0' }),
  }));
  const { server, ask, port } = listening;
  const admin = server.loopback;
  await server.kinds.put(widgets(Widgets));
  await admin.create(Widgets, newWidget('a', { spec: { size: 3, color: 'red' } }));
  assert.deepEqual((await admin.get(Widgets, { name: 'a', namespace: 'default' })).spec, { size: 3 });
  const live = watching(admin.watch(Widgets, { namespace: 'default' }));
  await live.first;
  const overWire = await request(`https://127.0.0.1:${port}${path}?watch=true`, { dispatcher: listening.agent() });
  const lines = overWire.body[Symbol.asyncIterator]();
  const [first] = String((await lines.next()).value).split('\n');

  await server.kinds.put(widgets(widgetKind({ schema: colorfulSchema })));
  assert.match(String(await live.end), /the server has ended the watch/);
  assert.deepEqual([json<{ type: string }>(first ?? '').type, (await lines.next()).done], ['ADDED', true], 'its end is no error');
  await admin.create(Widgets, newWidget('b', { spec: { size: 3, color: 'red' } }));
  assert.equal((await admin.get(Widgets, { name: 'b', namespace: 'default' })).spec?.color, 'red');

  const places = [path, `${path}/a`, '/apis/example.com/v1', '/apis/example.com', '/openapi/v3/apis/example.com/v1'];
  for (const each of places) assert.equal((await ask(each)).code, 200, each);
  const last = watching(admin.watch(Widgets, { namespace: 'default' }));
  await last.first;
  assert.equal(await server.kinds.remove(Widgets), true);
  assert.match(String(await last.end), /the server has ended the watch/);
  for (const each of [...places, `${path}?watch=true`]) assert.equal((await ask(each)).code, 404, each);
  await assert.rejects(admin.list(Widgets), isNotFound);
  assert.equal(await server.kinds.remove(Widgets), false);

  await server.kinds.put(widgets(Widgets));
  const { items } = await admin.list(Widgets, { namespace: 'default' });
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['a', 'b'],
    'what stayed in the store is served again',
  );
});

test('who follows what is done can name it once it is there', async () => {
  await using listening = await listen();
  const { server } = listening;
  assert.throws(() => server.acts.subscribe({ objects: ['wd/a'] }), { message: 'there is no kind "wd"' });
  await server.kinds.put(widgets(Widgets));
  using acts = server.acts.subscribe({ objects: ['wd/a'], namespace: 'default' });
  await server.loopback.create(Widgets, newWidget('b'));
  await server.loopback.create(Widgets, newWidget('a'));
  const { value } = await acts.next();
  assert.ok(value && 'object' in value);
  assert.deepEqual([value.verb, value.object.kind, value.object.name], ['create', 'widget', 'a']);
});

test('a group-version of another server is listed, and asked there', async () => {
  const asked: string[] = [];
  const backends: ServerParts['backends'] = async ({ verb, user, target }) => {
    const { response, path, resource, began } = target;
    asked.push(`${user.name} ${verb} ${resource ? `${resource.resource}/${resource.name}` : path}`);
    const run = async (): Promise<void> => {
      began(200);
      response?.end('from elsewhere');
    };
    return { type: 'connection', code: 200, run };
  };
  for (const reached of [backends, undefined]) {
    await using listening = await listen(({ registry }) => ({
      ...everybody,
      nonResourceEndpoints: publishingEndpoints({ registry, version: 'v1.36.0' }),
      backends: reached,
    }));
    const { server, ask } = listening;
    await server.kinds.put(widgets(Widgets));
    const live = watching(server.loopback.watch(Widgets, { namespace: 'default' }));
    await server.loopback.create(Widgets, newWidget('here'));
    await live.first;
    await server.kinds.putBackend({ group: 'example.com', version: 'v1', groupPriorityMinimum: 100, versionPriority: 10 });
    assert.match(String(await live.end), /the server has ended the watch/);
    const answers = [await ask(`${path}/a`), await ask('/apis/example.com/v1'), await ask('/apis/example.com/v1/', { method: 'OPTIONS' })];
    const { headers } = answers[0] ?? assert.fail();
    const want = reached ? [200, 'from elsewhere'] : [503, 'service unavailable\n'];
    for (const { code, text } of answers) assert.deepEqual([code, text], want);
    if (!reached) assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal((await ask('/apis/example.com')).code, 200, 'what is known of the group is answered here');
    await assert.rejects(server.loopback.list(Widgets), { code: 503 });
    assert.deepEqual(
      (await discoverResources(server.loopback)).failures.map(({ groupVersion }) => groupVersion),
      ['example.com/v1'],
    );
    await server.kinds.removeBackend({ group: 'example.com', version: 'v1' });
    assert.equal((await ask(`${path}/here`)).code, 200, 'the kind that was here is served again');
  }
  assert.deepEqual(asked, ['tester get widgets/a', 'tester get /apis/example.com/v1', 'tester options /apis/example.com/v1/']);
});

/** Resolves with the first event that is wanted; the watch ends with it. */
async function until<T extends KubeObject>(
  events: AsyncIterable<WatchEvent<T>>,
  wanted: (object: T, type: string) => boolean,
): Promise<void> {
  for await (const event of events) if (event.type !== 'BOOKMARK' && wanted(event.object, event.type)) return;
}

/** A watch that is taken to its end, which is an error in process. */
function watching(events: AsyncIterable<unknown>): { readonly first: Promise<void>; readonly end: Promise<unknown> } {
  const { promise: first, resolve } = Promise.withResolvers<void>();
  const take = async (): Promise<unknown> => {
    try {
      for await (const _ of events) resolve();
    } catch (error) {
      return error;
    }
    return undefined;
  };
  return { first, end: take() };
}
