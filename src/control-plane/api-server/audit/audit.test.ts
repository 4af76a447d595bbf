/** What the audit keeps of requests, over the wire and in process, at each level. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGuardedServer } from '../../../../test/kit/guarded-server.ts';
import { ConfigMap, Secret } from '../../../api/generated/kinds.ts';
import { ManagedPart } from '../../store/managed-part.ts';
import type { AuditPolicy } from './audit-policy.ts';

interface Event {
  readonly level: string;
  readonly auditID: string;
  readonly stage: string;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly impersonatedUser?: { readonly username: string };
  readonly sourceIPs?: readonly string[];
  readonly userAgent: string;
  readonly objectRef?: object;
  readonly responseStatus?: { readonly code: number; readonly reason?: string };
  readonly requestObject?: { readonly data?: object; readonly kind?: string };
  readonly responseObject?: { readonly kind: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

async function start(policy: AuditPolicy) {
  const lines: string[] = [];
  const running = await startGuardedServer({ parts: { audit: { policy, sink: { write: (line) => lines.push(line) } } } });
  lines.length = 0;
  /** Of the requests for what has `word` in its URL or name. */
  const events = (word: string): Event[] => lines.filter((line) => line.includes(word)).map((line) => JSON.parse(line) as Event);
  return { running, lines, events, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}
const path = '/api/v1/namespaces/default/configmaps';
const briefly = ({ stage, verb, responseStatus }: Event): string => `${stage} ${verb} ${responseStatus?.code ?? ''}`.trim();

test('a request is told at its stages, with who, from where, by what, and what it came to', async () => {
  await using audited = await start({ rules: [{ level: 'Metadata' }] });
  const body = { metadata: { name: 'told' }, data: { key: 'word' } };
  await audited.running.ask(path, { body, headers: { 'user-agent': 'tester/1', 'audit-id': 'told-1' } });
  const [received, complete, ...more] = audited.events('"told-1"');
  assert.deepEqual(
    [received && briefly(received), complete && briefly(complete), more],
    ['RequestReceived create', 'ResponseComplete create 201', []],
  );
  assert.ok(complete);
  const { level, auditID, requestURI, user, sourceIPs, userAgent, objectRef, annotations } = complete;
  assert.deepEqual(
    { level, auditID, requestURI, user: user.username, sourceIPs, userAgent, objectRef, annotations },
    {
      level: 'Metadata',
      auditID: 'told-1',
      requestURI: path,
      user: 'admin',
      sourceIPs: ['127.0.0.1'],
      userAgent: 'tester/1',
      objectRef: { resource: 'configmaps', namespace: 'default', name: 'told', apiVersion: 'v1' },
      annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
    },
  );
  assert.deepEqual([complete.requestObject, complete.responseObject], [undefined, undefined]);
});

test('components in this process are told like all others', async () => {
  await using audited = await start({ rules: [{ level: 'Metadata', resources: [{ resources: ['configmaps'] }] }] });
  const client = audited.running.as('system:kube-scheduler', 'system:masters');
  await client.create(ConfigMap, { metadata: { name: 'inside', namespace: 'default' } });
  await assert.rejects(client.get(ConfigMap, { name: 'inside-not', namespace: 'default' }));
  const events = audited.events('inside');
  assert.deepEqual(events.map(briefly), ['ResponseComplete create 201', 'RequestReceived get', 'ResponseComplete get 404']);
  assert.deepEqual(
    [events[0]?.user.username, events[0]?.userAgent, events[0]?.sourceIPs],
    ['system:kube-scheduler', 'timonier/system:kube-scheduler', undefined],
  );
  assert.equal(events[2]?.responseStatus?.reason, 'NotFound');
});

test('a watch in process is told when it begins and when it ends', async () => {
  await using audited = await start({ rules: [{ level: 'Metadata', verbs: ['watch'], users: ['watcher'] }] });
  for await (const _ of audited.running.as('watcher', 'system:masters').watch(ConfigMap, { timeoutSeconds: 1, sendInitialEvents: false }));
  assert.deepEqual(audited.events('watcher').map(briefly), [
    'RequestReceived watch',
    'ResponseStarted watch 200',
    'ResponseComplete watch 200',
  ]);
});

