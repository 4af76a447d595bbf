/** What admission webhooks are shown of requests, and what becomes of what they patch, as upstream's server has both. */
import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import {
  Deployment,
  MutatingWebhookConfiguration,
  Namespace,
  Node,
  Pod,
  ReplicaSet,
  ValidatingWebhookConfiguration,
} from '../../src/api/generated/kinds.ts';
import type { Status } from '../../src/api/generated/meta-v1.ts';
import type { KubeObject } from '../../src/api/meta/object.ts';
import { type Answer, type Ask, type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';
import { type AskedReview, patching, startWebhookServer, type WebhookServer } from '../kit/webhook-server.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const merge = (body: object): Ask => ({ method: 'PATCH', body, headers: { 'content-type': 'application/merge-patch+json' } });
const labels = { app: 'a' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };

suite('admission reviews', () => {
  const stack = new AsyncDisposableStack();
  let server: GuardedServer;
  let hooks: WebhookServer;
  let count = 0;

  before(async () => {
    server = stack.use(await startGuardedServer());
    hooks = stack.use(await startWebhookServer());
    const { admin } = server;
    const spec = { selector: { matchLabels: labels }, template };
    await admin.create(Node, { metadata: { name: 'n' }, spec: {} });
    await admin.create(Pod, {
      metadata: { namespace: 'default', name: 'p' },
      spec: { nodeName: 'n', containers: template.spec.containers },
    });
    await admin.create(Deployment, { metadata: { namespace: 'default', name: 'd' }, spec });
    await admin.create(ReplicaSet, { metadata: { namespace: 'default', name: 'r' }, spec });
    await admin.create(Namespace, { metadata: { name: 'other' }, spec: {} });
  });
  after(() => stack.disposeAsync());
  const kinds = { validate: ValidatingWebhookConfiguration, mutate: MutatingWebhookConfiguration };
  afterEach(() => Promise.all(Object.values(kinds).map((kind) => server.admin.deleteCollection(kind, {}))));

  type Sort = keyof typeof kinds;
  const configure = (sort: Sort, ...resources: readonly string[]) => {
    const rules = [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources }];
    const common = { name: 'check.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None', timeoutSeconds: 5 };
    const body = { metadata: { name: 'check' }, webhooks: [{ ...common, clientConfig: hooks.clientConfig('/'), rules }] };
    return server.admin.create(kinds[sort] as never, body as never);
  };
  const messageOf = ({ text }: Answer): string => (JSON.parse(text) as Status).message ?? '';
  const objectOf = ({ text }: Answer): KubeObject => JSON.parse(text) as KubeObject;

  interface Row {
    readonly name: string;
    readonly sort?: Sort;
    readonly resources: readonly string[];
    readonly path: string;
    readonly ask?: Ask;
    /** of the review: undefined where it is not asked for one */
    readonly want: (review: AskedReview) => unknown;
    readonly is: unknown;
  }
  const metadataOf = (object: unknown): Record<string, unknown> =>
    (object as { metadata?: Record<string, unknown> } | null)?.metadata ?? {};
  const scale = '/apis/apps/v1/namespaces/default/deployments/d/scale';
  const shown: readonly Row[] = [
    {
      name: 'a scale is shown as a Scale',
      resources: ['deployments/scale'],
      path: scale,
      ask: merge({ spec: { replicas: 3 } }),
      want: ({ kind, object, oldObject }) => [kind, object?.kind, object?.spec, oldObject?.kind, oldObject?.spec],
      is: [{ group: 'autoscaling', version: 'v1', kind: 'Scale' }, 'Scale', { replicas: 3 }, 'Scale', { replicas: 1 }],
    },
    {
      name: 'before a PUT is completed, mutating ones see what the client sent',
      sort: 'mutate',
      resources: ['replicasets'],
      path: '/apis/apps/v1/namespaces/default/replicasets/r',
      ask: { method: 'PUT', body: { metadata: { name: 'r' }, spec: { selector: { matchLabels: labels }, template } } },
      want: ({ object }) => Object.keys(metadataOf(object)).toSorted(),
      is: ['managedFields', 'name', 'namespace'],
    },
    {
      name: 'validating ones see the object as it will be stored',
      resources: ['replicasets'],
      path: '/apis/apps/v1/namespaces/default/replicasets/r',
      ask: { method: 'PUT', body: { metadata: { name: 'r' }, spec: { selector: { matchLabels: labels }, template } } },
      want: ({ object }) => ['uid', 'resourceVersion', 'creationTimestamp', 'generation'].filter((key) => key in metadataOf(object)),
      is: ['uid', 'resourceVersion', 'creationTimestamp', 'generation'],
    },
    {
      name: 'a name that is to be generated is not there yet',
      sort: 'mutate',
      resources: ['configmaps'],
      path: maps,
      ask: { body: { metadata: { generateName: 'g-' } } },
      want: ({ name, object }) => [name, metadataOf(object)['name'], metadataOf(object)['generateName']],
      is: [undefined, undefined, 'g-'],
    },
    {
      name: 'one of a collection has no name of its own',
      resources: ['configmaps'],
      path: `${maps}?fieldSelector=metadata.name%3Dall`,
      ask: { method: 'DELETE' },
      want: ({ name, oldObject, operation }) => [operation, name, metadataOf(oldObject)['name']],
      is: ['DELETE', undefined, 'all'],
    },
    {
      name: 'a namespace is deleted by its uid',
      resources: ['namespaces'],
      path: '/api/v1/namespaces/other?dryRun=All',
      ask: { method: 'DELETE' },
      want: ({ options }) => Object.keys(options?.['preconditions'] ?? {}),
      is: ['uid'],
    },
    {
      name: 'a command in a container is shown as its options',
      resources: ['pods/exec'],
      path: '/api/v1/namespaces/default/pods/p/exec?command=ls&stdout=true&stdin=0&container=c&unknown=x',
      ask: { method: 'POST' },
      want: ({ operation, object, kind }) => [operation, kind, object],
      is: [
        'CONNECT',
        { group: '', version: 'v1', kind: 'PodExecOptions' },
        { kind: 'PodExecOptions', apiVersion: 'v1', command: ['ls'], container: 'c', stdout: true },
      ],
    },
    {
      name: 'a forwarded port is a number',
      resources: ['pods/portforward'],
      path: '/api/v1/namespaces/default/pods/p/portforward?ports=80&ports=443',
      ask: { method: 'POST' },
      want: ({ object }) => object?.['ports'],
      is: [80, 443],
    },
    {
      name: 'a proxied path is shown, and not the query',
      resources: ['services/proxy'],
      path: '/api/v1/namespaces/default/services/s/proxy/a/b?x=y',
      want: ({ name, object }) => [name, object],
      is: ['s', { kind: 'ServiceProxyOptions', apiVersion: 'v1', path: '/a/b' }],
    },
    {
      name: 'who reads a log is not asked about',
      resources: ['pods/log'],
      path: '/api/v1/namespaces/default/pods/p/log?container=c',
      want: () => 'asked',
      is: undefined,
    },
  ];
  for (const { name, sort = 'validate', resources, path, ask, want, is } of shown) {
    test(name, async () => {
      await server.ask(maps, { body: { metadata: { name: 'all' } } });
      hooks.answer('/', () => ({}));
      await configure(sort, ...resources);
      hooks.asked.length = 0;
      await server.ask(path, ask);
      const [review] = hooks.asked;
      assert.deepEqual(review && want(review), is);
    });
  }

  test('the replicas of a Scale are a webhook’s to change, by the rules', async () => {
    hooks.answer('/', () => patching({ op: 'replace', path: '/spec/replicas', value: 2 }));
    await configure('mutate', 'deployments/scale');
    assert.deepEqual(objectOf(await server.ask(scale, merge({ spec: { replicas: 5 } })))['spec' as never], { replicas: 2 });
    hooks.answer('/', () => patching({ op: 'replace', path: '/spec/replicas', value: -1 }));
    assert.equal((await server.ask(scale, merge({ spec: { replicas: 5 } }))).code, 422);
  });

  const namespaceMismatch = 'the namespace of the provided object does not match the namespace sent on the request';
  const conflict = (name: string): string =>
    `Operation cannot be fulfilled on configmaps "${name}": the object has been modified; please apply your changes to the latest version and try again`;
  const add = (path: string, value: unknown): object => ({ op: 'add', path, value });
  /** What a create, and what an update, comes to. */
  const patches: readonly {
    name: string;
    patch: object;
    create: readonly [number, string | RegExp];
    update: readonly [number, string | RegExp];
  }[] = [
    {
      name: 'another namespace',
      patch: add('/metadata/namespace', 'other'),
      create: [400, namespaceMismatch],
      update: [400, namespaceMismatch],
    },
    { name: 'no namespace', patch: { op: 'remove', path: '/metadata/namespace' }, create: [201, ''], update: [200, ''] },
    {
      name: 'another name',
      patch: add('/metadata/name', 'renamed'),
      create: [201, ''],
      update: [422, 'ConfigMap "renamed" is invalid: metadata.name: Invalid value: "renamed": field is immutable'],
    },
    { name: 'another uid', patch: add('/metadata/uid', 'x'), create: [201, ''], update: [422, /metadata.uid: .* field is immutable/] },
    {
      name: 'another version of the object',
      patch: add('/metadata/resourceVersion', '1'),
      create: [500, 'resourceVersion should not be set on objects to be created'],
      update: [409, conflict('u')],
    },
    { name: 'another kind', patch: add('/kind', 'Secret'), create: [500, /^Internal error occurred: /], update: [500, /^Internal error/] },
    {
      name: 'a value of the wrong type',
      patch: add('/data', 'x'),
      create: [500, 'Internal error occurred: json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string'],
      update: [500, /^Internal error occurred: json: /],
    },
    {
      name: 'a field that is not there to be removed',
      patch: { op: 'remove', path: '/data/none' },
      create: [
        500,
        "Internal error occurred: error in remove for path: '/data/none': Unable to remove nonexistent key: none: missing value",
      ],
      update: [500, /Unable to remove/],
    },
  ];
  for (const { name, patch, create, update } of patches) {
    test(`a patch of ${name}`, async () => {
      const body = (of: string): object => ({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: of }, data: { k: String(++count) } });
      await server.ask(maps, { body: body('u') });
      await configure('mutate', 'configmaps');
      hooks.answer('/', () => patching(patch));
      const created = await server.ask(maps, { body: body(`c${++count}`) });
      const updated = await server.ask(`${maps}/u`, { method: 'PUT', body: body('u') });
      for (const [answer, [code, message]] of [
        [created, create],
        [updated, update],
      ] as const) {
        assert.equal(answer.code, code, answer.text);
        if (typeof message === 'string') assert.equal(messageOf(answer), message);
        else assert.match(messageOf(answer), message);
      }
      if (code2xx(created)) assert.deepEqual(objectOf(created).metadata.namespace, 'default');
    });
  }
  const code2xx = ({ code }: Answer): boolean => code < 300;

  test('what a webhook adds is nobody’s, but it may say whose', async () => {
    const managersOf = (answer: Answer) => objectOf(answer).metadata.managedFields?.map(({ manager, fieldsV1 }) => [manager, fieldsV1]);
    const create = (name: string) => server.ask(`${maps}?fieldManager=me`, { body: { metadata: { name }, data: { a: '1' } } });
    const mine = ['me', { 'f:data': { '.': {}, 'f:a': {} } }];
    await configure('mutate', 'configmaps');
    hooks.answer('/', () => patching(add('/data/x', 'y')));
    assert.deepEqual(managersOf(await create('unowned')), [mine]);
    assert.deepEqual(
      metadataOf(hooks.asked.at(-1)?.object)['managedFields'],
      objectOf(await server.ask(`${maps}/unowned`)).metadata.managedFields,
    );
    hooks.answer('/', () => patching(add('/metadata/managedFields/0/manager', 'webhook')));
    assert.deepEqual(managersOf(await create('owned')), [['webhook', mine[1]]]);
    hooks.answer('/', () => patching({ op: 'remove', path: '/metadata/managedFields' }));
    assert.deepEqual(managersOf(await create('nobodys')), undefined);
    hooks.answer('/', () => patching(add('/metadata/managedFields', [{ manager: 'x' }])));
    const wrong = await create('kept');
    assert.deepEqual(managersOf(wrong), [mine]);
    assert.equal(
      wrong.headers['warning'],
      '299 - ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: operation must be `Apply` or `Update`"',
    );
  });

  const invalid = 'Internal error occurred: failed calling webhook "check.example.com": ';
  const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
  const answers: readonly { name: string; said?: object; body?: string; want: string }[] = [
    {
      name: 'a code that is a text',
      said: { allowed: false, status: { code: 'x' } },
      want: 'failed to call webhook: json: cannot unmarshal string into Go struct field Status.response.status.code of type int32',
    },
    {
      name: 'warnings that are numbers',
      said: { warnings: [1] },
      want: 'failed to call webhook: json: cannot unmarshal number into Go struct field AdmissionResponse.response.warnings of type string',
    },
    { name: 'a patch that is no base64', said: { patch: '***' }, want: 'failed to call webhook: illegal base64 data at input byte 0' },
    {
      name: 'a patch that is an object',
      said: { patch: base64({}), patchType: 'JSONPatch' },
      want: 'received undecodable patch in webhook response: json: cannot unmarshal object into Go value of type jsonpatch.Patch',
    },
    {
      name: 'operations that are texts',
      said: { patch: base64(['x']), patchType: 'JSONPatch' },
      want: 'received undecodable patch in webhook response: json: cannot unmarshal string into Go value of type jsonpatch.Operation',
    },
    {
      name: 'another sort of patch',
      said: { patch: base64([add('/data', {})]), patchType: 'Merge' },
      want: 'unsupported patch type "Merge"',
    },
    {
      name: 'nothing',
      body: '',
      want: 'failed to call webhook: 0-length response with status code: 200 and content type: application/json',
    },
    {
      name: 'an object of another kind',
      body: '{"kind":"Pod","apiVersion":"v1"}',
      want: 'failed to call webhook: no kind "Pod" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"',
    },
    {
      name: 'a review of another version',
      body: '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1","response":{"allowed":true}}',
      want: 'failed to call webhook: converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion',
    },
    {
      name: 'a Status',
      body: '{"kind":"Status","apiVersion":"v1","status":"Failure","message":"m","code":403}',
      want: 'failed to call webhook: converting (v1.Status) to (v1.AdmissionReview): unknown conversion',
    },
  ];
  for (const { name, said, body, want } of answers) {
    test(`an answer with ${name}`, async () => {
      await configure('mutate', 'configmaps');
      hooks.answer('/', (_, response) => {
        if (said) return said;
        response.writeHead(200, { 'content-type': 'application/json' }).end(body);
        return undefined;
      });
      const answer = await server.ask(maps, { body: { metadata: { name: `a${++count}` } } });
      assert.deepEqual([answer.code, messageOf(answer)], [500, `${invalid}${want}`]);
    });
  }
});
