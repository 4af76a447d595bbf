/**
 * An object's managed part, put beside it in the store: in every form of every answer, in nothing that components in this
 * process read, and kept by every write that changes nobody's fields.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Ask, type GuardedServer, startGuardedServer } from '../../../../test/kit/guarded-server.ts';
import { ConfigMap, HorizontalPodAutoscaler } from '../../../api/generated/kinds.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { decodeProtobuf } from '../../../api/schema/decode-protobuf.ts';
import { ManagedPart } from '../../store/managed-part.ts';

const manager = 'sower-of-fields';
const fieldsV1 = { 'f:data': { '.': {}, 'f:ä': {} } };
const managedFields = [{ manager, operation: 'Update', apiVersion: 'v1', time: '2026-01-02T03:04:05Z', fieldsType: 'FieldsV1', fieldsV1 }];
const managed = ManagedPart.of(JSON.stringify(managedFields));
const namespace = 'default';
const collection = '/api/v1/namespaces/default/configmaps';
const table = ';as=Table;v=v1;g=meta.k8s.io';
const partial = ';as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const partials = ';as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
const json = 'application/json';
const protobuf = 'application/vnd.kubernetes.protobuf';

/** Gives what is stored under the key a managed part of its own. The server has seen it then. */
async function sow({ storage, admin }: GuardedServer, key: string, part: ManagedPart = managed): Promise<number> {
  const [item] = (await storage.range({ key })).items;
  assert.ok(item, key);
  const written = await storage.commit([{ key, expect: item.revision, put: item.value, managed: part }]);
  assert.ok(written.ok);
  await admin.list(ConfigMap, { resourceVersion: String(written.revision) });
  return written.revision;
}

const keyOf = (name: string): string => `/registry/configmaps/${namespace}/${name}`;

async function sown(running: GuardedServer, ...names: readonly string[]): Promise<number> {
  let revision = 0;
  for (const name of names) {
    await running.admin.create(ConfigMap, { metadata: { name, namespace, labels: { sown: 'yes' } }, data: { grain: '1' } });
    revision = await sow(running, keyOf(name));
  }
  return revision;
}

const timesIn = (bytes: Buffer): number => bytes.toString('latin1').split(manager).length - 1;
const fieldsOf = (text: string): unknown => (JSON.parse(text) as KubeObject).metadata.managedFields;
const patch = (path: string, body: object, type = 'merge-patch'): [string, Ask] => [
  path,
  { method: 'PATCH', body, headers: { 'content-type': `application/${type}+json` } },
];

