import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompileError } from '../compile.ts';
import { type AccessCheck, Decisions, UndecidedCheck } from '../library/authorization.ts';
import * as t from '../types.ts';
import { applyConfigurationOf, patchOf } from './constructed.ts';
import { JSON_PATCH, OBJECT } from './environment.ts';
import {
  type Asking,
  Compiler,
  Evaluation,
  type Inputs,
  MATCH_CONDITIONS_BUDGET,
  matchConditions,
  OutOfBudget,
  POLICY_BUDGET,
} from './expressions.ts';

const inputs: Inputs = {
  object: { metadata: { name: 'web', labels: { app: 'a' } }, spec: { replicas: 3, containers: [{ name: 'c', image: 'i' }] } },
  oldObject: null,
  request: {
    operation: 'CREATE',
    kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
    userInfo: { username: 'jo', groups: ['dev'] },
  },
  namespaceObject: { metadata: { name: 'ns', labels: { env: 'prod' } } },
  params: { data: { max: '5' } },
};

/** All steps at once. */
function take<T>(asking: Asking<T>, decide: (check: UndecidedCheck) => void = () => assert.fail('nothing is to be decided')): T {
  for (;;) {
    const { done, value } = asking.next();
    if (done) return value;
    if (value instanceof UndecidedCheck) decide(value);
  }
}

function run(expression: string, ...variables: readonly (readonly [string, string])[]): unknown {
  const compiler = new Compiler({ params: true }, true);
  for (const [name, text] of variables) compiler.addVariable(name, text);
  const compiled = compiler.compile(expression);
  return take(new Evaluation(inputs, POLICY_BUDGET, compiler.variables).run(compiled));
}

const rows: readonly { readonly name: string; readonly got: unknown; readonly want: unknown }[] = [
  { name: 'the object is read as any JSON', got: run('object.spec.replicas <= int(params.data.max)'), want: { value: true } },
  { name: 'there is no old object at a create', got: run('oldObject == null'), want: { value: true } },
  { name: 'the request is typed', got: run("request.userInfo.groups.exists(g, g == 'dev')"), want: { value: true } },
  { name: 'the namespace is typed', got: run("namespaceObject.metadata.labels['env'] == 'prod'"), want: { value: true } },
  {
    name: 'variables compose, in their order',
    got: run('variables.b == 4', ['a', 'object.spec.replicas'], ['b', 'variables.a + 1']),
    want: { value: true },
  },
  {
    name: 'an error names the expression',
    got: run('object.spec.absent == 1'),
    want: { error: "expression 'object.spec.absent == 1' resulted in error: no such key: absent" },
  },
  {
    name: 'an error of a variable names the variable',
    got: run('variables.a == 1', ['a', 'object.spec.absent']),
    want: { error: `expression 'variables.a == 1' resulted in error: composited variable "a" fails to evaluate: no such key: absent` },
  },
];
for (const { name, got, want } of rows) test(name, () => assert.deepEqual(got, want));

test('what an expression must give is said', () => {
  const compiler = new Compiler({}, false);
  const detail = (expression: string, ...types: t.Type[]): string | undefined => {
    const { program } = compiler.compile(expression, ...types);
    return program instanceof CompileError ? program.detail : undefined;
  };
  assert.equal(detail('1 + 1', t.BOOL), 'must evaluate to bool but got int');
  assert.equal(detail('1 + 1', t.STRING, t.NULL), 'must evaluate to one of [string null_type] but got int');
  assert.equal(detail('true', t.BOOL), undefined);
  assert.match(detail('params.x == 1', t.BOOL) ?? '', /^compilation failed: ERROR: <input>:1:1: undeclared reference to 'params'/);
});

test('a variable is evaluated once, and its cost counts where it was asked for', () => {
  const compiler = new Compiler({}, true);
  compiler.addVariable('big', 'lists.range(100).map(x, x * 2).size()');
  const evaluation = new Evaluation(inputs, POLICY_BUDGET, compiler.variables);
  const costOf = (expression: string): number => {
    const before = evaluation.remaining;
    take(evaluation.run(compiler.compile(expression)));
    return before - evaluation.remaining;
  };
  assert.ok(costOf('variables.big > 1') > 1000);
  assert.ok(costOf('variables.big > 1') < 10);
});

test('what is over the budget ends it', () => {
  const compiler = new Compiler({}, false);
  const evaluation = new Evaluation(inputs, 100);
  assert.throws(() => take(evaluation.run(compiler.compile('lists.range(100).all(x, x >= 0)'))), OutOfBudget);
});

