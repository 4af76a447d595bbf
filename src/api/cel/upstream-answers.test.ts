/**
 * What upstream's own environment (apiserver/pkg/cel/environment of 1.36.3) answers: results, errors in its words, what an
 * evaluation costs. The rows were asked of it and written down; a row that changes is a stored rule that changes.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseEnvironment } from './base.ts';
import { CompileError, compile, evaluate, PER_CALL_LIMIT } from './compile.ts';
import rows from './data/upstream-answers.json' with { type: 'json' };
import { showDouble } from './numbers.ts';
import { showTimestamp } from './time.ts';
import { DYN, goTypeName } from './types.ts';
import { CelError, Duration, List, MapValue, Optional, readJson, Timestamp, TypeValue, typeName, Uint, type Value } from './values.ts';

interface Row {
  readonly rule: string;
  readonly vars?: Readonly<Record<string, unknown>>;
  readonly limit?: number;
  readonly compileError?: string;
  readonly type?: string;
  readonly result?: string;
  readonly error?: string;
  readonly cost?: number;
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
    const { value, cost } = evaluate(program, variables, row.limit ?? PER_CALL_LIMIT);
    const found = value instanceof CelError ? { error: value.message } : { result: describe(value) };
    assert.deepEqual({ ...found, cost }, { ...(row.error === undefined ? { result: row.result } : { error: row.error }), cost: row.cost });
    assert.equal(goTypeName(program.type), row.type);
  });
}

/** As the answers were written down: doubles with `d`, times with `t`, entries of maps in order. */
function describe(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return `d${showDouble(value)}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('base64')}`;
  if (value instanceof Timestamp) return `t${showTimestamp(new Timestamp(value.ns))}`;
  if (value instanceof Duration) return `D${value.ns}`;
  if (value instanceof Optional) return value.value === undefined ? 'optional.none()' : `optional(${describe(value.value)})`;
  if (value instanceof TypeValue) return `type(${value.name})`;
  if (value instanceof List) return `[${Array.from(value, describe).join(',')}]`;
  if (value instanceof MapValue) {
    const entries = Array.from(value.keys(), (key) => `${describe(key)}:${describe(value.get(key) ?? null)}`);
    return `{${entries.sort().join(',')}}`;
  }
  return `<${typeName(value)}>`;
}
