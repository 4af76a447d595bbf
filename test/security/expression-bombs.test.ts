/**
 * Expressions that mean no good, in rules of definitions, conditions, policies and their parts: as long as their budget
 * lets them be, many at once, over many parameters. They cost what upstream's budgets let them cost and are refused then;
 * others have their turn all the while.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import {
  ConfigMap,
  CustomResourceDefinition,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../../src/api/generated/kinds.ts';
import { isStatusError } from '../../src/api/meta/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import { define, definition, kindOf, version } from '../kit/definitions.ts';
import { type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';

const namespace = 'default';
const configMaps = { resourceRules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }] };
/** Costs all that one expression may. */
const bomb = 'lists.range(1000).all(x, lists.range(1000).all(y, x + y >= 0))';
/** Costs next to nothing by upstream's prices, and goes through megabytes. */
const cheapBomb = 'lists.range(300).all(x, object.data.all(k, object.data[k].size() >= 0) && object.data == object.data)';

/** The processor time of the longest turn of this thread while something is under way, in milliseconds. */
async function longestTurn<T>(work: () => Promise<T>): Promise<{ readonly given: T; readonly turnMsMax: number }> {
  let turnMsMax = 0;
  let isOver = false;
  let before = process.threadCpuUsage();
  const turn = (): void => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    turnMsMax = Math.max(turnMsMax, (user + system) / 1000);
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  const given = await work();
  isOver = true;
  turn();
  return { given, turnMsMax };
}
/** What is wanted is 50; code that is not compiled yet takes longer, and reading a body of megabytes is one turn. */
const turnMsMost = 200;

