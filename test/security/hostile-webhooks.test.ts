/**
 * Admission webhooks that mean no good: they hang, answer without end, patch without measure, call back, or are dead.
 * What they can do is refuse the requests that they are asked about; everything else goes on. (This server has no
 * webhook of its own that large requests could fill: CVE-2026-24514.)
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import {
  ConfigMap,
  MutatingWebhookConfiguration,
  Namespace,
  ResourceQuota,
  ValidatingWebhookConfiguration,
} from '../../src/api/generated/kinds.ts';
import { isStatusError, messageOf } from '../../src/api/meta/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import { type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';
import { patching, startWebhookServer, type WebhookServer } from '../kit/webhook-server.ts';

const namespace = 'default';
const maps = `/api/v1/namespaces/${namespace}/configmaps`;
const everything = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] };
const onlyMaps = { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] };
const megabyte = 2 ** 20;

suite('hostile webhooks', () => {
  const stack = new AsyncDisposableStack();
  let server: GuardedServer;
  let hooks: WebhookServer;
  let admin: Client;

  before(async () => {
    server = stack.use(await startGuardedServer());
    hooks = stack.use(await startWebhookServer());
    ({ admin } = server);
  });
  after(() => stack.disposeAsync());
  afterEach(async () => {
    await admin.deleteCollection(ValidatingWebhookConfiguration, {});
    await admin.deleteCollection(MutatingWebhookConfiguration, {});
    await admin.deleteCollection(ConfigMap, { namespace });
  });

  const configure = (kind: typeof ValidatingWebhookConfiguration | typeof MutatingWebhookConfiguration, given: object) => {
    const common = { name: 'check.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None' };
    const webhook = { ...common, clientConfig: hooks.clientConfig('/'), rules: [onlyMaps], ...given };
    return admin.create(kind as never, { metadata: { name: 'check' }, webhooks: [webhook] } as never);
  };
  const create = (name: string) => admin.create(ConfigMap, { metadata: { namespace, name }, data: { k: '1' } });
  const refusal = async (request: Promise<unknown>): Promise<string> => {
    const error: unknown = await request.then(
      () => assert.fail('it was not refused'),
      (thrown: unknown) => thrown,
    );
    assert.ok(isStatusError(error), String(error));
    return error.message;
  };

  test('one that hangs holds up those who wait for it, and nobody else', async () => {
    hooks.answer('/', () => undefined);
    await configure(ValidatingWebhookConfiguration, { timeoutSeconds: 3 });
    hooks.asked.length = 0;
    const waiting = Array.from({ length: 200 }, (_, i) => create(`w${i}`).then(() => '', messageOf));
    while (hooks.asked.length === 0) await new Promise((done) => setImmediate(done));
    assert.equal((await server.ask(maps)).code, 200);
    const other = await server.ask('/api/v1/namespaces/default/secrets', { body: { metadata: { name: 'not-asked' } } });
    assert.equal(other.code, 201, other.text);
    const gone = await server.ask('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/check', { method: 'DELETE' });
    assert.equal(gone.code, 200);
    await create('free');
    // Those that came to be asked after it was taken away went on.
    const ends = (await Promise.all(waiting)).filter((each) => each !== '' && !each.endsWith('context deadline exceeded'));
    assert.deepEqual(ends, []);
  });

  test('an answer without end is cut off', async () => {
    let sent = 0;
    hooks.answer('/', (_, response) => {
      const part = 'x'.repeat(megabyte);
      const more = (): void => {
        while (sent < 50 && !response.destroyed && response.write(part)) sent++;
        if (sent >= 50) response.end();
      };
      response.on('drain', more).writeHead(200, { 'content-type': 'application/json' });
      response.write('{"kind":"');
      more();
      return undefined;
    });
    await configure(ValidatingWebhookConfiguration, {});
    assert.match(await refusal(create('a')), /the answer is longer than 8388608 bytes$/);
    assert.ok(sent < 50, `${sent} MiB were taken`);
  });

  const doubling = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '/data', path: `/data/b${i}` }));
  const deep = { op: 'add', path: '/data/x', value: JSON.parse(`${'['.repeat(9000)}${']'.repeat(9000)}`) as unknown };
  const bombs: readonly { name: string; patch: readonly object[]; want: RegExp }[] = [
    { name: 'doubles the object over and over', patch: doubling, want: /^Internal error occurred: copies of more than/ },
    { name: 'nests it without end', patch: [deep], want: /^Internal error occurred: .*nested deeper|exceeded max depth/ },
    {
      name: 'makes it larger than what can be stored',
      patch: [{ op: 'add', path: '/data/x', value: 'x'.repeat(2 * megabyte) }],
      want: /too long|too large|Too long/,
    },
  ];
  for (const { name, patch, want } of bombs) {
    test(`a patch that ${name} is refused`, async () => {
      void hooks.answer('/', () => patching(...patch));
      await configure(MutatingWebhookConfiguration, {});
      assert.match(await refusal(create('a')), want);
    });
  }

  test('one that makes the very object itself is told so to the client', async () => {
    const own = server.as('webhook', 'system:masters');
    hooks.answer('/', async ({ userInfo, name = '' }) => {
      if (userInfo.username !== 'webhook') await own.create(ConfigMap, { metadata: { namespace, name } });
      return {};
    });
    await configure(ValidatingWebhookConfiguration, {});
    assert.equal(await refusal(create('twice')), 'configmaps "twice" already exists');
  });

  test('one that changes the very object each time makes its update give up', async () => {
    const own = server.as('webhook', 'system:masters');
    const stored = await create('changing');
    let changes = 0;
    hooks.answer('/', async ({ userInfo, name = '' }) => {
      if (userInfo.username === 'webhook') return {};
      const body = { data: { n: String(++changes) } };
      await own.patch(ConfigMap, { namespace, name }, { type: 'merge', body });
      return {};
    });
    await configure(ValidatingWebhookConfiguration, {});
    const update = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'changing' }, data: { k: '2' } };
    const { code } = await server.ask(`${maps}/changing`, { method: 'PUT', body: update });
    assert.equal(code, 409);
    assert.ok(changes <= 100, `asked ${changes} times`);
    assert.notEqual(
      (await admin.get(ConfigMap, { namespace, name: 'changing' })).metadata.resourceVersion,
      stored.metadata.resourceVersion,
    );
  });

  test('one that writes to a namespace with a quota waits for nobody, and counts', async () => {
    await admin.create(Namespace, { metadata: { name: 'counted' }, spec: {} });
    await admin.create(ResourceQuota, { metadata: { namespace: 'counted', name: 'q' }, spec: { hard: { 'count/configmaps': '3' } } });
    const own = server.as('webhook', 'system:masters');
    hooks.answer('/', async ({ userInfo, name = '' }) => {
      if (userInfo.username === 'webhook') return {};
      await own.create(ConfigMap, { metadata: { namespace: 'counted', name: `${name}-inner` } });
      return {};
    });
    await configure(MutatingWebhookConfiguration, {});
    await admin.create(ConfigMap, { metadata: { namespace: 'counted', name: 'a' } });
    assert.match(await refusal(admin.create(ConfigMap, { metadata: { namespace: 'counted', name: 'b' } })), /exceeded quota: q/);
    const { items } = await admin.list(ConfigMap, { namespace: 'counted' });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['a', 'a-inner', 'b-inner'],
    );
  });

  test('one for everything that is dead can be taken away', async () => {
    await configure(ValidatingWebhookConfiguration, { rules: [everything], clientConfig: { url: 'https://127.0.0.1:1/' } });
    assert.match(await refusal(create('a')), /connect: connection refused/);
    assert.equal((await server.ask('/api/v1/nodes')).code, 200);
    const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/check';
    assert.equal((await server.ask(path, { method: 'DELETE' })).code, 200);
    await create('a');
  });

  suite('one for everything that is dead holds up what upstream has it hold up, until it is taken away', () => {
    const spec = { containers: [{ name: 'c', image: 'i' }], serviceAccountName: 'robot' };
    const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    const pods = '/api/v1/namespaces/default/pods';
    const apps = '/apis/apps/v1/namespaces/default/deployments';
    const admission = '/apis/admissionregistration.k8s.io/v1';
    const webhooks = `${admission}/validatingwebhookconfigurations`;
    const named = (name: string) => ({ metadata: { name } });
    const selector = { matchLabels: { a: 'b' } };
    const existing: readonly (readonly [path: string, object: object])[] = [
      ['/api/v1/nodes', named('n')],
      [leases, { ...named('l'), spec: { holderIdentity: 'n' } }],
      ['/api/v1/namespaces/default/serviceaccounts', named('robot')],
      [pods, { ...named('p'), spec }],
      [apps, { ...named('d'), spec: { selector, template: { metadata: { labels: { a: 'b' } }, spec } } }],
    ];
    const schema = { openAPIV3Schema: { type: 'object' } };
    const versions = [{ name: 'v1', served: true, storage: true, schema }];
    const definition = { group: 'b.com', names: { plural: 'as', kind: 'A' }, scope: 'Cluster', versions };
    const service = { name: 's', namespace };
    const apiService = { group: 'b.com', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1, service };
    const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];
    const policy = { matchConstraints: { resourceRules: rules }, validations: [{ expression: 'true' }] };

    /** What upstream's server answers was asked of it. */
    const rows: readonly { name: string; method: string; path: string; body?: object; passes?: true }[] = [
      { name: 'a lease that is renewed', method: 'PATCH', path: `${leases}/l`, body: { spec: { holderIdentity: 'm' } } },
      { name: 'the status of a node', method: 'PATCH', path: '/api/v1/nodes/n/status', body: { status: { phase: 'Running' } } },
      { name: 'a pod', method: 'POST', path: pods, body: { ...named('q'), spec } },
      { name: 'a binding', method: 'POST', path: `${pods}/p/binding`, body: { ...named('p'), target: { kind: 'Node', name: 'n' } } },
      {
        name: 'an eviction',
        method: 'POST',
        path: `${pods}/p/eviction`,
        body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p', namespace } },
      },
      {
        name: 'an event',
        method: 'POST',
        path: '/api/v1/namespaces/default/events',
        body: { ...named('e'), involvedObject: { namespace }, reason: 'r', message: 'm' },
      },
      { name: 'a scale', method: 'PATCH', path: `${apps}/d/scale`, body: { spec: { replicas: 3 } } },
      { name: 'a deletion', method: 'DELETE', path: `${maps}/there` },
      { name: 'a deletion of all', method: 'DELETE', path: maps },
      { name: 'a deletion of all of none', method: 'DELETE', path: `${maps}?labelSelector=a%3Db`, passes: true },
      { name: 'a namespace', method: 'POST', path: '/api/v1/namespaces', body: named('x') },
      { name: 'a dry run', method: 'POST', path: `${maps}?dryRun=All`, body: named('dry') },
      {
        name: 'a token',
        method: 'POST',
        path: '/api/v1/namespaces/default/serviceaccounts/robot/token',
        body: { spec: { audiences: ['a'] } },
      },
      { name: 'a review of a token', method: 'POST', path: '/apis/authentication.k8s.io/v1/tokenreviews', body: { spec: { token: 'x' } } },
      {
        name: 'a review of access',
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        body: { spec: { user: 'jo', nonResourceAttributes: { path: '/', verb: 'get' } } },
      },
      { name: 'a review of oneself', method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews', body: {} },
      {
        name: 'a definition',
        method: 'POST',
        path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
        body: { ...named('as.b.com'), spec: definition },
      },
      {
        name: 'an APIService',
        method: 'POST',
        path: '/apis/apiregistration.k8s.io/v1/apiservices',
        body: { ...named('v1.b.com'), spec: apiService },
      },
      { name: 'a connection', method: 'GET', path: `${pods}/p/exec?command=a&stdout=true` },
      { name: 'a log', method: 'GET', path: `${pods}/p/log`, passes: true },
      { name: 'what is only read', method: 'GET', path: '/api/v1/nodes', passes: true },
      {
        name: 'a policy',
        method: 'POST',
        path: `${admission}/validatingadmissionpolicies`,
        body: { ...named('p'), spec: policy },
        passes: true,
      },
      {
        name: 'a configuration of webhooks',
        method: 'PATCH',
        path: `${webhooks}/check`,
        body: { metadata: { labels: { a: 'b' } } },
        passes: true,
      },
    ];
    const ask = async ({ method, path, body }: Pick<(typeof rows)[number], 'method' | 'path' | 'body'>) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      return await server.ask(path, { method, ...(body && { body, headers: { 'content-type': type } }) });
    };

    before(async () => {
      for (const [path, body] of existing) {
        const { code, text } = await ask({ method: 'POST', path, body });
        assert.ok(code === 201 || code === 409, text);
      }
    });
    for (const row of rows) {
      test(`${row.name} ${row.passes ? 'passes' : 'waits'}`, async () => {
        await create('there').catch(() => undefined);
        await configure(ValidatingWebhookConfiguration, { rules: [everything], clientConfig: { url: 'https://127.0.0.1:1/' } });
        const { code, text } = await ask(row);
        const isHeld = code === 500 && text.includes('failed calling webhook');
        assert.equal(isHeld, !row.passes, `${code} ${text}`);
        assert.equal((await ask({ method: 'DELETE', path: `${webhooks}/check` })).code, 200);
        const renewed = await ask({ method: 'PATCH', path: `${leases}/l`, body: { spec: { holderIdentity: 'again' } } });
        assert.equal(renewed.code, 200, renewed.text);
      });
    }
  });
});