test('no more is kept than the level says', async () => {
  const secret = (name: string) => ({ metadata: { name, namespace: 'default' }, stringData: { key: 'hidden' } });
  await using audited = await start({
    rules: [
      { level: 'Metadata', resources: [{ resources: ['secrets'] }] },
      { level: 'Request', verbs: ['create'] },
      { level: 'RequestResponse', verbs: ['patch', 'delete', 'list'] },
    ],
    omitStages: ['RequestReceived'],
  });
  const { running, lines } = audited;
  await running.admin.create(Secret, secret('s'));
  await running.ask('/api/v1/namespaces/default/secrets');
  assert.deepEqual([lines.length, lines.some((line) => line.includes('hidden') || line.includes(btoa('hidden')))], [2, false]);
  await running.ask(path, { body: { metadata: { name: 'kept' }, data: { key: 'word' } } });
  await running.ask(`${path}/kept`, {
    method: 'PATCH',
    body: '{"data":\n{"key":"other"}}',
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  await running.ask(path);
  await running.ask(`${path}/kept`, { method: 'DELETE', body: { gracePeriodSeconds: 0 } });
  await running.ask(`${path}/gone`, { method: 'DELETE' });
  const told = lines.slice(2).map((line) => {
    const { verb, requestObject, responseObject } = JSON.parse(line) as Event;
    return [verb, requestObject?.data ?? requestObject?.kind, responseObject?.kind];
  });
  assert.deepEqual(told, [
    ['create', { key: 'word' }, undefined],
    ['patch', { key: 'other' }, 'ConfigMap'],
    ['list', undefined, 'ConfigMapList'],
    ['delete', 'DeleteOptions', 'Status'],
    ['delete', undefined, 'Status'],
  ]);
});

test('managedFields are in what was answered, unless the policy omits them', async () => {
  for (const omitManagedFields of [true, false]) {
    await using audited = await start({ rules: [{ level: 'RequestResponse' }], omitStages: ['RequestReceived'], omitManagedFields });
    const { running, events } = audited;
    await running.admin.create(ConfigMap, { metadata: { name: 'owned', namespace: 'default' } });
    const key = '/registry/configmaps/default/owned';
    const [item] = (await running.storage.range({ key })).items;
    await running.storage.commit([{ key, put: item?.value ?? Buffer.of(), managed: ManagedPart.of('[{"manager":"baker"}]') }]);
    await running.admin.list(ConfigMap, { resourceVersion: String(await running.storage.latestRevision()) });
    await running.ask(`${path}/owned`);
    await running.ask(path);
    const told = events('"responseObject"').filter(({ requestURI }) => requestURI.startsWith(path));
    assert.deepEqual(
      told.slice(-2).map((event) => [event.verb, JSON.stringify(event.responseObject).includes('baker')]),
      [
        ['get', !omitManagedFields],
        ['list', !omitManagedFields],
      ],
    );
  }
});

test('who acts as another is told with both names, and who may not with his own', async () => {
  await using audited = await start({ rules: [{ level: 'Metadata' }], omitStages: ['RequestReceived'] });
  const names = ({ user, impersonatedUser, responseStatus }: Event) => [user.username, impersonatedUser?.username, responseStatus?.code];
  await audited.running.ask(`${path}?as=1`, { headers: { 'impersonate-user': 'jane' } });
  await audited.running.ask(`${path}?as=2`, { token: '', headers: { 'impersonate-user': 'jane' } });
  assert.deepEqual(audited.events('as=').map(names), [
    ['admin', 'jane', 403],
    ['system:anonymous', undefined, 403],
  ]);
});

test('a connection that does not come about is told as what it came to', async () => {
  await using audited = await start({ rules: [{ level: 'Metadata' }], omitStages: ['RequestReceived'] });
  await audited.running.ask(`${path}?watch=1&resourceVersion=x`);
  assert.deepEqual(audited.events('watch=1').map(briefly), ['ResponseStarted watch 400', 'ResponseComplete watch 400']);
});

test('what the policy leaves out is not told', async () => {
  await using audited = await start({ rules: [{ level: 'None', nonResourceURLs: ['/version'] }, { level: 'Metadata' }] });
  await audited.running.ask('/version');
  await audited.running.ask('/healthz');
  assert.deepEqual(
    [audited.events('/version').length, audited.events('/healthz').map(briefly)],
    [0, ['RequestReceived get', 'ResponseComplete get 200']],
  );
});
