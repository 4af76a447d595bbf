/** Admission policies, as clients of the API see them. */
import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import { Registry } from 'prom-client';
import type { MutatingAdmissionPolicySpec, ValidatingAdmissionPolicySpec } from '../../src/api/generated/admissionregistration-v1.ts';
import {
  ConfigMap,
  Deployment,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  Namespace,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../../src/api/generated/kinds.ts';
import type { Client } from '../../src/client/client.ts';
import { type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';

const namespace = 'checked';
const rule = (resource: string, apiGroups: readonly string[] = ['']) => ({
  resourceRules: [{ operations: ['CREATE', 'UPDATE'], apiGroups, apiVersions: ['*'], resources: [resource] }],
});
const configMaps = rule('configmaps');

suite('admission policies', () => {
  const metrics = new Registry();
  const stack = new AsyncDisposableStack();
  let server: GuardedServer;
  let admin: Client;

  before(async () => {
    server = stack.use(await startGuardedServer({ metrics }));
    ({ admin } = server);
    await admin.create(Namespace, { metadata: { name: namespace, labels: { env: 'test' } }, spec: {} });
  });
  after(() => stack.disposeAsync());
  afterEach(async () => {
    for (const kind of [
      ValidatingAdmissionPolicyBinding,
      ValidatingAdmissionPolicy,
      MutatingAdmissionPolicyBinding,
      MutatingAdmissionPolicy,
    ])
      await admin.deleteCollection(kind as typeof ValidatingAdmissionPolicy, {});
    await admin.deleteCollection(ConfigMap, { namespace });
    await admin.deleteCollection(Deployment, { namespace });
  });

  const validate = async (spec: Partial<ValidatingAdmissionPolicySpec>, binding: object = {}): Promise<void> => {
    await admin.create(ValidatingAdmissionPolicy, {
      metadata: { name: 'rules' },
      spec: { matchConstraints: configMaps, ...spec },
    } as never);
    const spoken = { policyName: 'rules', validationActions: ['Deny'], ...binding };
    await admin.create(ValidatingAdmissionPolicyBinding, { metadata: { name: 'everywhere' }, spec: spoken } as never);
  };
  const mutate = async (spec: Partial<MutatingAdmissionPolicySpec>, binding: object = {}): Promise<void> => {
    await admin.create(MutatingAdmissionPolicy, {
      metadata: { name: 'habits' },
      spec: { matchConstraints: configMaps, reinvocationPolicy: 'Never', ...spec },
    } as never);
    await admin.create(MutatingAdmissionPolicyBinding, {
      metadata: { name: 'everywhere' },
      spec: { policyName: 'habits', ...binding },
    } as never);
  };
  const create = (name: string, data: Record<string, string> = {}) => admin.create(ConfigMap, { metadata: { namespace, name }, data });
  const says = (why: string): string =>
    `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'rules' with binding 'everywhere' denied request: ${why}`;

  test('a resourceVersion of a new object is refused after the policies were asked, where it is a number', async () => {
    const versioned = (resourceVersion: string) => admin.create(ConfigMap, { metadata: { namespace, name: 'a', resourceVersion } });
    await validate({ validations: [{ expression: 'object.metadata.?labels.?x.hasValue()' }] });
    await assert.rejects(versioned('7'), { code: 422, message: says('failed expression: object.metadata.?labels.?x.hasValue()') });
    await admin.delete(ValidatingAdmissionPolicyBinding, { name: 'everywhere' });
    await assert.rejects(versioned('7'), { code: 500, message: 'resourceVersion should not be set on objects to be created' });
    for (const none of ['', '0', 'x']) {
      await versioned(none);
      await admin.delete(ConfigMap, { namespace, name: 'a' });
    }
  });

  const counted = async (): Promise<string[]> =>
    (await metrics.metrics())
      .split('\n')
      .filter((line) => /^apiserver_(?:validating|mutating)_admission_policy_check_(?:total|duration_seconds_count)/.test(line))
      .filter((line) => line.includes('policy="counted-'));

  test('expressions that do not hold, warn, change or fail are counted and timed, and conditions', async () => {
    const policy = async (name: string, spec: object, binding: object = {}): Promise<void> => {
      const given = { matchConstraints: configMaps, ...spec };
      await admin.create(ValidatingAdmissionPolicy, { metadata: { name }, spec: given } as never);
      const bound = { policyName: name, validationActions: ['Deny'], ...binding };
      await admin.create(ValidatingAdmissionPolicyBinding, { metadata: { name }, spec: bound } as never);
    };
    await policy('counted-holds', { validations: [{ expression: 'true' }], matchConditions: [{ name: 'c', expression: 'true' }] });
    await policy('counted-warns', { validations: [{ expression: 'false' }] }, { validationActions: ['Warn', 'Audit'] });
    await policy('counted-ignored', { failurePolicy: 'Ignore', validations: [{ expression: 'object.absent == 1' }] });
    await policy('counted-denies', { validations: [{ expression: "object.metadata.name != 'a'" }] });
    await admin.create(MutatingAdmissionPolicy, {
      metadata: { name: 'counted-mutates' },
      spec: {
        matchConstraints: configMaps,
        reinvocationPolicy: 'Never',
        failurePolicy: 'Ignore',
        mutations: [
          { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{data: Object.data{k: "v"}}' } },
          { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{data: Object.data{k: object.absent}}' } },
        ],
      },
    } as never);
    await admin.create(MutatingAdmissionPolicyBinding, { metadata: { name: 'b' }, spec: { policyName: 'counted-mutates' } } as never);
    await assert.rejects(create('a'), /counted-denies/);
    const validating = 'apiserver_validating_admission_policy_check';
    const mutating = 'apiserver_mutating_admission_policy_check';
    const series = [
      ['counted-denies', 'no_error', 'deny'],
      ['counted-ignored', 'invalid_error', 'allow'],
      ['counted-warns', 'no_error', 'warn'],
      ['counted-warns', 'no_error', 'audit'],
    ].flatMap(([name, error, action]) =>
      ['total', 'duration_seconds_count'].map(
        (word) => `${validating}_${word}{policy="${name}",policy_binding="${name}",error_type="${error}",enforcement_action="${action}"} 1`,
      ),
    );
    const changed = ['no_error', 'invalid_error'].flatMap((error) =>
      ['total', 'duration_seconds_count'].map(
        (word) => `${mutating}_${word}{policy="counted-mutates",policy_binding="b",error_type="${error}"} 1`,
      ),
    );
    assert.deepEqual((await counted()).sort(), [...series, ...changed].sort());
    assert.match(
      await metrics.metrics(),
      /^apiserver_admission_match_condition_evaluation_seconds_count\{name="counted-holds",kind="policy",type="validate",operation="CREATE"\} 1$/m,
    );
  });

  test('a pod may be held to what is of its node: its token says on which it is', async () => {
    const robots = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    assert.ok([201, 409].includes((await server.ask(robots, { body: { metadata: { name: 'robot' } } })).code));
    assert.ok([201, 409].includes((await server.ask('/api/v1/nodes', { body: { metadata: { name: 'one' } } })).code));
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' };
    const binding = { metadata: { name: 'robot' }, subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace }], roleRef };
    await server.ask(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, { body: binding });
    const spec = { serviceAccountName: 'robot', nodeName: 'one', containers: [{ name: 'c', image: 'i' }] };
    const pod = await server.ask(`/api/v1/namespaces/${namespace}/pods`, { body: { metadata: { name: 'p' }, spec } });
    const { uid } = JSON.parse(pod.text).metadata;
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid };
    const issued = await server.ask(`${robots}/robot/token`, { body: { spec: { audiences: [], boundObjectRef } } });
    const { token } = JSON.parse(issued.text).status;
    await validate({
      matchConditions: [{ name: 'robot', expression: `request.userInfo.username == 'system:serviceaccount:${namespace}:robot'` }],
      variables: [
        { name: 'node', expression: "request.userInfo.extra[?'authentication.kubernetes.io/node-name'][0].orValue('')" },
        { name: 'name', expression: "(request.operation == 'DELETE' ? oldObject : object).?metadata.name.orValue('')" },
      ],
      validations: [
        { expression: 'variables.node == variables.name', messageExpression: '"on " + variables.node + ", not " + variables.name' },
      ],
    });
    const maps = `/api/v1/namespaces/${namespace}/configmaps`;
    assert.equal((await server.ask(maps, { token, body: { metadata: { name: 'one' } } })).code, 201);
    assert.match((await server.ask(maps, { token, body: { metadata: { name: 'two' } } })).text, /denied request: on one, not two/);
    await create('two');
  });

  const denials: readonly { name: string; spec: Partial<ValidatingAdmissionPolicySpec>; code?: number; reason?: string; why: string }[] = [
    {
      name: 'by its expression',
      spec: { validations: [{ expression: ' has(object.metadata.labels) ' }] },
      why: 'failed expression: has(object.metadata.labels)',
    },
    { name: 'with a message', spec: { validations: [{ expression: 'false', message: ' not now ' }] }, why: 'not now' },
    {
      name: 'with a computed message',
      spec: { validations: [{ expression: 'false', message: 'no', messageExpression: "'in ' + namespaceObject.metadata.name" }] },
      why: `in ${namespace}`,
    },
    {
      name: 'with another reason',
      spec: { validations: [{ expression: 'false', reason: 'Forbidden' }] },
      code: 403,
      reason: 'Forbidden',
      why: 'failed expression: false',
    },
    {
      name: 'with a variable, and the request',
      spec: {
        variables: [{ name: 'who', expression: 'request.userInfo.username' }],
        validations: [{ expression: "variables.who != 'admin'", message: 'not you' }],
      },
      why: 'not you',
    },
    {
      name: 'by an error',
      spec: { validations: [{ expression: 'object.spec.x == 1' }] },
      why: "expression 'object.spec.x == 1' resulted in error: no such key: spec",
    },
    {
      name: 'by what the user may do',
      spec: {
        validations: [
          {
            expression: "!authorizer.group('').resource('secrets').namespace('kube-system').check('delete').allowed()",
            message: 'too mighty',
          },
        ],
      },
      why: 'too mighty',
    },
    {
      name: 'for each that fails, by the first',
      spec: { validations: [{ expression: 'true' }, { expression: '1 == 2' }, { expression: 'false' }] },
      why: 'failed expression: 1 == 2',
    },
  ];
  for (const { name, spec, code = 422, reason = 'Invalid', why } of denials) {
    test(`denied ${name}`, async () => {
      await validate(spec);
      await assert.rejects(create('a'), (error: Error & { code: number; reason: string }) => {
        assert.deepEqual([error.message, error.code, error.reason], [says(why), code, reason]);
        return true;
      });
      await assert.rejects(admin.get(ConfigMap, { namespace, name: 'a' }), { code: 404 });
    });
  }

  const passes: readonly { name: string; spec: Partial<ValidatingAdmissionPolicySpec>; binding?: object }[] = [
    { name: 'an error is let pass', spec: { failurePolicy: 'Ignore', validations: [{ expression: 'object.spec.x == 1' }] } },
    {
      name: 'a condition does not hold',
      spec: { matchConditions: [{ name: 'never', expression: "request.operation == 'UPDATE'" }], validations: [{ expression: 'false' }] },
    },
    {
      name: 'the namespace is not meant',
      spec: { validations: [{ expression: 'false' }] },
      binding: { matchResources: { namespaceSelector: { matchLabels: { env: 'prod' } } } },
    },
    {
      name: 'the name is not meant',
      spec: { validations: [{ expression: 'false' }] },
      binding: {
        matchResources: {
          resourceRules: [{ resourceNames: ['b'], operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['*'] }],
        },
      },
    },
    { name: 'it only warns', spec: { validations: [{ expression: 'false' }] }, binding: { validationActions: ['Warn', 'Audit'] } },
  ];
  for (const { name, spec, binding } of passes) {
    test(`not denied where ${name}`, async () => {
      await validate(spec, binding);
      await create('a');
    });
  }

  test('warns with the message', async () => {
    await validate({ validations: [{ expression: 'false', message: 'mind the gap' }] }, { validationActions: ['Warn'] });
    const { code, headers } = await server.ask(`/api/v1/namespaces/${namespace}/configmaps`, { body: { metadata: { name: 'a' } } });
    assert.equal(code, 201);
    assert.equal(
      headers['warning'],
      `299 - "Validation failed for ValidatingAdmissionPolicy 'rules' with binding 'everywhere': mind the gap"`,
    );
  });

  test('without a binding it does nothing; with it, from the next request on', async () => {
    await admin.create(ValidatingAdmissionPolicy, {
      metadata: { name: 'rules' },
      spec: { matchConstraints: configMaps, validations: [{ expression: 'false' }] },
    } as never);
    await create('a');
    await admin.create(ValidatingAdmissionPolicyBinding, {
      metadata: { name: 'everywhere' },
      spec: { policyName: 'rules', validationActions: ['Deny'] },
    } as never);
    await assert.rejects(create('b'), { code: 422 });
    await admin.delete(ValidatingAdmissionPolicyBinding, { name: 'everywhere' });
    await create('b');
  });

  test('parameters: by name, by selector, and none', async () => {
    const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' };
    const rules = [{ operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }] as const;
    await admin.create(ConfigMap, { metadata: { namespace, name: 'limits', labels: { limits: 'yes' } }, data: { max: '2' } });
    const labels = { app: 'a' };
    const deploy = (name: string, replicas: number) =>
      admin.create(Deployment, {
        metadata: { namespace, name },
        spec: {
          replicas,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'c' }] } },
        },
      });
    const spec = {
      paramKind,
      matchConstraints: { resourceRules: rules },
      validations: [{ expression: 'object.spec.replicas <= int(params.data.max)', messageExpression: "'at most ' + params.data.max" }],
    };
    await validate(spec, { paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } });
    await deploy('a', 2);
    await assert.rejects(deploy('b', 3), /denied request: at most 2$/);
    await admin.deleteCollection(ValidatingAdmissionPolicyBinding, {});
    await admin.create(ValidatingAdmissionPolicyBinding, {
      metadata: { name: 'selected' },
      spec: {
        policyName: 'rules',
        validationActions: ['Deny'],
        paramRef: { selector: { matchLabels: { limits: 'yes' } }, parameterNotFoundAction: 'Deny' },
      },
    } as never);
    await assert.rejects(deploy('b', 3), /denied request: at most 2$/);
    await admin.delete(ConfigMap, { namespace, name: 'limits' });
    await assert.rejects(
      deploy('b', 1),
      /denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction$/,
    );
  });

  test('an expression that does not compile is refused with its place', async () => {
    await assert.rejects(
      validate({ validations: [{ expression: 'object.' }] }),
      /spec.validations\[0\].expression: Invalid value: "object.": compilation failed: ERROR: <input>:1:8: Syntax error/,
    );
    await assert.rejects(
      validate({ validations: [{ expression: '1' }] }),
      /spec.validations\[0\].expression: Invalid value: "1": must evaluate to bool/,
    );
    await assert.rejects(
      validate({
        variables: [{ name: 'a', expression: 'nothing' }],
        validations: [{ expression: 'true', messageExpression: '2' }],
        auditAnnotations: [{ key: 'k', valueExpression: '3' }],
        matchConditions: [{ name: 'm', expression: "'x'" }],
      }),
      (error: Error) => {
        for (const field of [
          'spec.matchConditions[0].expression',
          'spec.variables[0].expression',
          'spec.validations[0].messageExpression',
          'spec.auditAnnotations[0].valueExpression',
        ])
          assert.ok(error.message.includes(`${field}: Invalid value`), error.message);
        return true;
      },
    );
  });

  const wrongExpressions: readonly { name: string; refused: () => Promise<unknown>; why: string }[] = [
    {
      name: 'parameters of a policy that has none',
      refused: () => validate({ matchConditions: [{ name: 'm', expression: 'params.x == 1' }], validations: [{ expression: 'true' }] }),
      why: 'spec.matchConditions[0].expression: Invalid value: "params.x == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to \'params\'',
    },
    {
      name: 'variables of a policy that has none',
      refused: () => validate({ validations: [{ expression: 'variables.a == 1' }] }),
      why: "undeclared reference to 'variables'",
    },
    {
      name: 'a patch in a variable',
      refused: () =>
        mutate({
          variables: [{ name: 'a', expression: 'Object{}' }],
          mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }],
        }),
      why: 'spec.variables[0].expression: Invalid value: "Object{}": compilation failed: ERROR: <input>:1:7: undeclared reference to \'Object\'',
    },
    {
      name: 'what can never be evaluated',
      refused: () => validate({ validations: [{ expression: "double('x') == 1.0" }] }),
      why: "spec.validations[0].expression: Internal error: program instantiation failed: type conversion error from 'string' to 'double'",
    },
  ];
  for (const { name, refused, why } of wrongExpressions) {
    test(`a policy is refused: ${name}`, async () => {
      await assert.rejects(refused(), (error: Error) => {
        assert.ok(error.message.includes(why), error.message);
        return true;
      });
    });
  }

  test('a kind of parameters that is not served denies whatever the policy is about', async () => {
    const paramKind = { apiVersion: 'foo.io/v1', kind: 'Foo' };
    const elsewhere = { matchResources: { namespaceSelector: { matchLabels: { env: 'prod' } } } };
    await validate({ paramKind, validations: [{ expression: 'true' }] }, elsewhere);
    const why = "failed to configure policy: failed to find resource referenced by paramKind: 'foo.io/v1, Kind=Foo'";
    await assert.rejects(create('a'), {
      code: 422,
      message: `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'rules' denied request: ${why}`,
    });
    await admin.delete(ValidatingAdmissionPolicy, { name: 'rules' });
    const mutations = [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }] as const;
    await mutate({ paramKind, mutations }, elsewhere);
    await assert.rejects(create('a'), { code: 403, reason: 'Forbidden', message: `policy "habits" denied request: ${why}` });
  });

  test('policies are asked about webhooks, and not about policies', async () => {
    const match = { apiGroups: ['admissionregistration.k8s.io'], apiVersions: ['*'], operations: ['CREATE'], resources: ['*'] } as const;
    await validate({ matchConstraints: { resourceRules: [match] }, validations: [{ expression: 'false' }] });
    await assert.rejects(admin.create(ValidatingWebhookConfiguration, { metadata: { name: 'a' } }), { code: 422 });
    await mutate({ mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }] });
  });

  test('of a scale, policies see the Scale', async () => {
    const scales = { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments/scale'] } as const;
    const labels = { app: 'a' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'c' }] } };
    await admin.create(Deployment, { metadata: { namespace, name: 'a' }, spec: { selector: { matchLabels: labels }, template } });
    await validate({
      matchConstraints: { resourceRules: [scales] },
      validations: [
        { expression: 'object.spec.replicas < 5', messageExpression: "'a ' + oldObject.kind + object.kind + object.apiVersion" },
      ],
    });
    const jsonPatch = { expression: "[JSONPatch{op: 'replace', path: '/spec/replicas', value: object.spec.replicas + 1}]" };
    await mutate({ matchConstraints: { resourceRules: [scales] }, mutations: [{ patchType: 'JSONPatch', jsonPatch }] });
    const scale = (replicas: number) =>
      admin.patch(Deployment, { namespace, name: 'a' }, { type: 'merge', body: { spec: { replicas } } }, { subresource: 'scale' });
    assert.equal((await scale(3)).spec.replicas, 4);
    assert.equal((await admin.get(Deployment, { namespace, name: 'a' })).spec.replicas, 4);
    await assert.rejects(scale(4), /denied request: a ScaleScaleautoscaling\/v1$/);
  });

  test('a mutation can move no object to another namespace', async () => {
    const expression = "Object{metadata: Object.metadata{namespace: 'default'}}";
    await mutate({ mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }] });
    await assert.rejects(create('a'), {
      code: 400,
      message: 'the namespace of the provided object does not match the namespace sent on the request',
    });
    await assert.rejects(admin.get(ConfigMap, { namespace: 'default', name: 'a' }), { code: 404 });
  });

  test('times, bytes and large numbers have a form in a JSON patch', async () => {
    const operations = [
      "JSONPatch{op: 'add', path: '/data', value: {'d': duration('90m'), 'e': duration('1500ms')}}",
      "JSONPatch{op: 'add', path: '/data/t', value: timestamp('2020-01-01T00:00:00Z')}",
      "JSONPatch{op: 'add', path: '/data/n', value: 9007199254740993}",
      "JSONPatch{op: 'add', path: '/binaryData', value: {'b': b'xx'}}",
    ];
    await mutate({ mutations: operations.map((each) => ({ patchType: 'JSONPatch', jsonPatch: { expression: `[${each}]` } })) });
    const { data, binaryData } = await create('a');
    const wanted = { d: '5400s', e: '1.500s', t: '2020-01-01T00:00:00Z', n: '9007199254740993' };
    assert.deepEqual([data, binaryData], [wanted, { b: 'eHg=' }]);
  });

  test('what a patch makes and cannot be is an error of the server, of a configuration one of the policy', async () => {
    await mutate({
      failurePolicy: 'Ignore',
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: "[JSONPatch{op: 'add', path: '/nope', value: 'x'}]" } }],
    });
    await assert.rejects(create('a'), { code: 500, message: 'Internal error occurred: strict decoding error: unknown field "nope"' });
    await admin.deleteCollection(MutatingAdmissionPolicyBinding, {});
    await admin.delete(MutatingAdmissionPolicy, { name: 'habits' });
    await mutate({
      matchConstraints: rule('deployments', ['apps']) as never,
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{spec: Object.spec{replicas: 5.5}}' } }],
    });
    const spec = { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [] } } };
    await assert.rejects(
      admin.create(Deployment, { metadata: { namespace, name: 'a' }, spec }),
      /unable to convert unstructured object to apps\/v1, Kind=Deployment: /,
    );
  });

  test('apply configurations are merged as by server-side apply, JSON patches come after them', async () => {
    await mutate({
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: "Object{metadata: Object.metadata{labels: {'by': request.userInfo.username}}}" },
        },
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression: "[JSONPatch{op: 'add', path: '/metadata/annotations', value: {'a': object.metadata.labels['by'] + '!'}}]",
          },
        },
      ],
    });
    const { metadata, data } = await admin.create(ConfigMap, {
      metadata: { namespace, name: 'a', labels: { own: 'yes' } },
      data: { k: 'v' },
    });
    assert.deepEqual([metadata.labels, data], [{ own: 'yes', by: 'admin' }, { k: 'v' }]);
  });

  test('items of keyed lists are merged, and what is made gets its defaults', async () => {
    const expression =
      "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: 'side', image: 'side'}]}}}}";
    await mutate({
      matchConstraints: rule('deployments', ['apps']) as never,
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
    });
    const labels = { app: 'a' };
    const { spec } = await admin.create(Deployment, {
      metadata: { namespace, name: 'a' },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'main' }] } },
      },
    });
    assert.deepEqual(spec.template.spec?.containers.map(({ name, imagePullPolicy }) => [name, imagePullPolicy]).toSorted(), [
      ['main', 'Always'],
      ['side', 'Always'],
    ]);
  });

  const faults: readonly { name: string; mutation: object; why: string }[] = [
    {
      name: 'a list that is owned as a whole',
      mutation: {
        patchType: 'ApplyConfiguration',
        applyConfiguration: {
          expression:
            "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: 'c', args: ['x']}]}}}}",
        },
      },
      why: 'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.template.spec.containers[0].args',
    },
    {
      name: 'a field that is not there',
      mutation: { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{spec: Object.spec{nothing: 1}}' } },
      why: 'error applying patch: failed to convert patch object to typed object: .spec.nothing: field not declared in schema',
    },
    {
      name: 'a patch of what is not there',
      mutation: { patchType: 'JSONPatch', jsonPatch: { expression: "[JSONPatch{op: 'remove', path: '/spec/nothing'}]" } },
      why: "JSON Patch: error in remove for path: '/spec/nothing': Unable to remove nonexistent key: nothing: missing value",
    },
    {
      name: 'an error',
      mutation: { patchType: 'JSONPatch', jsonPatch: { expression: "[JSONPatch{op: 'add', path: '/x', value: object.nothing}]" } },
      why: 'resulted in error: no such key: nothing',
    },
  ];
  for (const { name, mutation, why } of faults) {
    test(`a mutation is refused: ${name}`, async () => {
      await mutate({ matchConstraints: rule('deployments', ['apps']) as never, mutations: [mutation] as never });
      const labels = { app: 'a' };
      const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'c' }] } };
      const made = admin.create(Deployment, { metadata: { namespace, name: 'a' }, spec: { selector: { matchLabels: labels }, template } });
      await assert.rejects(made, (error: Error & { code: number; reason: string }) => {
        assert.ok(error.message.startsWith("policy 'habits' with binding 'everywhere' denied request: "), error.message);
        assert.ok(error.message.includes(why), error.message);
        assert.deepEqual([error.code, error.reason], [403, 'Invalid']);
        return true;
      });
    });
  }

  test('a test that fails leaves the object as it is', async () => {
    await mutate({
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: { expression: "[JSONPatch{op: 'test', path: '/data/k', value: 'w'}, JSONPatch{op: 'remove', path: '/data/k'}]" },
        },
      ],
    });
    assert.deepEqual((await create('a', { k: 'v' })).data, { k: 'v' });
  });
});
