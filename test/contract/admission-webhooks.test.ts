/** Admission webhooks, asked over HTTPS on loopback, as clients of the API see them. */
import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import { Registry } from 'prom-client';
import type { ValidatingWebhook } from '../../src/api/generated/admissionregistration-v1.ts';
import {
  ConfigMap,
  Deployment,
  MutatingWebhookConfiguration,
  Namespace,
  ValidatingWebhookConfiguration,
} from '../../src/api/generated/kinds.ts';
import type { Client } from '../../src/client/client.ts';
import { type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';
import { type AskedReview, patching, startWebhookServer, type WebhookAnswer, type WebhookServer } from '../kit/webhook-server.ts';

const namespace = 'default';
const anyConfigMap = [{ operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }] as const;

suite('admission webhooks', () => {
  const stack = new AsyncDisposableStack();
  let server: GuardedServer;
  let hooks: WebhookServer;
  let admin: Client;
  const metrics = new Registry();
  const audited: string[] = [];

  before(async () => {
    const audit = { policy: { rules: [{ level: 'Request' }] }, sink: { write: (line: string) => void audited.push(line) } } as const;
    server = stack.use(await startGuardedServer({ metrics, parts: { audit } }));
    hooks = stack.use(await startWebhookServer());
    ({ admin } = server);
  });
  after(() => stack.disposeAsync());
  afterEach(async () => {
    await admin.deleteCollection(ValidatingWebhookConfiguration, {});
    await admin.deleteCollection(MutatingWebhookConfiguration, {});
    await admin.deleteCollection(ConfigMap, { namespace });
    hooks.asked.length = hooks.paths.length = audited.length = 0;
  });

  type Given = Partial<ValidatingWebhook> & { readonly reinvocationPolicy?: string; readonly path?: string };
  const webhook = ({ path = '/', ...given }: Given): object => ({
    name: 'check.example.com',
    clientConfig: hooks.clientConfig(path),
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    rules: anyConfigMap,
    ...given,
  });
  const configure = (kind: typeof ValidatingWebhookConfiguration | typeof MutatingWebhookConfiguration, ...webhooks: readonly Given[]) =>
    admin.create(kind as never, { metadata: { name: 'check' }, webhooks: webhooks.map(webhook) } as never);
  const validate = (...webhooks: readonly Given[]) => configure(ValidatingWebhookConfiguration, ...webhooks);
  const mutate = (...webhooks: readonly Given[]) => configure(MutatingWebhookConfiguration, ...webhooks);
  const deny: WebhookAnswer = () => ({ allowed: false });
  const allow: WebhookAnswer = () => ({});
  const create = (name: string, data: Record<string, string> = {}) => admin.create(ConfigMap, { metadata: { namespace, name }, data });
  const last = (): AskedReview => hooks.asked.at(-1) ?? assert.fail('nothing was asked');

  const denials: readonly { name: string; status?: object; code: number; message: string }[] = [
    { name: 'without a word', code: 400, message: 'admission webhook "check.example.com" denied the request without explanation' },
    {
      name: 'with a message',
      status: { message: 'no', code: 418 },
      code: 418,
      message: 'admission webhook "check.example.com" denied the request: no',
    },
    {
      name: 'with a reason',
      status: { reason: 'Forbidden', code: 403 },
      code: 403,
      message: 'admission webhook "check.example.com" denied the request: Forbidden',
    },
    {
      name: 'with a code that is none',
      status: { message: 'no', code: 200 },
      code: 400,
      message: 'admission webhook "check.example.com" denied the request: no',
    },
  ];
  for (const { name, status, code, message } of denials) {
    test(`denied ${name}`, async () => {
      hooks.answer('/', () => ({ allowed: false, ...(status && { status }) }));
      await validate({});
      await assert.rejects(create('a'), { code, message });
      await assert.rejects(admin.get(ConfigMap, { namespace, name: 'a' }), { code: 404 });
    });
  }

  test('what is asked of a create, an update, a dry run and a delete', async () => {
    hooks.answer('/', allow);
    await validate({});
    await create('a', { k: '1' });
    const { uid: _, object, userInfo, ...created } = last();
    const type = { group: '', version: 'v1', kind: 'ConfigMap' };
    const resource = { group: '', version: 'v1', resource: 'configmaps' };
    const same = { kind: type, resource, requestKind: type, requestResource: resource, name: 'a', namespace, dryRun: false };
    assert.deepEqual(created, {
      ...same,
      operation: 'CREATE',
      oldObject: null,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    });
    assert.deepEqual([object?.data, userInfo.username], [{ k: '1' }, 'admin']);
    await admin.patch(
      ConfigMap,
      { namespace, name: 'a' },
      { type: 'merge', body: { data: { k: '2' } } } as never,
      { dryRun: true } as never,
    );
    assert.deepEqual(
      [last().operation, last().dryRun, last().oldObject?.data, last().object?.data],
      ['UPDATE', true, { k: '1' }, { k: '2' }],
    );
    await admin.delete(ConfigMap, { namespace, name: 'a' });
    assert.deepEqual([last().operation, last().object, last().oldObject?.data], ['DELETE', null, { k: '1' }]);
  });

  test('a configuration counts from the next request on, and no longer when it is gone', async () => {
    hooks.answer('/', deny);
    await create('a');
    await validate({});
    await assert.rejects(create('b'), { code: 400 });
    await admin.delete(ValidatingWebhookConfiguration, { name: 'check' });
    await create('c');
  });

  const silent: readonly { name: string; given: Given; answer: WebhookAnswer; want: RegExp }[] = [
    {
      name: 'is not there',
      given: { clientConfig: { url: 'https://127.0.0.1:1/' } },
      answer: allow,
      want: /failed to call webhook: Post "https:\/\/127.0.0.1:1\/\?timeout=10s": dial tcp/,
    },
    { name: 'hangs', given: { timeoutSeconds: 1 }, answer: () => undefined, want: /context deadline exceeded$/ },
    {
      name: 'answers for another request',
      given: {},
      answer: () => ({ uid: 'x' }),
      want: /received invalid webhook response: expected response.uid="[-0-9a-f]+", got "x"/,
    },
    {
      name: 'patches without a type',
      given: {},
      answer: () => ({ patch: 'W10=' }),
      want: /validating webhook may not return response.patch/,
    },
    { name: 'says nothing', given: {}, answer: (_, response) => void response.end('{}'), want: /webhook response was absent/ },
    {
      name: 'knows no version',
      given: { admissionReviewVersions: ['v1', 'v2'] as never },
      answer: () => ({ allowed: 'yes' }),
      want: /cannot unmarshal string into Go struct field AdmissionResponse.response.allowed/,
    },
  ];
  for (const { name, given, answer, want } of silent) {
    test(`one that ${name} refuses the request, or lets it pass`, async () => {
      hooks.answer('/', answer);
      await validate(given);
      await assert.rejects(create('a'), (error: Error) => {
        assert.match(error.message, want);
        assert.match(error.message, /^Internal error occurred: failed calling webhook "check.example.com": /);
        return true;
      });
      await admin.deleteCollection(ValidatingWebhookConfiguration, {});
      await validate({ ...given, failurePolicy: 'Ignore' });
      await create('a');
    });
  }

  test('patches are applied one after the other, and what they make is defaulted', async () => {
    hooks.answer('/one', ({ object }) =>
      patching({ op: 'add', path: '/metadata/labels', value: { seen: String(Object.keys(object ?? {}).includes('data')) } }),
    );
    hooks.answer('/two', ({ object }) => patching({ op: 'add', path: '/data/labels', value: JSON.stringify(object?.metadata?.labels) }));
    await mutate({ path: '/one', name: 'one.example.com' }, { path: '/two', name: 'two.example.com' });
    const { metadata, data } = await create('a', { k: '1' });
    assert.deepEqual([metadata.labels, data], [{ seen: 'true' }, { k: '1', labels: '{"seen":"true"}' }]);

    const container = { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'side', image: 'side' } };
    hooks.answer('/one', () => patching(container));
    await admin.deleteCollection(MutatingWebhookConfiguration, {});
    await mutate({
      path: '/one',
      rules: [{ operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }],
    });
    const labels = { app: 'a' };
    const { spec } = await admin.create(Deployment, {
      metadata: { namespace, name: 'a' },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'main' }] } },
      },
    });
    assert.deepEqual(
      spec.template.spec?.containers.map(({ name, imagePullPolicy }) => [name, imagePullPolicy]),
      [
        ['main', 'Always'],
        ['side', 'Always'],
      ],
    );
  });

  test('who has been asked before a change is asked again once, if he wants to', async () => {
    const count: WebhookAnswer = ({ object }) => patching({ op: 'add', path: '/data/x', value: `${object?.data?.['x'] ?? ''}1` });
    hooks.answer('/one', count);
    hooks.answer('/two', count);
    await mutate({ path: '/one', name: 'one.example.com', reinvocationPolicy: 'IfNeeded' }, { path: '/two', name: 'two.example.com' });
    assert.deepEqual((await create('a', { k: '' })).data, { k: '', x: '111' });
    assert.deepEqual(hooks.paths, ['/one', '/two', '/one']);
  });

  test("an object's identity is not a webhook's to say", async () => {
    hooks.answer('/', () => patching({ op: 'add', path: '/metadata/uid', value: 'mine' }));
    const first = await create('a');
    await mutate({});
    assert.notEqual((await create('b')).metadata.uid, 'mine');
    await assert.rejects(
      admin.update(ConfigMap, { ...first, data: { k: '2' } }),
      /metadata.uid: Invalid value: "mine": field is immutable/,
    );
    assert.equal((await admin.get(ConfigMap, { namespace, name: 'a' })).metadata.uid, first.metadata.uid);
  });

  test('selectors of namespaces and objects, and rules', async () => {
    hooks.answer('/', deny);
    await admin.create(Namespace, { metadata: { name: 'checked', labels: { checked: 'yes' } }, spec: {} });
    await validate({ namespaceSelector: { matchLabels: { checked: 'yes' } }, objectSelector: { matchLabels: { app: 'web' } } });
    const made = (namespace: string, labels: Record<string, string>) =>
      admin.create(ConfigMap, { metadata: { namespace, generateName: 'a-', labels } });
    await made(namespace, { app: 'web' });
    await made('checked', { app: 'db' });
    await assert.rejects(made('checked', { app: 'web' }), { code: 400 });
  });

  test('a webhook for another version of the resource sees the object in it', async () => {
    hooks.answer('/', allow);
    const rules = [
      { operations: ['CREATE'], apiGroups: ['autoscaling'], apiVersions: ['v1'], resources: ['horizontalpodautoscalers'] },
    ] as const;
    await validate({ rules });
    const target = { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' };
    const spec = {
      scaleTargetRef: target,
      maxReplicas: 3,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
    };
    const body = { kind: 'HorizontalPodAutoscaler', apiVersion: 'autoscaling/v2', metadata: { name: 'web' }, spec };
    const path = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers';
    assert.equal((await server.ask(path, { body })).code, 201);
    const { kind, requestKind, object } = last();
    const group = 'autoscaling';
    assert.deepEqual(
      [kind, requestKind],
      ['v1', 'v2'].map((version) => ({ group, version, kind: 'HorizontalPodAutoscaler' })),
    );
    assert.deepEqual([object?.apiVersion, object?.spec?.['targetCPUUtilizationPercentage']], ['autoscaling/v1', 50]);
    await admin.deleteCollection(ValidatingWebhookConfiguration, {});
    await validate({ rules, matchPolicy: 'Exact' });
    hooks.asked.length = 0;
    assert.equal((await server.ask(path, { body: { ...body, metadata: { name: 'other' } } })).code, 201);
    assert.equal(hooks.asked.length, 0);
  });

  test('a dry run says so, and stores nothing', async () => {
    hooks.answer('/', allow);
    await validate({ sideEffects: 'NoneOnDryRun' });
    const answer = await server.ask('/api/v1/namespaces/default/configmaps?dryRun=All', { body: { metadata: { name: 'a' } } });
    assert.deepEqual(
      [answer.code, last().dryRun, last().options],
      [201, true, { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', dryRun: ['All'] }],
    );
    await assert.rejects(admin.get(ConfigMap, { namespace, name: 'a' }), { code: 404 });
  });

  const annotationsOf = (name: string): Record<string, string> => {
    const line = audited.findLast((each) => each.includes('"ResponseComplete"') && each.includes(`"name":"${name}"`)) ?? '{}';
    const { annotations = {} } = JSON.parse(line) as { annotations?: Record<string, string> };
    return Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith('authorization.')));
  };

  test('warnings and audit annotations of a webhook', async () => {
    hooks.answer('/', () => ({ warnings: ['mind the gap'], auditAnnotations: { a: 'b' } }));
    await validate({});
    const { headers } = await server.ask('/api/v1/namespaces/default/configmaps', { body: { metadata: { name: 'warned' } } });
    assert.match(String(headers['warning']), /mind the gap/);
    assert.deepEqual(annotationsOf('warned'), { 'check.example.com/a': 'b' });
  });

  test('what a webhook has patched, and which one was passed over, is audited', async () => {
    hooks.answer('/', () => patching({ path: '/data/x', value: 'y', op: 'add' }));
    await mutate({}, { name: 'dead.example.com', clientConfig: { url: 'https://127.0.0.1:1/' }, failurePolicy: 'Ignore' });
    await create('patched', { k: '1' });
    const told = (webhook: string, mutated: boolean): string => JSON.stringify({ configuration: 'check', webhook, mutated });
    const patch = [{ op: 'add', path: '/data/x', value: 'y' }];
    assert.deepEqual(annotationsOf('patched'), {
      'mutation.webhook.admission.k8s.io/round_0_index_0': told('check.example.com', true),
      'mutation.webhook.admission.k8s.io/round_0_index_1': told('dead.example.com', false),
      'failed-open.mutation.webhook.admission.k8s.io/round_0_index_1': 'dead.example.com',
      'patch.webhook.admission.k8s.io/round_0_index_0': JSON.stringify({
        configuration: 'check',
        webhook: 'check.example.com',
        patch,
        patchType: 'JSONPatch',
      }),
    });
  });

  test('what webhooks do to requests is counted', async () => {
    const counts = async (): Promise<string[]> =>
      (await server.ask('/metrics')).text
        .split('\n')
        .filter((line) => line.startsWith('apiserver_admission_webhook_') && line.includes('counted'))
        .filter((line) => !line.includes('_bucket') && !line.includes('_sum'))
        .toSorted();
    hooks.answer('/', () => ({ allowed: false, status: { message: 'no', code: 999 } }));
    const silent = { clientConfig: { url: 'https://127.0.0.1:1/' } } as const;
    await validate({ name: 'no.counted.com' });
    await assert.rejects(create('a'));
    await admin.deleteCollection(ValidatingWebhookConfiguration, {});
    await mutate({ name: 'open.counted.com', failurePolicy: 'Ignore', ...silent }, { name: 'shut.counted.com', ...silent });
    await assert.rejects(create('a'));
    const webhook = 'apiserver_admission_webhook_';
    assert.deepEqual(await counts(), [
      `${webhook}admission_duration_seconds_count{name="no.counted.com",type="validating",operation="CREATE",rejected="true"} 1`,
      `${webhook}admission_duration_seconds_count{name="open.counted.com",type="admit",operation="CREATE",rejected="false"} 1`,
      `${webhook}admission_duration_seconds_count{name="shut.counted.com",type="admit",operation="CREATE",rejected="true"} 1`,
      `${webhook}fail_open_count{name="open.counted.com",type="admit"} 1`,
      `${webhook}rejection_count{name="no.counted.com",type="validating",operation="CREATE",error_type="no_error",rejection_code="600"} 1`,
      `${webhook}rejection_count{name="shut.counted.com",type="admit",operation="CREATE",error_type="calling_webhook_error",rejection_code="503"} 1`,
      `${webhook}request_total{name="no.counted.com",type="validating",operation="CREATE",code="600",rejected="true"} 1`,
      `${webhook}request_total{name="open.counted.com",type="admit",operation="CREATE",code="503",rejected="false"} 1`,
      `${webhook}request_total{name="shut.counted.com",type="admit",operation="CREATE",code="503",rejected="true"} 1`,
    ]);
  });

  const missing = 'expression \'object.data.no == "x"\' resulted in error: no such key: no';
  /** With the failurePolicy Fail; with Ignore nothing is refused, and a failure asks nobody. */
  const conditions: readonly { name: string; given: readonly string[]; asked: boolean; refusal?: string }[] = [
    { name: 'holds', given: ["object.metadata.name == 'conditional'", 'request.userInfo.username == "admin"'], asked: true },
    { name: 'does not hold', given: ['true', 'request.dryRun'], asked: false },
    { name: 'fails', given: ['object.data.no == "x"'], asked: false, refusal: missing },
    { name: 'fails beside one that does not hold', given: ['object.data.no == "x"', 'false'], asked: false },
    { name: 'asks the authorizer, which allows', given: ["authorizer.requestResource.check('create').allowed()"], asked: true },
    {
      name: 'asks the authorizer, which does not',
      given: ["authorizer.serviceAccount('default', 'x').group('').resource('pods').check('create').allowed()"],
      asked: false,
    },
    { name: 'looks for the namespace, of which it is told nothing', given: ['namespaceObject == null'], asked: true },
  ];
  for (const { name, given, asked, refusal } of conditions) {
    for (const configured of [validate, mutate]) {
      test(`a condition that ${name} (${configured === validate ? 'validating' : 'mutating'})`, async () => {
        const matchConditions = given.map((expression, i) => ({ name: `c${i}`, expression }));
        hooks.answer('/', allow);
        await configured({ matchConditions });
        const created = create('conditional', { k: '1' });
        if (refusal === undefined) await created;
        else await assert.rejects(created, { code: 403, message: `configmaps "conditional" is forbidden: ${refusal}` });
        assert.equal(hooks.asked.length, asked ? 1 : 0);
        if (refusal === undefined) return;
        await admin.deleteCollection(ValidatingWebhookConfiguration, {});
        await admin.deleteCollection(MutatingWebhookConfiguration, {});
        await configured({ matchConditions, failurePolicy: 'Ignore' });
        await create('conditional', { k: '1' });
        assert.equal(hooks.asked.length, 0);
      });
    }
  }

  test('conditions are counted', async () => {
    const counts = async (): Promise<string[]> =>
      (await server.ask('/metrics')).text
        .split('\n')
        .filter((line) => line.startsWith('apiserver_admission_match_condition_') && line.includes('judged'))
        .filter((line) => !line.includes('_bucket') && !line.includes('_sum'))
        .toSorted();
    const conditions = (expression: string) => [{ name: 'c', expression }];
    await validate(
      { name: 'no.judged.com', matchConditions: conditions('false') },
      { name: 'fails.judged.com', matchConditions: conditions('object.data.no == "x"') },
    );
    await assert.rejects(create('a'), { code: 403 });
    const metric = 'apiserver_admission_match_condition_';
    const labels = (name: string): string => `{name="${name}",kind="webhook",type="validate",operation="CREATE"}`;
    assert.deepEqual(await counts(), [
      `${metric}evaluation_errors_total${labels('fails.judged.com')} 1`,
      `${metric}evaluation_seconds_count${labels('fails.judged.com')} 1`,
      `${metric}evaluation_seconds_count${labels('no.judged.com')} 1`,
      `${metric}exclusions_total${labels('no.judged.com')} 1`,
    ]);
  });

  test('a webhook may ask the API while the request waits for it', async () => {
    hooks.answer('/', async ({ name }) => {
      if (name !== 'inner') await create('inner');
      return {};
    });
    await mutate({});
    await create('outer');
    assert.deepEqual(
      (await admin.list(ConfigMap, { namespace })).items.map(({ metadata }) => metadata.name).filter((n) => n !== 'kube-root-ca.crt'),
      ['inner', 'outer'],
    );
  });

  test('who changes what webhooks are asked is not kept from it by a webhook', async () => {
    hooks.answer('/', deny);
    await validate({ rules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }] });
    await assert.rejects(create('a'), { code: 400 });
    await admin.delete(ValidatingWebhookConfiguration, { name: 'check' });
    await create('a');
  });
});
