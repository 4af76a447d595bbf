/**
 * Server-side apply and the managers of all other writes, over HTTP: codes, words and owners as upstream's server has
 * them. What becomes of objects in general is in api/apply.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { define, definition, version } from '../../../../test/kit/definitions.ts';
import { type Answer, type GuardedServer, startGuardedServer } from '../../../../test/kit/guarded-server.ts';
import { ConfigMap, Pod } from '../../../api/generated/kinds.ts';
import type { ManagedFieldsEntry, Status } from '../../../api/generated/meta-v1.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const types = {
  apply: 'application/apply-patch+yaml',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  update: 'application/json',
  create: 'application/json',
} as const;

const map = (name: string, data?: object, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  ...(data && { data }),
});
const deployment = (name: string, spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'a' } },
    template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 80 }] }] } },
    ...spec,
  },
});
const scale = (name: string, replicas: number) => ({
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  metadata: { name, namespace: 'default' },
  spec: { replicas },
});

/** `manager Operation subresource: fields`, one line each. */
const owners = ({ text }: Pick<Answer, 'text'>): string[] =>
  ((JSON.parse(text) as KubeObject).metadata.managedFields ?? []).map(
    ({ manager, operation, subresource, fieldsV1 }: ManagedFieldsEntry) =>
      `${manager} ${operation}${subresource ? ` ${subresource}` : ''}: ${JSON.stringify(fieldsV1)}`,
  );

type Sort = keyof typeof types;
const methods: Readonly<Record<Sort, string>> = {
  apply: 'PATCH',
  merge: 'PATCH',
  strategic: 'PATCH',
  json: 'PATCH',
  update: 'PUT',
  create: 'POST',
};

class Asker {
  readonly #running: GuardedServer;
  constructor(running: GuardedServer) {
    this.#running = running;
  }
  ask(sort: Sort, path: string, body: object | string, agent = 'tester/1'): Promise<Answer> {
    const headers = { 'content-type': types[sort], 'user-agent': agent };
    return this.#running.ask(path, { method: methods[sort], body, headers });
  }
  get(path: string): Promise<Answer> {
    return this.#running.ask(path);
  }
}