function match(...expressions: readonly string[]): unknown {
  const compiler = new Compiler({ authorizer: true }, false);
  const conditions = expressions.map((expression, i) => ({ name: `c${i}`, ...compiler.compile(expression, t.BOOL) }));
  return take(matchConditions(conditions, inputs));
}
test('conditions match when all hold', () => assert.deepEqual(match("request.operation == 'CREATE'", 'true'), { matches: true }));
test('one that is false decides, even beside errors', () => {
  assert.deepEqual(match('object.absent == 1', 'false'), { matches: false, failedCondition: 'c1' });
});
test('errors are told together', () => {
  const lead = (name: string): string => `expression 'object.${name} == 1' resulted in error: no such key: ${name}`;
  assert.deepEqual(match('object.a == 1', 'true'), { error: lead('a'), failures: 1 });
  assert.deepEqual(match('object.a == 1', 'object.b == 1'), { error: `[${lead('a')}, ${lead('b')}]`, failures: 2 });
});
test('conditions have a budget of their own', () => {
  const dear = 'lists.range(900).all(x, lists.range(100).all(y, x >= y || true))';
  assert.match(JSON.stringify(match(dear, dear, dear, dear, dear, dear)), /cost budget|cost limit/);
  assert.ok(MATCH_CONDITIONS_BUDGET < POLICY_BUDGET);
});

test('checks are asked for one by one; what needs none asks for nothing', () => {
  const compiler = new Compiler({ authorizer: true }, true);
  compiler.addVariable('dear', 'lists.range(20000).all(x, x >= 0)');
  const evaluateWith = (expression: string): { result: unknown; asked: AccessCheck[]; spent: number } => {
    const decisions = new Decisions();
    const asked: AccessCheck[] = [];
    const evaluation = new Evaluation({ ...inputs, decisions }, POLICY_BUDGET, compiler.variables);
    const result = take(evaluation.run(compiler.compile(expression, t.BOOL)), ({ check, key }) => {
      asked.push(check);
      decisions.decide(key, { allowed: true, reason: '' });
    });
    return { result, asked, spent: POLICY_BUDGET - evaluation.remaining };
  };
  assert.deepEqual(evaluateWith('object.spec.replicas == 3'), { result: { value: true }, asked: [], spent: 4 });
  const { result, asked, spent } = evaluateWith(
    "variables.dear && authorizer.path('/a').check('get').allowed() && authorizer.path('/b').check('get').allowed()",
  );
  assert.deepEqual(result, { value: true });
  assert.deepEqual(
    asked.map((check) => check.path),
    ['/a', '/b'],
  );
  assert.ok(spent > 700_000 && spent < 850_000, `${spent}: what is evaluated again is paid once`);
});

function mutate(expression: string, type: t.Type): unknown {
  const compiled = new Compiler({ patchTypes: true }, true).compile(expression, type);
  if (compiled.program instanceof CompileError) return compiled.program.detail;
  const result = take(new Evaluation(inputs, POLICY_BUDGET).run(compiled));
  return 'error' in result ? result.error : result.value;
}

test('an apply configuration is constructed', () => {
  const made = mutate(
    'Object{spec: Object.spec{replicas: object.spec.replicas + 1, ?paused: optional.none(), list: [Object.spec.list{a: "b"}]}}',
    OBJECT,
  );
  assert.deepEqual(applyConfigurationOf(made as never), { spec: { replicas: 4, list: [{ a: 'b' }] } });
});
test('a type in a place that is not its own is refused', () => {
  const made = mutate('Object{spec: Object.status{}}', OBJECT);
  assert.throws(() => applyConfigurationOf(made as never), {
    message:
      'type mismatch: unexpected type name "Object.status", expected "Object.spec", which matches field name path from root Object type',
  });
});
test('a JSON patch is constructed', () => {
  const expression = `[
    JSONPatch{op: "test", path: "/spec/replicas", value: 3},
    JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a/b~c"), value: {"x": "y"}.x},
    JSONPatch{op: "move", from: "/a", path: "/b"}]`;
  assert.deepEqual(patchOf(mutate(expression, t.listOf(JSON_PATCH)) as never), [
    { op: 'test', path: '/spec/replicas', value: 3 },
    { op: 'add', path: '/metadata/labels/a~1b~0c', value: 'y' },
    { op: 'move', from: '/a', path: '/b' },
  ]);
});
