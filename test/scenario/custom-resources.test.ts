/** Custom resources from their definition to its end, as clients see them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CustomResourceDefinition, Namespace } from '../../src/api/generated/kinds.ts';
import type { KubeObject, UnknownObject } from '../../src/api/meta/object.ts';
import { isNotFound } from '../../src/api/meta/status-error.ts';
import type { WatchEvent } from '../../src/client/client.ts';
import { define, definition, kindOf, preserving, undefine, version, whenDefined } from '../kit/definitions.ts';
import { type Answer, type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';

const json = <T = UnknownObject>({ text }: Answer): T => JSON.parse(text) as T;
const merge = { 'content-type': 'application/merge-patch+json' };
const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
const namespaced = (name: string, more: object = {}) => ({ metadata: { name, namespace: 'default' }, ...more });

async function started(): Promise<GuardedServer> {
  const guarded = await startGuardedServer();
  await guarded.admin.create(Namespace, { metadata: { name: 'default' }, spec: {} }).catch(() => undefined);
  return guarded;
}

/** `Type=Status Reason` */
const conditionsOf = ({ status }: CustomResourceDefinition): readonly string[] =>
  (status.conditions ?? []).map(({ type, status: state, reason }) => `${type}=${state} ${reason}`);

async function until<T extends KubeObject>(events: AsyncIterable<WatchEvent<T>>, wanted: (event: WatchEvent<T>) => boolean): Promise<void> {
  for await (const event of events) if (wanted(event)) return;
}