describe('server-side apply', () => {
  let running: GuardedServer;
  let asker: Asker;
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  before(async () => {
    running = await startGuardedServer({ clock });
    asker = new Asker(running);
    await asker.ask('create', maps, map('a', { a: '1', b: '2' }));
    await asker.ask('apply', `${maps}/b?fieldManager=me`, map('b', { a: '1' }));
    await asker.ask('create', deployments, deployment('d'));
  });
  after(() => running[Symbol.asyncDispose]());

  const uid = '8b6e2a0e-0000-4000-8000-000000000000';
  const refusals: readonly { name: string; path?: string; body?: object | string; sort?: Sort; code: number; message: string }[] = [
    {
      name: 'no manager',
      path: 'b',
      code: 422,
      message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    },
    {
      name: 'too long a manager',
      path: `b?fieldManager=${'x'.repeat(129)}`,
      code: 422,
      message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
    },
    {
      name: 'a manager that can not be printed',
      path: 'b?fieldManager=a%0Ab',
      code: 422,
      message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\nb": invalid character U+000A (at position 1)',
    },
    {
      name: 'force of another patch',
      sort: 'merge',
      path: 'b?force=true',
      body: {},
      code: 422,
      message: 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    },
    { name: 'another name', body: map('c'), code: 400, message: 'the name of the object (c) does not match the name on the URL (b)' },
    { name: 'another kind', body: { ...map('b'), kind: 'Secret' }, code: 400, message: 'invalid object type: /v1, Kind=Secret' },
    { name: 'no kind', body: { data: {} }, code: 400, message: 'invalid object type: /, Kind=' },
    { name: 'no body', body: '', code: 400, message: 'invalid object type: /, Kind=' },
    {
      name: 'another namespace',
      body: map('b', {}, { namespace: 'other' }),
      code: 400,
      message: 'the namespace of the provided object does not match the namespace sent on the request',
    },
    { name: 'managedFields', body: map('b', {}, { managedFields: [] }), code: 400, message: 'metadata.managedFields must be nil' },
    {
      name: 'no YAML',
      body: 'a: [',
      code: 400,
      message: 'error decoding YAML: error converting YAML to JSON: yaml: line 1: did not find expected node content',
    },
    {
      name: 'a list',
      body: '[]',
      code: 400,
      message:
        'error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}',
    },
    {
      name: 'a field that the type does not have',
      body: { ...map('b'), foo: 1 },
      code: 500,
      message: 'failed to create typed patch object (/b; /v1, Kind=ConfigMap): .foo: field not declared in schema',
    },
    {
      name: 'a number for a text',
      body: map('b', { a: 1 }),
      code: 500,
      message:
        'failed to create typed patch object (/b; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:1}',
    },
    {
      name: 'a list for a map',
      body: map('b', ['a']),
      code: 500,
      message: 'failed to create typed patch object (/b; /v1, Kind=ConfigMap): .data: expected map, got &{[a]}',
    },
    {
      name: 'another version of the object',
      body: map('b', {}, { resourceVersion: '1' }),
      code: 409,
      message:
        'Operation cannot be fulfilled on configmaps "b": the object has been modified; please apply your changes to the latest version and try again',
    },
    {
      name: 'the uid of none that is there',
      path: 'no?fieldManager=me',
      body: map('no', {}, { uid }),
      code: 409,
      message: `Operation cannot be fulfilled on configmaps "no": uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    },
    {
      name: 'a key twice, where that is asked for',
      path: 'b?fieldManager=me&fieldValidation=Strict',
      body: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {a: "1", a: "2"}',
      code: 400,
      message: 'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 4: key "a" already set in map',
    },
    {
      name: 'a part of what is not there',
      path: '../deployments/no/status?fieldManager=me',
      body: deployment('no'),
      code: 404,
      message: 'deployments.apps "no" not found',
    },
    {
      name: 'a conflict',
      path: 'a?fieldManager=me',
      body: map('a', { a: '2' }),
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "tester" using v1: .data.a',
    },
    {
      name: 'two conflicts',
      path: 'a?fieldManager=me',
      body: map('a', { a: '2', b: '3' }),
      code: 409,
      message: 'Apply failed with 2 conflicts: conflicts with "tester" using v1:\n- .data.a\n- .data.b',
    },
  ];
  for (const { name, path = 'b?fieldManager=me', body = map('b', { a: '1' }), sort = 'apply', code, message } of refusals) {
    it(`refuses ${name}`, async () => {
      const at = path.startsWith('../deployments') ? `${deployments}${path.slice('../deployments'.length)}` : `${maps}/${path}`;
      const answer = await asker.ask(sort, at, body);
      const status = JSON.parse(answer.text) as Status;
      assert.deepEqual([answer.code, status.message], [code, message]);
    });
  }

  it('a conflict names the field and whose it is', async () => {
    const { text } = await asker.ask('apply', `${maps}/a?fieldManager=me`, map('a', { a: '2' }));
    const { reason, details } = JSON.parse(text) as Status;
    assert.deepEqual(
      [reason, details?.causes],
      ['Conflict', [{ reason: 'FieldManagerConflict', message: 'conflict with "tester" using v1', field: '.data.a' }]],
    );
  });

  it('creates, warns of keys that stand there twice, and answers a dry run without doing it', async () => {
    const created = await asker.ask(
      'apply',
      `${maps}/new?fieldManager=me`,
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\ndata: {a: "1", a: "2"}',
    );
    assert.deepEqual([created.code, created.headers['warning']], [201, '299 - "line 4: key \\"a\\" already set in map"']);
    assert.deepEqual(owners(created), ['me Apply: {"f:data":{"f:a":{}}}']);
    const dry = await asker.ask('apply', `${maps}/dry?fieldManager=me&dryRun=All`, map('dry', { a: '1' }));
    assert.deepEqual([dry.code, owners(dry).length, (await asker.get(`${maps}/dry`)).code], [201, 1, 404]);
  });

  it('who may patch and not create can apply only what is there', async () => {
    const jane = running.as('jane');
    const body = map('janes', { a: '1' });
    const patch = jane.patch(ConfigMap, { name: 'janes', namespace: 'default' }, { type: 'apply', body }, { fieldManager: 'me' });
    await assert.rejects(patch, { code: 403 });
  });

  it('keeps the time of who changes nothing, and writes nothing', async () => {
    const first = await asker.ask('apply', `${maps}/still?fieldManager=me`, map('still', { a: '1' }));
    await clock.advance(5000);
    assert.equal((await asker.ask('apply', `${maps}/still?fieldManager=me`, map('still', { a: '1' }))).text, first.text);
    const next = await asker.ask('apply', `${maps}/still?fieldManager=me`, map('still', { a: '2' }));
    const [was, is] = [first, next].map(({ text }) => (JSON.parse(text) as KubeObject).metadata.managedFields?.[0]?.time);
    assert.equal(Date.parse(is ?? '') - Date.parse(was ?? ''), 5000);
  });

  it('gives what a client applied by itself to kubectl’s apply, and keeps the annotation up to date', async () => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const last = map('csa', { a: '1', b: '2' }, { annotations: {} });
    const annotations = { [annotation]: `${JSON.stringify(last)}\n` };
    await asker.ask('create', maps, map('csa', { a: '1', b: '3' }, { annotations }), 'kubectl-client-side-apply/1');
    const refused = await asker.ask('apply', `${maps}/csa?fieldManager=kubectl`, map('csa', { a: '2', b: '4' }));
    assert.equal(
      (JSON.parse(refused.text) as Status).message,
      'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.b',
    );
    const taken = await asker.ask('apply', `${maps}/csa?fieldManager=kubectl`, map('csa', { a: '2' }));
    const { metadata } = JSON.parse(taken.text) as KubeObject;
    assert.equal(metadata.annotations?.[annotation], '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"csa"}}\n');
  });

  it('tracks a status and a scale by themselves', async () => {
    const status = { ...deployment('d'), status: { observedGeneration: 1 } };
    const { spec: _, ...ofStatus } = status;
    await asker.ask('apply', `${deployments}/d/status?fieldManager=st`, ofStatus);
    await asker.ask('update', `${deployments}/d/scale`, scale('d', 3), 'scaler/1');
    await asker.ask('apply', `${deployments}/d/scale?fieldManager=hpa&force=true`, scale('d', 4));
    const lines = owners(await asker.get(`${deployments}/d`));
    assert.ok(lines.includes('st Apply status: {"f:status":{"f:observedGeneration":{}}}'), lines.join('\n'));
    assert.ok(lines.includes('hpa Apply scale: {"f:spec":{"f:replicas":{}}}'), lines.join('\n'));
    assert.ok(!lines.some((line) => line.startsWith('scaler')), lines.join('\n'));
    assert.ok(
      lines.some((line) => line.startsWith('tester Update: ') && !line.includes('f:replicas')),
      lines.join('\n'),
    );
    const refused = await asker.ask('apply', `${deployments}/d/scale?fieldManager=other`, scale('d', 5));
    assert.equal(
      (JSON.parse(refused.text) as Status).message,
      'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale": .spec.replicas',
    );
  });

  it('custom resources by their schema: keyed lists with defaults, replicas where the definition has them', async () => {
    const spec = {
      type: 'object',
      properties: {
        size: { type: 'integer' },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
          items: {
            type: 'object',
            required: ['port'],
            properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' } },
          },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    };
    const subresources = { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } };
    const served = version('v1', { schema: { openAPIV3Schema: { type: 'object', properties: { spec } } }, subresources });
    await define(running.admin, definition('Shop', { versions: [served] }));
    const shops = '/apis/example.com/v1/namespaces/default/shops';
    const shop = (given: object) => ({ apiVersion: 'example.com/v1', kind: 'Shop', metadata: { name: 's' }, spec: given });
    const first = await asker.ask('apply', `${shops}/s?fieldManager=me`, shop({ size: 1, ports: [{ port: 80 }], free: { a: { b: [1] } } }));
    assert.equal(first.code, 201, first.text);
    await asker.ask('update', `${shops}/s/scale`, { ...scale('s', 3), metadata: { name: 's', namespace: 'default' } }, 'scaler/1');
    const second = await asker.ask('apply', `${shops}/s?fieldManager=other`, shop({ ports: [{ port: 80, protocol: 'UDP' }] }));
    const ports = (protocol: string, more = '') =>
      `"f:ports":{"k:{\\"port\\":80,\\"protocol\\":\\"${protocol}\\"}":{".":{},"f:port":{}${more}}}`;
    assert.deepEqual(owners(second).toSorted(), [
      `me Apply: {"f:spec":{"f:free":{"f:a":{".":{},"f:b":{}}},${ports('TCP')}}}`,
      `other Apply: {"f:spec":{${ports('UDP', ',"f:protocol":{}')}}}`,
      'scaler Update scale: {"f:spec":{"f:size":{}}}',
    ]);
  });

  it('in process, too', async () => {
    const at = { name: 'own', namespace: 'default' };
    const made = await running.admin.patch(ConfigMap, at, { type: 'apply', body: map('own', { a: '1' }) }, { fieldManager: 'me' });
    assert.equal(made.metadata.managedFields, undefined);
    assert.deepEqual(owners(await asker.get(`${maps}/own`)), ['me Apply: {"f:data":{"f:a":{}}}']);
  });
});

describe('who owns what after other writes', () => {
  let running: GuardedServer;
  let asker: Asker;
  before(async () => {
    running = await startGuardedServer();
    asker = new Asker(running);
  });
  after(() => running[Symbol.asyncDispose]());

  it('a create: all that the client says and defaults make of it, not what the server adds', async () => {
    const answer = await asker.ask('create', deployments, deployment('made'));
    assert.deepEqual(owners(answer), [
      'tester Update: {"f:spec":{"f:progressDeadlineSeconds":{},"f:replicas":{},"f:revisionHistoryLimit":{},"f:selector":{},"f:strategy":{"f:rollingUpdate":{".":{},"f:maxSurge":{},"f:maxUnavailable":{}},"f:type":{}},"f:template":{"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:containers":{"k:{\\"name\\":\\"c\\"}":{".":{},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:ports":{".":{},"k:{\\"containerPort\\":80,\\"protocol\\":\\"TCP\\"}":{".":{},"f:containerPort":{},"f:protocol":{}}},"f:resources":{},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}}}',
    ]);
  });

  it('updates and patches take fields from others, and nobody owns what is gone', async () => {
    await asker.ask('create', maps, map('m', { a: '1', b: '2', c: '3' }), 'one/1');
    await asker.ask('update', `${maps}/m`, map('m', { a: '9', b: '2', d: '4' }), 'two/1');
    await asker.ask('merge', `${maps}/m`, { data: { b: null } }, 'three/1');
    const answer = await asker.ask('json', `${maps}/m`, [{ op: 'add', path: '/metadata/labels', value: { x: 'y' } }], 'four/1');
    assert.deepEqual(owners(answer), [
      'four Update: {"f:metadata":{"f:labels":{".":{},"f:x":{}}}}',
      'one Update: {"f:data":{}}',
      'two Update: {"f:data":{"f:a":{},"f:d":{}}}',
    ]);
  });

  it('a status owns its status; a binding and an eviction own nothing', async () => {
    const namespace = 'default';
    const pod = { metadata: { name: 'p', namespace }, spec: { containers: [{ name: 'c', image: 'x' }] } };
    await running.admin.create(Pod, pod, { fieldManager: 'me' });
    await running.admin.post(Pod, { name: 'p', namespace }, 'binding', { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } });
    const path = '/api/v1/namespaces/default/pods/p';
    await asker.ask(
      'strategic',
      `${path}/status`,
      {
        metadata: { labels: { x: 'y' } },
        status: { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }], conditions: [{ type: 'Ready', status: 'True' }] },
      },
      'kubelet/1',
    );
    const [mine, status] = owners(await asker.get(path))
      .toSorted()
      .reverse();
    assert.match(mine ?? '', /^me Update: \{"f:spec"/);
    assert.equal(
      status,
      'kubelet Update status: {"f:metadata":{"f:labels":{".":{},"f:x":{}}},"f:status":{"f:conditions":{"k:{\\"type\\":\\"Ready\\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}}},"f:phase":{},"f:podIP":{},"f:podIPs":{".":{},"k:{\\"ip\\":\\"10.0.0.1\\"}":{".":{},"f:ip":{}}}}}',
    );
  });

  it('of more than ten who update, the oldest are one', async () => {
    await asker.ask('create', maps, map('many', { a: '1' }), 'first/1');
    let answer: Answer | undefined;
    for (let i = 10; i < 22; i++) answer = await asker.ask('merge', `${maps}/many`, { data: { [`k${i}`]: '1' } }, `agent${i}/1`);
    const names = owners(answer ?? assert.fail()).map((line) => line.split(' ')[0]);
    assert.equal(names.length, 10);
    assert.equal(names.filter((name) => name === 'ancient-changes').length, 1);
  });

  const hand = { manager: 'hand', operation: 'Update', apiVersion: 'v1', time: '2026-01-01T00:00:00Z', fieldsType: 'FieldsV1' };
  const given: readonly { name: string; managedFields: unknown; want: readonly string[] }[] = [
    {
      name: 'take the place of those that are stored',
      managedFields: [{ ...hand, fieldsV1: { 'f:data': { 'f:a': {} } } }],
      want: ['hand Update: {"f:data":{"f:a":{}}}'],
    },
    {
      name: 'are passed over when they say nothing that can be read',
      managedFields: [{ ...hand, operation: 'Steal', fieldsV1: {} }],
      want: ['one Update: {"f:data":{".":{},"f:a":{}}}'],
    },
    { name: 'reset with an empty entry', managedFields: [{}], want: [] },
    { name: 'reset with an empty list', managedFields: [], want: [] },
  ];
  for (const [i, { name, managedFields, want }] of given.entries()) {
    it(`managedFields of a client ${name}`, async () => {
      await asker.ask('create', maps, map(`given-${i}`, { a: '1' }), 'one/1');
      assert.deepEqual(owners(await asker.ask('merge', `${maps}/given-${i}`, { metadata: { managedFields } })), want);
      await asker.ask('create', maps, map(`whole-${i}`, { a: '1' }), 'one/1');
      assert.deepEqual(owners(await asker.ask('update', `${maps}/whole-${i}`, map(`whole-${i}`, { a: '1' }, { managedFields }))), want);
    });
  }

  it('an object that nobody owns stays so, until somebody applies it', async () => {
    await asker.ask('create', maps, map('reset', { a: '1' }), 'one/1');
    await asker.ask('merge', `${maps}/reset`, { metadata: { managedFields: [] } });
    assert.deepEqual(owners(await asker.ask('merge', `${maps}/reset`, { data: { b: '2' } })), []);
    const applied = await asker.ask('apply', `${maps}/reset?fieldManager=me`, map('reset', { c: '3' }));
    assert.deepEqual(owners(applied), [
      'me Apply: {"f:data":{"f:c":{}}}',
      'before-first-apply Update: {"f:data":{".":{},"f:a":{},"f:b":{}}}',
    ]);
  });
});
