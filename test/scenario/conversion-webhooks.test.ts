/** Custom resources of which a webhook converts one version into another, and what it may not do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { CustomResourceDefinition, Namespace } from '../../src/api/generated/kinds.ts';
import type { UnknownObject } from '../../src/api/meta/object.ts';
import { define, definition, kindOf, undefine, version } from '../kit/definitions.ts';
import { type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';
import { type AskedObject, startWebhookServer, type WebhookAnswer, type WebhookServer } from '../kit/webhook-server.ts';

interface Beds extends AsyncDisposable {
  readonly guarded: GuardedServer;
  readonly metrics: Registry;
  readonly hook: WebhookServer;
  /** what the webhook makes of a good answer */
  spoil(change: (converted: AskedObject[]) => unknown): void;
}

const sized = { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } };
const wide = {
  type: 'object',
  properties: {
    spec: { type: 'object', properties: { width: { type: 'integer' }, color: { type: 'string', default: 'white' } } },
  },
};

/** v1 has a size, v2 a width. */
const bed = (hook: WebhookServer, names = {}) =>
  definition('Bed', {
    names,
    versions: [version('v1', { schema: { openAPIV3Schema: sized } }), version('v2', { storage: false, schema: { openAPIV3Schema: wide } })],
    conversion: {
      strategy: 'Webhook',
      webhook: { conversionReviewVersions: ['v9', 'v1'], clientConfig: hook.clientConfig('/convert') },
    },
  });

function converted(object: AskedObject, apiVersion: string): AskedObject {
  const { size, width } = (object.spec ?? {}) as { size?: number; width?: number };
  return { ...object, apiVersion, spec: apiVersion.endsWith('v2') ? { width: size, unknown: true } : { size: width } };
}

const answering =
  (spoil: (converted: AskedObject[]) => unknown): WebhookAnswer =>
  ({ objects = [], desiredAPIVersion = '' }) => {
    const all = objects.map((object) => converted(object, desiredAPIVersion));
    return { convertedObjects: spoil(all) ?? all, result: { status: 'Success' } };
  };