const shop = definition('Shop', {
  names: { shortNames: ['sh'], categories: ['all'] },
  versions: [
    version('v1', {
      schema: { openAPIV3Schema: { ...preserving, properties: { spec: { ...preserving, properties: { color: { type: 'string' } } } } } },
      subresources: {
        status: {},
        scale: { specReplicasPath: '.spec.a.replicas', statusReplicasPath: '.status.n', labelSelectorPath: '.status.sel' },
      },
      selectableFields: [{ jsonPath: '.spec.color' }],
      additionalPrinterColumns: [
        { name: 'Color', type: 'string', jsonPath: '.spec.color' },
        { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
        { name: 'Size', type: 'integer', jsonPath: '.spec.size', priority: 1 },
      ],
    }),
    version('v1beta1', { storage: false, deprecated: true, schema: { openAPIV3Schema: { type: 'object' } } }),
  ],
});
const path = '/apis/example.com/v1/namespaces/default/shops';
const Shops = kindOf(shop);
const shopOf = (name: string, more: object = {}) => ({ kind: 'Shop', apiVersion: 'example.com/v1', ...namespaced(name, more) });

describe('a custom resource', () => {
  it('says how far it is, and is served once it is established', async () => {
    await using guarded = await started();
    const { admin } = guarded;
    const told: (readonly string[])[] = [];
    const made = await admin.create(CustomResourceDefinition, shop);
    assert.deepEqual(made.status, { conditions: null, acceptedNames: { kind: '', plural: '' }, storedVersions: ['v1'] });
    const done = await whenDefined(admin, shop, (object) => {
      told.push(conditionsOf(object));
      return conditionsOf(object).includes('Established=True InitialNamesAccepted');
    });
    const accepted = 'NamesAccepted=True NoConflicts';
    assert.deepEqual(told.at(-1), [accepted, 'Established=True InitialNamesAccepted']);
    for (const each of told.slice(0, -1)) assert.ok(['', `${accepted},Established=False Installing`].includes(each.join()), each.join());
    assert.deepEqual(done.status.acceptedNames, {
      plural: 'shops',
      singular: 'shop',
      kind: 'Shop',
      listKind: 'ShopList',
      shortNames: ['sh'],
      categories: ['all'],
    });
    assert.equal((await admin.create(Shops, namespaced('a'))).metadata.generation, 1);
  });

  it('is created, read, changed and deleted like any other', async () => {
    await using guarded = await started();
    const { admin, ask } = guarded;
    await define(admin, shop);
    const finalizers = ['odd', 'a.b', 'a.b/c', 'orphan'];
    const made = await ask(path, {
      body: { ...shopOf('a', { spec: { color: 'red' }, status: { n: 1 } }), metadata: { name: 'a', finalizers } },
    });
    assert.equal(made.code, 201, made.text);
    const { metadata, spec, status, kind, apiVersion } = json(made);
    assert.deepEqual([kind, apiVersion, metadata.generation, spec, status], ['Shop', 'example.com/v1', 1, { color: 'red' }, undefined]);
    const prefer = 'to avoid accidental conflicts with other finalizer writers';
    assert.deepEqual(
      [made.headers['warning']]
        .flat()
        .join(' ')
        .match(/metadata.finalizers: .*?writers/g),
      [
        `metadata.finalizers: \\"a.b\\": prefer a domain-qualified finalizer name including a path (/) ${prefer}`,
        `metadata.finalizers: \\"odd\\": prefer a domain-qualified finalizer name ${prefer}`,
      ],
    );
    const list = json<UnknownObject & { items: KubeObject[] }>(await ask(path));
    assert.deepEqual([list.kind, list.items.map((item) => item.kind)], ['ShopList', ['Shop']], 'items say what they are');
    assert.equal((list.metadata as { continue?: string }).continue, '');

    const patched = await ask(`${path}/a`, { method: 'PATCH', headers: merge, body: { spec: { size: 2 }, status: { n: 9 } } });
    assert.deepEqual([json(patched).metadata.generation, json(patched)['status']], [2, undefined]);
    const operations = [{ op: 'add', path: '/metadata/labels', value: { a: 'b' } }];
    const labelled = await ask(`${path}/a`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json-patch+json' },
      body: operations,
    });
    assert.deepEqual([json(labelled).metadata.generation, json(labelled).metadata.labels], [2, { a: 'b' }], 'metadata do not count');
    const told = await ask(`${path}/a/status`, {
      method: 'PATCH',
      headers: merge,
      body: {
        metadata: { labels: { a: 'c' }, annotations: { x: 'y' } },
        spec: { size: 7 },
        status: { n: 3, conditions: [{ type: 'Ready', status: 'True' }] },
      },
    });
    const after = json<UnknownObject & { spec: unknown; status: { n: number } }>(told);
    assert.deepEqual([after.spec, after.status.n, after.metadata.generation], [{ color: 'red', size: 2 }, 3, 2]);
    assert.deepEqual([after.metadata.labels, after.metadata.annotations], [{ a: 'b' }, undefined], 'of status, metadata stay');

    const seen = json<{ columnDefinitions: { name: string; priority: number; description: string }[]; rows: { cells: unknown[] }[] }>(
      await ask(path, { headers: table }),
    );
    assert.deepEqual(
      seen.columnDefinitions.map(({ name, priority }) => [name, priority]),
      [
        ['Name', 0],
        ['Color', 0],
        ['Ready', 0],
        ['Size', 1],
      ],
    );
    assert.equal(seen.columnDefinitions[1]?.description, 'Custom resource definition column (in JSONPath format): .spec.color');
    assert.deepEqual(
      seen.rows.map(({ cells }) => cells),
      [['a', 'red', 'True', 2]],
    );

    const old = await ask('/apis/example.com/v1beta1/namespaces/default/shops/a', { headers: table });
    assert.match(String(old.headers['warning']), /example.com\/v1beta1 Shop is deprecated; use example.com\/v1 Shop/);
    assert.deepEqual(
      json<{ columnDefinitions: { name: string }[] }>(old).columnDefinitions.map(({ name }) => name),
      ['Name', 'Age'],
    );
    const other = await ask('/apis/example.com/v1beta1/namespaces/default/shops/a');
    assert.equal(json(other).apiVersion, 'example.com/v1beta1', 'without conversion, the version alone changes');
    assert.equal((await ask('/apis/example.com/v1beta1/namespaces/default/shops/a/status')).code, 404);

    assert.equal((await ask(`${path}/a`, { method: 'PATCH', headers: merge, body: { metadata: { finalizers: null } } })).code, 200);
    const gone = json<{ status: string; details: unknown }>(await ask(`${path}/a`, { method: 'DELETE' }));
    assert.deepEqual([gone.status, gone.details], ['Success', { name: 'a', group: 'example.com', kind: 'shops', uid: metadata.uid }]);
  });

  it('is refused what it has no form for', async () => {
    await using guarded = await started();
    const { admin, ask } = guarded;
    await define(admin, shop);
    await admin.create(Shops, namespaced('a'));
    const protobuf = 'application/vnd.kubernetes.protobuf';
    assert.equal((await ask(`${path}/a`, { headers: { accept: protobuf } })).code, 406);
    assert.equal((await ask(path, { body: 'k8s', headers: { 'content-type': protobuf } })).code, 415);
    const strategic = { 'content-type': 'application/strategic-merge-patch+json' };
    assert.equal((await ask(`${path}/a`, { method: 'PATCH', headers: strategic, body: {} })).code, 415);
    const partial = { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' };
    const meta = json(await ask(`${path}/a`, { headers: partial }));
    assert.deepEqual([meta.kind, meta.metadata.name], ['PartialObjectMetadata', 'a']);
    assert.equal((await ask(`/apis/coordination.k8s.io/v1/namespaces/default/leases`, { headers: { accept: protobuf } })).code, 200);
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    assert.equal((await ask(`${crds}/shops.example.com`, { headers: { accept: protobuf } })).code, 200, 'definitions have one');
  });

  it('is selected by the fields that it names', async () => {
    await using guarded = await started();
    const { admin, ask } = guarded;
    await define(admin, shop);
    await admin.create(Shops, namespaced('a', { spec: { color: 'red' } }));
    await admin.create(Shops, namespaced('b', { spec: {} }));
    const names = async (query: string): Promise<readonly unknown[]> =>
      json<{ items: KubeObject[] }>(await ask(`${path}?fieldSelector=${query}`)).items.map(({ metadata }) => metadata.name);
    assert.deepEqual(await names('spec.color=red'), ['a']);
    assert.deepEqual(await names('spec.color='), ['b']);
    assert.deepEqual(await names('metadata.name!=a'), ['b']);
    const refused = await ask(`${path}?fieldSelector=spec.size=3`);
    assert.deepEqual([refused.code, json<{ message: string }>(refused).message], [400, 'field label not supported: spec.size']);
  });

  it('is scaled where its paths say', async () => {
    await using guarded = await started();
    const { admin, ask } = guarded;
    await define(admin, shop);
    await admin.create(Shops, namespaced('a', { spec: { a: { replicas: 2, other: 1 } } }));
    await ask(`${path}/a/status`, { method: 'PATCH', headers: merge, body: { status: { n: 1, sel: 'app=a' } } });
    const scale = json<{ spec: unknown; status: unknown; kind: string }>(await ask(`${path}/a/scale`));
    assert.deepEqual([scale.kind, scale.spec, scale.status], ['Scale', { replicas: 2 }, { replicas: 1, selector: 'app=a' }]);
    const scaled = await ask(`${path}/a/scale`, { method: 'PATCH', headers: merge, body: { spec: { replicas: 5 } } });
    assert.deepEqual(json<{ spec: unknown }>(scaled).spec, { replicas: 5 });
    const { metadata, spec } = json(await ask(`${path}/a`));
    assert.deepEqual([metadata.generation, spec], [2, { a: { replicas: 5, other: 1 } }]);
    const wrong = await ask(`${path}/a`, { method: 'PATCH', headers: merge, body: { spec: { a: { replicas: 'many' } } } });
    assert.deepEqual(
      [wrong.code, json<{ message: string }>(wrong).message],
      [
        422,
        'Shop.example.com "a" is invalid: .spec.a.replicas: Invalid value: 0: .spec.a.replicas accessor error: many is of the type string, expected int64',
      ],
    );
  });

  it('is in discovery as long as it is there', async () => {
    await using guarded = await started();
    const { admin, ask } = guarded;
    await define(admin, shop);
    const view = ['get', 'patch', 'update'];
    const verbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
    const of = { namespaced: true, kind: 'Shop' };
    assert.deepEqual(json<{ resources: unknown }>(await ask('/apis/example.com/v1')).resources, [
      { name: 'shops', singularName: 'shop', ...of, verbs, shortNames: ['sh'], categories: ['all'], storageVersionHash: 'Fp1tg6pgJAs=' },
      { name: 'shops/status', singularName: '', ...of, verbs: view },
      { name: 'shops/scale', singularName: '', namespaced: true, group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: view },
    ]);
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const { items } = json<{
      items: { versions: { resources: { responseKind: object; subresources: { responseKind: object }[] }[] }[] }[];
    }>(await ask('/apis', { headers: { accept } }));
    const [shops] = items
      .flatMap(({ versions }) => versions[0]?.resources ?? [])
      .filter((each) => JSON.stringify(each).includes('"shops"'));
    const own = { group: 'example.com', version: 'v1', kind: 'Shop' };
    assert.deepEqual(
      [shops?.responseKind, ...(shops?.subresources ?? []).map(({ responseKind }) => responseKind)],
      [own, own, { group: 'autoscaling', version: 'v1', kind: 'Scale' }],
    );
    await admin.create(Shops, { metadata: { name: 'a', namespace: 'default', finalizers: ['example.com/held'] } });
    await admin.delete(CustomResourceDefinition, { name: 'shops.example.com' });
    await whenDefined(admin, shop, (object) => conditionsOf(object).includes('Terminating=True InstanceDeletionInProgress'));
    const { resources } = json<{ resources: { verbs: unknown }[] }>(await ask('/apis/example.com/v1'));
    assert.deepEqual(resources[0]?.verbs, ['delete', 'deletecollection', 'get', 'list', 'watch']);
    const gone = whenDefined(admin, shop, (_, type) => type === 'DELETED');
    await admin.patch(Shops, { name: 'a', namespace: 'default' }, { type: 'merge', body: { metadata: { finalizers: null } } });
    await gone;
    assert.equal((await ask('/apis/example.com/v1')).code, 404);
  });
});

describe('the end of a definition', () => {
  it('takes its objects first, and refuses new ones', async () => {
    await using guarded = await started();
    const { admin } = guarded;
    const { metadata } = await define(admin, shop);
    await admin.create(Shops, namespaced('free'));
    await admin.create(Shops, { metadata: { name: 'held', namespace: 'default', finalizers: ['example.com/held'] } });
    const watching = admin.watch(Shops)[Symbol.asyncIterator]();
    await watching.next(); // it begins when it is first asked
    const marked = await admin.delete(CustomResourceDefinition, { name: 'shops.example.com' });
    assert.ok('spec' in marked);
    assert.deepEqual(
      [marked.metadata.finalizers, marked.metadata.uid, conditionsOf(marked).at(-1)],
      [['customresourcecleanup.apiextensions.k8s.io'], metadata.uid, 'Terminating=True InstanceDeletionPending'],
    );
    await assert.rejects(admin.create(Shops, namespaced('late')), {
      code: 403,
      message: 'shops.example.com "late" is forbidden: create not allowed while custom resource definition is terminating',
    });
    await until(admin.watch(Shops, { namespace: 'default' }), ({ type, object }) => type === 'DELETED' || object.metadata.name === 'held');
    await until(admin.watch(Shops), ({ object }) => object.metadata.deletionTimestamp !== undefined);
    assert.equal((await admin.list(Shops)).items.length, 1);
    const gone = whenDefined(admin, shop, (_, type) => type === 'DELETED');
    await admin.patch(Shops, { name: 'held', namespace: 'default' }, { type: 'merge', body: { metadata: { finalizers: null } } });
    assert.equal(conditionsOf(await gone).at(-1), 'Terminating=True InstanceDeletionInProgress');
    await assert.rejects(admin.list(Shops), isNotFound);
    await assert.rejects(async () => {
      for (;;) if ((await watching.next()).done) return;
    }, /the server has ended the watch/);
  });

  it('leaves nothing for the next of its name, whatever that is', async () => {
    await using guarded = await started();
    const { admin } = guarded;
    await define(admin, shop);
    await admin.create(Shops, namespaced('a'));
    await undefine(admin, shop);
    const other = definition('Store', { scope: 'Cluster', names: { plural: 'shops' } });
    await define(admin, other);
    assert.deepEqual((await admin.list(kindOf(other))).items, []);
    await admin.create(kindOf(other), { metadata: { name: 'b' } });
    assert.equal((await admin.list(kindOf(other))).items[0]?.kind, 'Store');
  });

  it('of one that was never established needs no objects to go', async () => {
    await using guarded = await started();
    const { admin } = guarded;
    await define(admin, shop);
    await admin.create(Shops, namespaced('a'));
    const clash = definition('Shop', { names: { plural: 'clashes', singular: 'clash' } });
    await admin.create(CustomResourceDefinition, clash);
    await whenDefined(admin, clash, (object) => conditionsOf(object).includes('NamesAccepted=False ListKindConflict'));
    await undefine(admin, clash);
    assert.equal((await admin.list(Shops)).items.length, 1, 'those of the other stay');
  });
});

describe('names', () => {
  it('that another has are not accepted until it gives them up', async () => {
    await using guarded = await started();
    const { admin } = guarded;
    await define(admin, shop);
    const store = definition('Store', { names: { shortNames: ['sh', 'st'] } });
    await admin.create(CustomResourceDefinition, store);
    const refused = await whenDefined(admin, store, (object) => conditionsOf(object).length > 0);
    assert.deepEqual(conditionsOf(refused), ['NamesAccepted=False ShortNamesConflict', 'Established=False NotAccepted']);
    assert.equal(refused.status.conditions?.[0]?.message, '"sh" is already in use');
    assert.deepEqual(refused.status.acceptedNames, { plural: 'stores', singular: 'store', kind: 'Store', listKind: 'StoreList' });
    await assert.rejects(admin.list(kindOf(store)), isNotFound);
    await undefine(admin, shop);
    await whenDefined(admin, store, (object) => conditionsOf(object).includes('Established=True InitialNamesAccepted'));
    assert.deepEqual((await admin.list(kindOf(store))).items, []);
  });

  it('may change while it is served', async () => {
    await using guarded = await started();
    const { admin, ask } = guarded;
    await define(admin, shop);
    const names = { plural: 'shops', kind: 'Shop', singular: 'boutique', shortNames: ['bt'] };
    await admin.patch(CustomResourceDefinition, { name: 'shops.example.com' }, { type: 'merge', body: { spec: { names } } });
    await whenDefined(admin, shop, ({ status }) => status.acceptedNames?.singular === 'boutique');
    const { resources } = json<{ resources: { singularName: string; shortNames: unknown }[] }>(await ask('/apis/example.com/v1'));
    assert.deepEqual([resources[0]?.singularName, resources[0]?.shortNames], ['boutique', ['bt']]);
  });
});
