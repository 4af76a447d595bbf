/**
 * What upstream's own environment (apiserver/pkg/cel/environment of 1.36.3) answers: results, errors in its words, what an
 * evaluation costs. The rows were asked of it and written down; a row that changes is a stored rule that changes.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeAnswer, isNearly } from '../../../test/kit/cel-answers.ts';
import { takeSteps } from '../meta/steps.ts';
import { baseEnvironment } from './base.ts';
import { CompileError, compile, evaluate, evaluateInSteps, PER_CALL_LIMIT } from './compile.ts';
import rows from './data/upstream-answers.json' with { type: 'json' };
import { estimateCost } from './estimate.ts';
import { DYN, goTypeName } from './types.ts';
import { CelError, readJson } from './values.ts';

interface Row {
  readonly rule: string;
  readonly vars?: Readonly<Record<string, unknown>>;
  readonly limit?: number;
  readonly compileError?: string;
  readonly type?: string;
  readonly result?: string;
  readonly error?: string;
  readonly cost?: number;
  /** at least and at most */
  readonly estimate?: readonly number[];
}

for (const row of rows as readonly Row[]) {
  test(row.rule, () => {
    const names = Object.keys(row.vars ?? {});
    const env = baseEnvironment.extend({ variables: Object.fromEntries(names.map((name) => [name, DYN])) });
    const program = compile(row.rule, env);
    if (program instanceof CompileError) {
      const detail = program.detail.replace(/^compilation failed: /, '').replace(/^program instantiation failed: /, 'PROGRAM ');
      assert.equal(detail, row.compileError);
      return;
    }
    assert.equal(row.compileError, undefined);
    const variables = Object.fromEntries(Object.entries(row.vars ?? {}).map(([name, raw]) => [name, readJson(raw)]));
    const limit = row.limit ?? PER_CALL_LIMIT;
    const { value, cost } = evaluate(program, variables, limit);
    assert.deepEqual(takeSteps(evaluateInSteps(program, variables, limit, 0)), evaluate(program, variables, limit), 'in steps');
    const found = value instanceof CelError ? { error: value.message } : { result: describeAnswer(value) };
    assert.deepEqual({ ...found, cost }, { ...(row.error === undefined ? { result: row.result } : { error: row.error }), cost: row.cost });
    assert.equal(goTypeName(program.type), row.type);
    const { min, max } = estimateCost(program.expr);
    const [least = 0, most = 0] = row.estimate ?? [];
    assert.ok(isNearly(min, least) && isNearly(max, most), `estimated ${min} to ${max}, not ${least} to ${most}`);
  });
}