describe('a managed part is in every form of an answer', () => {
  let running: GuardedServer;
  let revision = 0;
  let beforeAll = 0;
  before(async () => {
    running = await startGuardedServer();
    beforeAll = await running.storage.latestRevision();
    revision = await sown(running, 'a', 'b', 'c');
    // so that lists of then are read from the store
    await running.admin.create(ConfigMap, { metadata: { name: 'plain', namespace } });
  });
  after(() => running[Symbol.asyncDispose]());

  const forms = [
    ['JSON', json, partial, partials],
    ['protobuf', protobuf, partial, partials],
    ['YAML', 'application/yaml', undefined, undefined],
  ] as const;
  const one = `${collection}/a`;
  const labelled = `${collection}?labelSelector=sown`;
  const rows: { name: string; path: string; accept: string; want: number }[] = [
    ...forms.flatMap(([name, accept]) => [
      { name: `one as ${name}`, path: one, accept, want: 1 },
      { name: `all as ${name}`, path: collection, accept, want: 3 },
      { name: `a page as ${name}`, path: `${collection}?limit=2`, accept, want: 2 },
      { name: `those of then as ${name}`, path: `${collection}?resourceVersionMatch=Exact`, accept, want: 3 },
    ]),
    ...forms.slice(0, 2).flatMap(([name, accept, onePart = '', allParts = '']) => [
      { name: `one's metadata as ${name}`, path: one, accept: accept + onePart, want: 1 },
      { name: `the metadata of all as ${name}`, path: collection, accept: accept + allParts, want: 3 },
    ]),
    { name: 'one as JSON for people', path: `${one}?pretty=true`, accept: json, want: 1 },
    { name: 'all as JSON for people', path: `${collection}?pretty=true`, accept: json, want: 3 },
    ...[one, labelled].flatMap((path) => [
      { name: `a table of ${path}`, path, accept: json + table, want: path === one ? 1 : 3 },
      {
        name: `a table with objects of ${path}`,
        path: `${path}${path === one ? '?' : '&'}includeObject=Object`,
        accept: json + table,
        want: path === one ? 1 : 3,
      },
      { name: `a table alone of ${path}`, path: `${path}${path === one ? '?' : '&'}includeObject=None`, accept: json + table, want: 0 },
    ]),
  ];
  for (const { name, path, accept, want } of rows) {
    it(name, async () => {
      const at = path.replace('Exact', `Exact&resourceVersion=${revision}`);
      const { code, bytes, text } = await running.ask(at, { headers: { accept } });
      assert.equal(code, 200, text);
      assert.equal(timesIn(bytes), want, text);
    });
  }

  it('whole, wherever a form tells it', async () => {
    assert.deepEqual(fieldsOf((await running.ask(one)).text), managedFields);
    assert.match(
      (await running.ask(one)).text,
      /^\{"kind":"ConfigMap","apiVersion":"v1","metadata":\{"resourceVersion":"\d+","managedFields":\[/,
    );
    const message = await running.ask(one, { headers: { accept: protobuf } });
    assert.deepEqual((decodeProtobuf(message.bytes, '') as unknown as KubeObject).metadata.managedFields, managedFields);
    const list = JSON.parse((await running.ask(labelled)).text) as { items: KubeObject[] };
    assert.deepEqual(
      list.items.map(({ metadata }) => [metadata.name, metadata.managedFields]),
      ['a', 'b', 'c'].map((name) => [name, managedFields]),
    );
  });

  it('what a watch tells: as it is, as it was, as it went, and as it was there before', async () => {
    const ask = (query: string, accept: string) =>
      running.ask(`${collection}?watch=true&timeoutSeconds=1&${query}`, { headers: { accept } });
    const tell = async (accept: string, index: number): Promise<void> => {
      const name = `watched-${index}`;
      const from = await sown(running, name);
      await running.admin.patch(ConfigMap, { name, namespace }, { type: 'merge', body: { data: { grain: '2' } } });
      await running.admin.delete(ConfigMap, { name, namespace });
      const query = `fieldSelector=metadata.name=${name}&resourceVersion=`;
      const [missed, all] = await Promise.all([ask(query + from, accept), ask(query + beforeAll, accept)]);
      assert.equal(timesIn(missed.bytes), 2, `MODIFIED, DELETED as ${accept}`);
      assert.equal(timesIn(all.bytes), 3, `ADDED without, MODIFIED twice, DELETED as ${accept}`);
      assert.equal(timesIn((await ask('fieldSelector=metadata.name=a', accept)).bytes), 1, `ADDED at first as ${accept}`);
    };
    await Promise.all([json, protobuf, json + table, json + partial].map(tell));
  });

  it('the object in another version of its API', async () => {
    const spec = { maxReplicas: 2, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } };
    await running.admin.create(HorizontalPodAutoscaler, { metadata: { name: 'h', namespace }, spec });
    await sow(running, `/registry/horizontalpodautoscalers/${namespace}/h`);
    for (const version of ['v1', 'v2']) {
      const { text } = await running.ask(`/apis/autoscaling/${version}/namespaces/${namespace}/horizontalpodautoscalers/h`);
      assert.deepEqual(fieldsOf(text), managedFields, version);
    }
  });
});

it('nothing that is read in this process has a managed part', async () => {
  await using running = await startGuardedServer();
  const { admin } = running;
  const revision = await sown(running, 'a', 'b');
  const at = { name: 'a', namespace };
  const read: unknown[] = [
    await admin.get(ConfigMap, at),
    await admin.list(ConfigMap, { namespace }),
    await admin.list(ConfigMap, { namespace, resourceVersion: String(revision), resourceVersionMatch: 'Exact' }),
    ...running.server.reader.list(ConfigMap, namespace),
    await admin.update(ConfigMap, { ...(await admin.get(ConfigMap, at)), data: { grain: '3' } }),
    await admin.patch(ConfigMap, at, { type: 'json', body: [{ op: 'add', path: '/data/b', value: 'c' }] }),
    await admin.delete(ConfigMap, { name: 'b', namespace }),
  ];
  for await (const event of admin.watch(ConfigMap, { namespace, resourceVersion: '1' })) {
    read.push(event);
    if (event.type === 'DELETED') break;
  }
  assert.ok(read.length > 10);
  for (const each of read) assert.ok(!JSON.stringify(each).includes('managedFields'), JSON.stringify(each));
});

describe('a managed part stays with its object', () => {
  let running: GuardedServer;
  before(async () => {
    running = await startGuardedServer();
    await sown(running, 'a', 'held', 'removed');
    const [path, given] = patch(`${collection}/held`, { metadata: { finalizers: ['example.com/hold'] } });
    await running.ask(path, given);
    await sow(running, keyOf('held'));
  });
  after(() => running[Symbol.asyncDispose]());
  const one = `${collection}/a`;
  const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', labels: { sown: 'yes' } }, data: { grain: '1' } };
  const thief = { ...object, metadata: { ...object.metadata, managedFields: [{ manager: 'thief' }] } };
  const put = (body: object): Ask => ({ method: 'PUT', body });
  const rows: readonly (readonly [name: string, ask: readonly [string, Ask]])[] = [
    ['a dry update that changes nothing', [`${one}?dryRun=All`, put(object)]],
    ['an update that changes nothing', [one, put(object)]],
    ['an update that changes nothing and sends what is no managedFields', [one, put(thief)]],
    ['a dry patch', patch(`${one}?dryRun=All`, { data: { grain: '1' } })],
    ['a patch', patch(one, { metadata: { labels: { sown: 'yes' } } })],
    ['a JSON patch', patch(one, [{ op: 'add', path: '/data/grain', value: '1' }], 'json-patch')],
    ['a dry delete that is held', [`${collection}/held?dryRun=All`, { method: 'DELETE' }]],
    ['a delete that is held', [`${collection}/held`, { method: 'DELETE' }]],
  ];
  for (const [name, [path, given]] of rows) {
    it(name, async () => {
      const { code, text } = await running.ask(path, given);
      assert.equal(code, 200, text);
      assert.deepEqual(fieldsOf(text), managedFields);
      if (!path.startsWith(one)) return;
      const [item] = (await running.storage.range({ key: keyOf('a') })).items;
      assert.equal(item?.managed, managed);
      assert.doesNotMatch(Buffer.from(item?.value ?? []).toString(), /managedFields|resourceVersion/);
    });
  }

  it('the release of what is held shows it as it goes', async () => {
    const { text } = await running.ask(...patch(`${collection}/held`, { metadata: { finalizers: null } }));
    assert.deepEqual(fieldsOf(text), managedFields);
  });

  it('a dry delete and a collection’s show it as it goes; what is made anew under the name has its own', async () => {
    const body = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'removed' } };
    const gone = await running.ask(`${collection}?fieldSelector=metadata.name=removed`, { method: 'DELETE' });
    assert.equal(timesIn(gone.bytes), 1);
    for (const query of ['?dryRun=All', '']) assert.equal(fieldsOf((await running.ask(collection + query, { body })).text), undefined);
  });

  it('an update that changes nothing writes nothing', async () => {
    const revision = await running.storage.latestRevision();
    await running.ask(...patch(one, { data: { grain: '1' } }));
    assert.equal(await running.storage.latestRevision(), revision);
  });

  it('what is too large with it is stored without it; what is applied is refused', async () => {
    await sown(running, 'large');
    const part = ManagedPart.of(JSON.stringify([{ ...managedFields[0], manager: 'x'.repeat(2 ** 20) }]));
    await sow(running, keyOf('large'), part);
    const data = (bytes: number) => ({ more: 'y'.repeat(bytes) });
    const grow = (bytes: number) => running.ask(...patch(`${collection}/large`, { data: data(bytes) }));
    const whatOf = ({ code, text }: { code: number; text: string }) => [code, (JSON.parse(text) as { message?: string }).message];
    const tooLarge = [500, 'etcdserver: request is too large'];
    assert.equal(timesIn((await grow(100_000)).bytes), 0);
    assert.notEqual(fieldsOf((await running.ask(`${collection}/large`)).text), undefined);
    const applied = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'large' }, data: data(700_000) };
    const headers = { 'content-type': 'application/apply-patch+yaml' };
    const apply = await running.ask(`${collection}/large?fieldManager=me&force=true`, { method: 'PATCH', body: applied, headers });
    assert.deepEqual(whatOf(apply), tooLarge);
    const grown = await grow(700_000);
    assert.equal(grown.code, 200);
    assert.equal(fieldsOf(grown.text), undefined);
  });
});