suite('expressions that are bombs', () => {
  const stack = new AsyncDisposableStack();
  let server: GuardedServer;
  let admin: Client;

  before(async () => {
    server = stack.use(await startGuardedServer());
    ({ admin } = server);
  });
  after(() => stack.disposeAsync());
  afterEach(async () => {
    await admin.deleteCollection(ValidatingAdmissionPolicyBinding, {});
    await admin.deleteCollection(ValidatingAdmissionPolicy, {});
    await admin.deleteCollection(ValidatingWebhookConfiguration, {});
    await admin.deleteCollection(ConfigMap, { namespace });
  });

  const create = (name: string, data: Record<string, string> = {}) => admin.create(ConfigMap, { metadata: { namespace, name }, data });
  const policy = async (name: string, spec: object, binding: object = {}): Promise<void> => {
    const given = { matchConstraints: configMaps, ...spec };
    await admin.create(ValidatingAdmissionPolicy, { metadata: { name }, spec: given } as never);
    const bound = { policyName: name, validationActions: ['Deny'], ...binding };
    await admin.create(ValidatingAdmissionPolicyBinding, { metadata: { name }, spec: bound } as never);
  };
  const refusal = async (request: Promise<unknown>): Promise<string> =>
    await request.then(
      () => 'it was taken',
      (error: unknown) => (isStatusError(error) ? error.message : String(error)),
    );

  const overLimit = /actual cost limit exceeded/;
  const parts: readonly { readonly name: string; readonly spec: object; readonly want: RegExp }[] = [
    { name: 'a validation', spec: { validations: [{ expression: bomb }] }, want: overLimit },
    {
      name: 'a variable',
      spec: { variables: [{ name: 'v', expression: bomb }], validations: [{ expression: 'variables.v' }] },
      want: overLimit,
    },
    {
      name: 'a match condition',
      spec: { matchConditions: [{ name: 'c', expression: bomb }], validations: [{ expression: 'true' }] },
      want: overLimit,
    },
    {
      name: 'a message: the one beside it is told',
      spec: { validations: [{ expression: 'false', message: 'no', messageExpression: `${bomb} ? "a" : "b"` }] },
      want: /denied request: no$/,
    },
    {
      name: 'an annotation',
      spec: { validations: [{ expression: 'true' }], auditAnnotations: [{ key: 'k', valueExpression: `${bomb} ? "a" : "b"` }] },
      want: overLimit,
    },
    {
      name: 'many validations, until the budget of the policy is spent',
      spec: { validations: Array.from({ length: 40 }, () => ({ expression: bomb.replaceAll('1000', '300') })) },
      want: /running out of cost budget/,
    },
    {
      name: 'checks of an authorizer in a loop',
      spec: {
        validations: [{ expression: "lists.range(1000).all(x, authorizer.path('/a' + string(x)).check('get').allowed())" }],
      },
      want: overLimit,
    },
    {
      name: 'what has no price: the text is taken',
      spec: { validations: [{ expression: cheapBomb }] },
      want: /^it was taken$|limit exceeded/,
    },
  ];
  for (const { name, spec, want } of parts) {
    test(name, async () => {
      await policy('bomb', spec);
      const data = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`k${i}`, 'x'.repeat(90_000)]));
      const { given, turnMsMax } = await longestTurn(() => refusal(create('a', name.startsWith('what') ? data : {})));
      assert.match(given, want);
      assert.ok(turnMsMax < turnMsMost, `a turn took ${turnMsMax} ms`);
    });
  }

  test('a condition of a webhook', async () => {
    await admin.create(ValidatingWebhookConfiguration, {
      metadata: { name: 'bomb' },
      webhooks: [
        {
          name: 'bomb.example.com',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          clientConfig: { url: 'https://127.0.0.1:1/' },
          rules: configMaps.resourceRules,
          matchConditions: [{ name: 'c', expression: bomb }],
        },
      ],
    } as never);
    const { given, turnMsMax } = await longestTurn(() => refusal(create('a')));
    assert.match(given, overLimit);
    assert.ok(turnMsMax < turnMsMost, `a turn took ${turnMsMax} ms`);
  });

  const costly = (rule: string, bounds: object) =>
    definition('Bomb', {
      versions: [
        version('v1', {
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: { type: 'object', properties: { list: { type: 'array', items: { type: 'integer' }, ...bounds } } } },
              'x-kubernetes-validations': [{ rule }],
            },
          },
        }),
      ],
    });
  const nested = 'self.spec.list.all(x, self.spec.list.all(y, x + y >= 0))';

  test('a rule of a definition that could cost too much is refused when it is written', async () => {
    const why = await refusal(admin.create(CustomResourceDefinition, costly(nested, {})));
    assert.match(why, /estimated rule cost exceeds budget by factor of more than 100x/);
  });

  test('a rule that costs too much of one object ends at its budget, small as the object is', async () => {
    await define(admin, costly(bomb.replaceAll('1000', '400'), { maxItems: 2 }));
    const Bomb = kindOf(definition('Bomb'), 'v1');
    const { given, turnMsMax } = await longestTurn(() =>
      refusal(admin.create(Bomb, { metadata: { namespace, name: 'a' }, spec: { list: [1] } })),
    );
    assert.match(given, /call cost exceeds limit for rule/);
    assert.ok(turnMsMax < turnMsMost, `a turn took ${turnMsMax} ms`);
  });

  test('500 policies in force: all are asked, in turns, and a create is dear but bounded', async () => {
    const count = 500;
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        policy(`p${i}`, {
          variables: [{ name: 'v', expression: 'object.metadata.name' }],
          validations: [{ expression: `variables.v != 'p${i}'` }, { expression: 'object.data.all(k, object.data[k].size() < 10)' }],
        }),
      ),
    );
    const first = await longestTurn(() => create('fine', { a: 'b' }));
    const cpuBefore = process.threadCpuUsage();
    await create('again', { a: 'b' });
    const { user, system } = process.threadCpuUsage(cpuBefore);
    assert.match(await refusal(create('p499', { a: 'b' })), /ValidatingAdmissionPolicy 'p499' with binding 'p499' denied request/);
    assert.ok(first.turnMsMax < turnMsMost, `a turn took ${first.turnMsMax} ms`);
    assert.ok((user + system) / 1000 < 500, `a create took ${(user + system) / 1000} ms`);
  });

  test('10,000 parameters by a selector: each is asked, in turns, and what is told stays small', async () => {
    const count = 10_000;
    const labels = { role: 'parameter' };
    const made = Array.from({ length: count }, (_, i) =>
      admin.create(ConfigMap, { metadata: { namespace, name: `param${i}`, labels }, data: { max: String(i + 1) } }),
    );
    await Promise.all(made);
    await policy(
      'parametrized',
      {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        validations: [{ expression: 'int(params.data.max) < 10000 || object.data.size() == 0' }],
      },
      { paramRef: { selector: { matchLabels: labels }, parameterNotFoundAction: 'Deny' } },
    );
    const heapBefore = process.memoryUsage().heapUsed;
    const { given, turnMsMax } = await longestTurn(() => refusal(create('a', { k: 'v' })));
    assert.match(given, /denied request: failed expression: int\(params\.data\.max\)/);
    assert.ok(given.length < 1000);
    assert.ok(turnMsMax < turnMsMost, `a turn took ${turnMsMax} ms`);
    assert.ok(process.memoryUsage().heapUsed - heapBefore < 300 * 2 ** 20, 'memory is bounded');
  });
});
