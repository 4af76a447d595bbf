import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseEnvironment } from '../base.ts';
import { CompileError, compile, evaluate } from '../compile.ts';
import { CelError, type Value } from '../values.ts';
import {
  type AccessCheck,
  AUTHORIZER,
  authorizerValue,
  Decisions,
  RESOURCE_CHECK,
  requestResourceValue,
  UndecidedCheck,
} from './authorization.ts';

const env = baseEnvironment.extend({ variables: { authorizer: AUTHORIZER, 'authorizer.requestResource': RESOURCE_CHECK } });

/** Evaluates as a server does: what is undecided is decided, then it is evaluated again. */
function run(text: string): { value: Value; asked: AccessCheck[] } {
  const program = compile(text, env);
  if (program instanceof CompileError) throw new Error(program.detail);
  const decisions = new Decisions();
  const asked: AccessCheck[] = [];
  for (;;) {
    try {
      const variables = {
        authorizer: authorizerValue(decisions),
        'authorizer.requestResource': requestResourceValue(decisions, {
          group: 'apps',
          resource: 'deployments',
          namespace: 'a',
          name: 'web',
        }),
      };
      return { value: evaluate(program, variables).value, asked };
    } catch (e) {
      if (!(e instanceof UndecidedCheck)) throw e;
      asked.push(e.check);
      const isAllowed = e.check.verb === 'get';
      decisions.decide(e.key, {
        allowed: isAllowed,
        reason: isAllowed ? 'yes' : 'no',
        error: e.check.verb === 'break' ? 'it broke' : undefined,
      });
    }
  }
}

const rows: readonly { name: string; text: string; value: Value; asked: readonly AccessCheck[] }[] = [
  {
    name: 'a check of a resource, with all that can be said of it',
    text: "authorizer.group('').resource('pods').subresource('log').namespace('n').name('p').labelSelector('a=b').fieldSelector('c=d').check('get').allowed()",
    value: true,
    asked: [
      {
        group: '',
        resource: 'pods',
        subresource: 'log',
        namespace: 'n',
        name: 'p',
        labelSelector: 'a=b',
        fieldSelector: 'c=d',
        verb: 'get',
      },
    ],
  },
  { name: 'a path', text: "authorizer.path('/healthz').check('put').reason()", value: 'no', asked: [{ path: '/healthz', verb: 'put' }] },
  {
    name: 'as a service account',
    text: "authorizer.serviceAccount('ns', 'sa').group('g').resource('r').check('get').allowed()",
    value: true,
    asked: [{ serviceAccount: { namespace: 'ns', name: 'sa' }, group: 'g', resource: 'r', verb: 'get' }],
  },
  {
    name: 'the resource of the request',
    text: "authorizer.requestResource.check('get').allowed()",
    value: true,
    asked: [{ group: 'apps', resource: 'deployments', namespace: 'a', name: 'web', verb: 'get' }],
  },
  {
    name: 'what is asked twice is decided once',
    text: "authorizer.path('/a').check('get').allowed() && authorizer.path('/a').check('get').reason() == 'yes'",
    value: true,
    asked: [{ path: '/a', verb: 'get' }],
  },
  {
    name: 'a check behind a false one is not asked',
    text: "authorizer.path('/a').check('put').allowed() && authorizer.path('/b').check('get').allowed()",
    value: false,
    asked: [{ path: '/a', verb: 'put' }],
  },
  {
    name: 'an authorizer that fails',
    text: "authorizer.path('/a').check('break').error()",
    value: 'it broke',
    asked: [{ path: '/a', verb: 'break' }],
  },
];

for (const { name, text, value, asked } of rows) {
  test(name, () => assert.deepEqual(run(text), { value, asked }));
}

test('three checks are more than an expression may cost', () => {
  const check = (path: string): string => `authorizer.path('${path}').check('get').allowed()`;
  const { value } = run(`${check('/a')} && ${check('/b')} && ${check('/c')}`);
  assert.deepEqual(value, new CelError('operation cancelled: actual cost limit exceeded'));
});

test('an empty path is refused', () =>
  assert.deepEqual(run("authorizer.path(' ').check('get').allowed()").value, new CelError('path must not be empty')));