async function startBeds(): Promise<Beds> {
  const stack = new AsyncDisposableStack();
  const hook = stack.use(await startWebhookServer());
  const metrics = new Registry();
  const guarded = stack.use(await startGuardedServer({ metrics }));
  hook.answer(
    '/convert',
    answering(() => undefined),
  );
  await guarded.admin.create(Namespace, { metadata: { name: 'default' }, spec: {} }).catch(() => undefined);
  await define(guarded.admin, bed(hook));
  return {
    guarded,
    hook,
    metrics,
    spoil: (change) => hook.answer('/convert', answering(change)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const V1 = kindOf(definition('Bed'), 'v1');
const V2 = kindOf(definition('Bed'), 'v2');
const at = (name: string) => ({ name, namespace: 'default' });
const specOf = ({ spec }: UnknownObject): unknown => spec;

it('each version is read and written as if it were the stored one', async () => {
  await using beds = await startBeds();
  const { guarded, hook } = beds;
  const { admin } = guarded;
  await admin.create(V1, { metadata: { ...at('a'), labels: { a: 'b' } }, spec: { size: 3 } });
  assert.equal(hook.asked.length, 0, 'nothing had to be converted');
  const seen = await admin.get(V2, at('a'));
  assert.deepEqual(
    [seen.apiVersion, seen.spec],
    ['example.com/v2', { width: 3 }],
    'what v2 does not know is dropped, its defaults are for what it stores',
  );
  const { objects = [], desiredAPIVersion, uid } = hook.asked[0] ?? assert.fail();
  assert.deepEqual([desiredAPIVersion, objects.length, objects[0]?.apiVersion], ['example.com/v2', 1, 'example.com/v1']);
  assert.match(uid, /^[-0-9a-f]{36}$/);
  const made = await admin.create(V2, { metadata: at('b'), spec: { width: 5 } });
  assert.deepEqual(made.spec, { width: 5 }, 'as it comes back from v1');
  assert.deepEqual(specOf(await admin.get(V1, at('b'))), { size: 5 });
  await admin.patch(V2, at('a'), { type: 'merge', body: { spec: { width: 7 } } });
  assert.deepEqual((await admin.list(V1)).items.map(specOf), [{ size: 7 }, { size: 5 }]);
  hook.asked.length = 0;
  await admin.create(V1, { metadata: at('c'), spec: { size: 1 } });
  await admin.create(V1, { metadata: at('d'), spec: { size: 2 } });
  assert.deepEqual((await admin.list(V2)).items.map(specOf), [{ width: 7 }, { width: 5 }, { width: 1 }, { width: 2 }]);
  assert.deepEqual(
    hook.asked.map(({ objects: asked = [] }) => asked.length),
    [2],
    'those that were not known yet, together',
  );
});

describe('who owns which fields', () => {
  const v1 = 'example.com/v1';
  const v2 = 'example.com/v2';
  const size = { 'f:spec': { 'f:size': {} } };
  const width = { 'f:spec': { 'f:width': {} } };
  const label = { 'f:metadata': { 'f:labels': { '.': {}, 'f:x': {} } } };
  /** v2's default, which whoever writes in v2 gives */
  const color = { 'f:color': {} };
  const labelled = { metadata: { labels: { x: 'y' } } };
  type Written = readonly [apiVersion: string, body: object];
  type Owner = readonly [manager: string, apiVersion: string | undefined, fields: object | undefined];

  const written = async (
    { guarded }: Beds,
    [version, body]: Written,
    { type, by }: { readonly type: string; readonly by: string },
  ): Promise<readonly Owner[]> => {
    const isNew = type === 'json';
    const { code, text } = await guarded.ask(`/apis/${version}/namespaces/default/beds${isNew ? '' : '/a'}?fieldManager=${by}`, {
      method: isNew ? 'POST' : 'PATCH',
      headers: { 'content-type': `application/${type}` },
      body: { apiVersion: version, kind: 'Bed', metadata: at('a'), ...body },
    });
    assert.ok(code < 300, text);
    const { metadata } = JSON.parse(text) as UnknownObject;
    return (metadata.managedFields ?? []).map(({ manager, apiVersion, fieldsV1 }) => [manager ?? '', apiVersion, fieldsV1]);
  };
  const apply = (beds: Beds, wanted: Written) => written(beds, wanted, { type: 'apply-patch+yaml', by: 'applies' });
  const merge = (beds: Beds, wanted: Written) => written(beds, wanted, { type: 'merge-patch+json', by: 'merges' });

  interface Row {
    readonly name: string;
    readonly applied: Written;
    readonly merged: Written;
    readonly want: readonly Owner[];
  }
  const rows: readonly Row[] = [
    {
      name: 'whoever writes another field in the other version takes none',
      applied: [v1, { spec: { size: 3 } }],
      merged: [v2, labelled],
      want: [
        ['applies', v1, size],
        ['merges', v2, { ...label, 'f:spec': color }],
      ],
    },
    {
      name: 'whoever writes a field by its other name takes it',
      applied: [v1, { spec: { size: 3 } }],
      merged: [v2, { spec: { width: 7 } }],
      want: [['merges', v2, { 'f:spec': { ...color, ...width['f:spec'] } }]],
    },
    {
      name: 'whoever writes another field in the stored version takes none',
      applied: [v2, { spec: { width: 3 } }],
      merged: [v1, labelled],
      want: [
        ['applies', v2, width],
        ['merges', v1, label],
      ],
    },
    {
      name: 'whoever writes a field by its stored name takes it',
      applied: [v2, { spec: { width: 3 } }],
      merged: [v1, { spec: { size: 7 } }],
      want: [['merges', v1, size]],
    },
  ];
  for (const { name, applied, merged, want } of rows) {
    it(name, async () => {
      await using beds = await startBeds();
      await apply(beds, applied);
      assert.deepEqual(await merge(beds, merged), want);
    });
  }

  it('whoever makes one owns all that he wants, as he names it', async () => {
    await using beds = await startBeds();
    const made = await written(beds, [v2, { spec: { width: 3 } }], { type: 'json', by: 'makes' });
    assert.deepEqual(made, [['makes', v2, { 'f:spec': { '.': {}, ...color, ...width['f:spec'] } }]]);
  });

  it('what is owned in a version stays owned until there is no such version', async () => {
    await using beds = await startBeds();
    const { admin } = beds.guarded;
    await apply(beds, [v1, { spec: { size: 3 } }]);
    const name = { name: 'beds.example.com' };
    const turn = async (...versions: readonly object[]) => {
      await admin.patch(CustomResourceDefinition, name, { type: 'merge', body: { spec: { versions } } });
    };
    const newest = version('v2', { schema: { openAPIV3Schema: wide } });
    await turn(version('v1', { served: false, storage: false, schema: { openAPIV3Schema: sized } }), newest);
    assert.deepEqual(await merge(beds, [v2, labelled]), [
      ['applies', v1, size],
      ['merges', v2, { ...label, 'f:spec': color }],
    ]);
    await admin.patch(
      CustomResourceDefinition,
      name,
      { type: 'merge', body: { status: { storedVersions: ['v2'] } } },
      { subresource: 'status' },
    );
    await turn(newest);
    assert.deepEqual(await merge(beds, [v2, { metadata: { labels: { x: 'z' } } }]), [['merges', v2, { ...label, 'f:spec': color }]]);
  });
});

it('what is asked of it is counted and timed', async () => {
  await using beds = await startBeds();
  const { admin } = beds.guarded;
  await admin.create(V1, { metadata: at('a'), spec: { size: 3 } });
  await admin.get(V2, at('a'));
  beds.spoil(() => []);
  await admin.create(V1, { metadata: at('b'), spec: { size: 3 } });
  await assert.rejects(admin.get(V2, at('b')));
  const text = await beds.metrics.metrics();
  for (const series of [
    'apiserver_conversion_webhook_request_total{result="success",failure_type=""}',
    'apiserver_conversion_webhook_request_total{result="failure",failure_type="conversion_webhook_partial_response_failure"}',
    'apiserver_conversion_webhook_duration_seconds_count{result="success",failure_type=""}',
    'apiserver_crd_conversion_webhook_duration_seconds_count{crd_name="beds.example.com",from_version="v1",to_version="v2",succeeded="true"}',
    'apiserver_crd_conversion_webhook_duration_seconds_count{crd_name="beds.example.com",from_version="v1",to_version="v2",succeeded="false"}',
  ])
    assert.ok(text.includes(`${series} 1\n`), series);
});

it('labels and annotations are all that it changes of metadata', async () => {
  await using beds = await startBeds();
  const { admin } = beds.guarded;
  const made = await admin.create(V1, { metadata: { ...at('a'), labels: { a: 'b' }, annotations: { x: 'y' } }, spec: { size: 3 } });
  beds.spoil(([object]) => [
    {
      ...object,
      metadata: {
        ...object?.metadata,
        labels: { c: 'd' },
        annotations: undefined,
        generation: 9,
        finalizers: ['x/y'],
        resourceVersion: '1',
      },
    },
  ]);
  assert.deepEqual((await admin.get(V2, at('a'))).metadata, { ...omitMarks(made), labels: { c: 'd' } });
});

const omitMarks = ({ metadata }: UnknownObject) => {
  const { labels: _labels, annotations: _annotations, ...rest } = metadata;
  return rest;
};

describe('what it answers is no answer', () => {
  const failed = 'conversion webhook for example.com/v1, Kind=Bed failed: ';
  const returned = 'conversion webhook for example.com/v1, Kind=Bed returned ';
  const changed = (change: object) => (all: AskedObject[]) => all.map((object) => ({ ...object, ...change }));
  const renamed = (change: object) => (all: AskedObject[]) =>
    all.map((object) => ({ ...object, metadata: { ...object.metadata, ...change } }));
  const rows: readonly { readonly name: string; readonly spoil: (all: AskedObject[]) => unknown; readonly want: string | RegExp }[] = [
    { name: 'too few', spoil: () => [], want: `${returned}0 objects, expected 1` },
    { name: 'too many', spoil: ([object]) => [object, object], want: `${returned}2 objects, expected 1` },
    {
      name: 'another version',
      spoil: changed({ apiVersion: 'example.com/v3' }),
      want: `${returned}invalid object at index 0: invalid groupVersion (expected example.com/v2, received example.com/v3)`,
    },
    {
      name: 'another kind',
      spoil: changed({ kind: 'Sofa' }),
      want: `${returned}invalid object at index 0: invalid kind (expected Bed, received Sofa)`,
    },
    { name: 'no kind', spoil: changed({ kind: '' }), want: /returned invalid object: Object 'Kind' is missing in/ },
    { name: 'a text', spoil: () => ['x'], want: /returned invalid object: cannot unmarshal string/ },
    { name: 'another name', spoil: renamed({ name: 'z' }), want: `${returned}invalid object: must have the same name: a != z` },
    {
      name: 'another namespace',
      spoil: renamed({ namespace: 'z' }),
      want: `${returned}invalid object: must have the same namespace: default != z`,
    },
    { name: 'another uid', spoil: renamed({ uid: 'z' }), want: /returned invalid object: must have the same UID: [-0-9a-f]+ != z$/ },
    { name: 'no metadata', spoil: changed({ metadata: undefined }), want: `${returned}invalid object: must have the same name: a != ` },
    {
      name: 'labels that are none',
      spoil: renamed({ labels: 'z' }),
      want: `${returned}invalid metadata: invalid metadata.labels in converted object`,
    },
    { name: 'a label that is none', spoil: renamed({ labels: { a: 1 } }), want: /metadata.labels\[a\] must be a string, but is number/ },
    {
      name: 'a wrong label',
      spoil: renamed({ labels: { a: '-' } }),
      want: /returned invalid metadata: metadata.labels: Invalid value: "-": a valid label/,
    },
  ];
  for (const { name, spoil, want } of rows) {
    it(name, async () => {
      await using beds = await startBeds();
      const { admin } = beds.guarded;
      await admin.create(V1, { metadata: at('a'), spec: { size: 3 } });
      beds.spoil(spoil);
      await assert.rejects(admin.get(V2, at('a')), { code: 500, reason: '', message: want });
      await assert.rejects(admin.list(V2), { message: want });
      beds.spoil(() => undefined);
      assert.deepEqual(specOf(await admin.get(V2, at('a'))), { width: 3 }, 'nothing of it is kept');
    });
  }

  it('a refusal, another review, and none at all', async () => {
    await using beds = await startBeds();
    const { guarded, hook } = beds;
    const { admin } = guarded;
    await admin.create(V1, { metadata: at('a'), spec: { size: 3 } });
    const answers: readonly (readonly [WebhookAnswer, string | RegExp])[] = [
      [() => ({ result: { status: 'Failure', message: 'too soft' } }), `${failed}too soft`],
      [() => ({ result: { status: 'Failure' } }), `${failed}response.result.status was 'Failure', not 'Success'`],
      [() => ({ result: {} }), `${failed}response.result.status was '', not 'Success'`],
      [({ uid }) => ({ uid: `${uid}z` }), /failed: expected response.uid="[-0-9a-f]+", got "[-0-9a-f]+z"$/],
      [
        (_, response) => void response.end('{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1"}'),
        `${failed}no response provided`,
      ],
      [
        (_, response) => void response.end('{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1beta1"}'),
        /failed: expected webhook response of apiextensions.k8s.io\/v1, Kind=ConversionReview, got apiextensions.k8s.io\/v1beta1, Kind=ConversionReview/,
      ],
      [(_, response) => void response.writeHead(503).end(), /failed: .*the server is currently unable to handle the request/],
      [(_, response) => void response.destroy(), new RegExp(`failed: Post "https://127.0.0.1:${hook.port}/convert\\?timeout=30s": EOF`)],
    ];
    for (const [answer, message] of answers) {
      hook.answer('/convert', answer);
      await assert.rejects(admin.get(V2, at('a')), { code: 500, message });
      await assert.rejects(admin.create(V2, { metadata: at('b'), spec: { width: 1 } }), { code: 500 });
    }
    assert.deepEqual(
      (await admin.list(V1)).items.map(({ metadata }) => metadata.name),
      ['a'],
      'what was not converted was not stored',
    );
  });
});

it('what can not be converted any more goes with its definition all the same', async () => {
  await using beds = await startBeds();
  const { guarded, hook } = beds;
  const { admin } = guarded;
  await admin.create(V1, { metadata: at('a'), spec: { size: 3 } });
  hook.answer('/convert', (_, response) => void response.destroy());
  const versions = [
    version('v1', { storage: false, schema: { openAPIV3Schema: sized } }),
    version('v2', { schema: { openAPIV3Schema: wide } }),
  ];
  await admin.patch(CustomResourceDefinition, { name: 'beds.example.com' }, { type: 'merge', body: { spec: { versions } } });
  await undefine(admin, definition('Bed'));
});
