/**
 * What upstream (apiextensions-apiserver 1.36.3) answers about rules: how a rule compiles against a schema, what it gives,
 * costs and can cost at most, what all rules find in an object, and what is refused of a definition. The rows were asked of it
 * and written down.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeAnswer, isNearly } from '../../../../../test/kit/cel-answers.ts';
import { evaluate } from '../../../cel/compile.ts';
import { CelError, Optional, type Value } from '../../../cel/values.ts';
import type { JSONSchemaProps, ValidationRule } from '../../../generated/apiextensions-v1.ts';
import { describeFieldError } from '../../../meta/status-error.ts';
import { takeSteps } from '../../../meta/steps.ts';
import { checkDefinitionSchema } from '../check-definition.ts';
import { Correlation } from '../correlation.ts';
import { Path } from '../places.ts';
import { Structural } from '../structural.ts';
import { compileRules, costMaxOf, countMaxOf } from './compile-rules.ts';
import answers from './data/upstream-answers.json' with { type: 'json' };
import { declare } from './declared-type.ts';
import { evaluateRules } from './evaluate-rules.ts';
import { readerOf } from './read-value.ts';

interface Of {
  readonly schema: JSONSchemaProps;
  readonly self?: unknown;
  readonly old?: unknown;
}

interface RuleAnswer extends ValidationRule {
  readonly problem?: string;
  readonly result?: string;
  readonly error?: string;
  readonly cost?: number;
  readonly costMax?: number;
  readonly countMax?: number;
}

for (const { of, answers: rows } of answers.rules as unknown as readonly { of: Of; answers: readonly RuleAnswer[] }[]) {
  for (const row of rows) test(`of a rule: ${row.messageExpression ?? row.rule}`, () => checkRule(of, row));
}

function checkRule({ schema, self, old }: Of, row: RuleAnswer): void {
  const { problem, result, error, cost, costMax, countMax, ...rule } = row;
  const node = new Structural({ ...schema, 'x-kubernetes-validations': [rule] });
  const declared = declare(node, 'selfType', false) ?? assert.fail();
  const compiled = compileRules(node, declared)[0] ?? assert.fail();
  assert.equal(compiled.problem ?? compiled.messageProblem, problem);
  if (problem !== undefined || !compiled.program) return;
  assert.ok(isNearly(costMaxOf(compiled.program, declared), costMax ?? 0), `at most ${costMax}`);
  assert.equal(countMaxOf(declared), countMax);
  if (self === undefined) return;
  const read = (raw: unknown): Value => readerOf(node)(raw);
  const oldSelf = old === undefined ? undefined : read(old);
  const before = rule.optionalOldSelf ? (oldSelf === undefined ? Optional.none : new Optional(oldSelf)) : oldSelf;
  const outcome = evaluate(compiled.message ?? compiled.program, {
    self: read(self),
    ...(before === undefined ? {} : { oldSelf: before }),
  });
  const found = outcome.value instanceof CelError ? { error: outcome.value.message } : { result: describeAnswer(outcome.value) };
  assert.deepEqual({ ...found, cost: outcome.cost }, error === undefined ? { result, cost } : { error, cost });
}

for (const row of answers.objects as unknown as readonly (Of & { errors: readonly string[]; warnings?: readonly string[] })[]) {
  test(`of an object: ${JSON.stringify(row)}`, () => {
    const node = new Structural(row.schema);
    const old = row.old === undefined ? undefined : new Correlation(node, row.self, row.old);
    const found = takeSteps(evaluateRules({ node, value: row.self, old, path: new Path() }, true));
    const told = (isForgiven: boolean): readonly string[] =>
      found
        .filter((e) => (e.isForgiven ?? false) === isForgiven)
        .map(describeFieldError)
        .toSorted();
    // upstream takes the fields of an object in any order
    assert.deepEqual(
      { errors: told(false), warnings: told(true) },
      { errors: row.errors.toSorted(), warnings: row.warnings?.toSorted() ?? [] },
    );
  });
}

const path = new Path('spec').field('versions').item(0).field('schema').field('openAPIV3Schema');
for (const { schema, errors } of answers.definitions as unknown as readonly { schema: JSONSchemaProps; errors: readonly string[] }[]) {
  test(`of a definition: ${JSON.stringify(schema)}`, () => {
    const found = takeSteps(checkDefinitionSchema(schema, path, { hasStatus: false, leniency: {} })).map(describeFieldError);
    assert.deepEqual(found.filter((problem) => /x-kubernetes-validations|failed rule/.test(problem)).toSorted(), errors.toSorted());
  });
}
