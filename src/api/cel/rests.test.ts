/** Evaluations that rest: what comes of them is what comes of them at once, in many short steps. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { baseEnvironment } from './base.ts';
import { CompileError, compile, type Evaluated, evaluate, evaluateInSteps } from './compile.ts';
import { DYN } from './types.ts';
import { CelError, readJson, type Value } from './values.ts';

const count = 100_000;
const numbers = Array.from({ length: count }, (_, i) => i);
const text = 'abcde'.repeat(count);
const given: unknown = {
  l: numbers,
  texts: numbers.map(String),
  nested: numbers.map((n) => [n]),
  nested2: numbers.map((n) => [n]),
  s: text,
  a: 'a'.repeat(count),
  ab: `${'a'.repeat(count / 2)}b`,
  quotes: '"'.repeat(count),
  blanks: `x${' '.repeat(count)}x`,
  digits: '9'.repeat(count),
  m: Object.fromEntries(numbers.map((n) => [`k${n}`, n])),
};
const environment = baseEnvironment.extend({ variables: { v: DYN } });

function outcomesOf(rule: string): {
  readonly atOnce: Evaluated;
  readonly inSteps: Evaluated;
  readonly rests: number;
  readonly stepMsMax: number;
} {
  const program = compile(rule, environment);
  if (program instanceof CompileError) assert.fail(program.detail);
  const variables = { v: readJson(given) };
  const steps = evaluateInSteps(program, variables);
  let stepMsMax = 0;
  for (let rests = 0; ; rests += 1) {
    const before = process.threadCpuUsage().user;
    const step = steps.next();
    stepMsMax = Math.max(stepMsMax, (process.threadCpuUsage().user - before) / 1000);
    if (step.done) return { atOnce: evaluate(program, variables), inSteps: step.value, rests, stepMsMax };
  }
}

/** A machine that is busy with other tests, and code that is not compiled yet, need more than what is wanted: 30 ms. */
const stepMsMost = 150;

const told = ({ value, ...outcome }: Evaluated): unknown => ({
  ...outcome,
  value: value instanceof CelError ? `error: ${value.message}` : (value as Value),
});

const rows: readonly { readonly rule: string; readonly restsMin: number }[] = [
  { rule: 'v.l.all(x, x >= 0)', restsMin: 10 },
  { rule: 'v.l.exists(x, v.l.exists(y, x + y < 0))', restsMin: 30 },
  { rule: '[1].all(x, v.l.all(y, y >= 0))', restsMin: 10 },
  { rule: 'v.l.filter(x, x % 2 == 0).size() == 0 || v.l.slice(0, 20000).map(x, [x]).size() == 20000', restsMin: 20 },
  { rule: 'v.m.transformMap(k, n, n + 1).size() > 0', restsMin: 15 },
  { rule: 'lists.range(300).all(x, lists.range(300).map(y, x + y).sum() > 0 || x == 0)', restsMin: 30 },
  { rule: 'optional.of(v.l).optMap(l, l.all(x, x >= 0) && l.exists(x, x == 3)).value()', restsMin: 10 },
  { rule: '(v.l.exists(x, x == 5) ? v.l.slice(0, 2000) : v.l).sortBy(x, -x).size() == 1', restsMin: 2 },
  { rule: 'v.l.all(x, x < 99999) || v.l.map(x, x + v.absent).size() == 0', restsMin: 8 },
  { rule: 'lists.range(100).all(x, (v.l + v.l).size() == 200000)', restsMin: 80 },
  { rule: 'lists.range(200).all(x, v.s.size() == 500000)', restsMin: 25 },
  { rule: 'lists.range(200).all(x, v.s.charAt(499999) == "e")', restsMin: 25 },
  { rule: 'v.s.findAll("[a-e]").size() > 0', restsMin: 50 },
  { rule: 'v.s.split("").size() > 0', restsMin: 8 },
  { rule: 'v.s.replace("a", "bb").size() == 600000', restsMin: 2 },
  { rule: 'v.s.replace("", "-").size() == 1000001', restsMin: 10 },
  { rule: 'v.s.upperAscii().size() > 0', restsMin: 5 },
  { rule: 'strings.quote(v.quotes).size() == 200002', restsMin: 2 },
  { rule: 'v.texts.join(",").size() > 0', restsMin: 2 },
  { rule: '"%s %s".format([v.l, v.m]).size() > 0', restsMin: 10 },
  { rule: 'v.nested == v.nested2', restsMin: 2 },
  { rule: 'v.nested.indexOf([-1]) == -1 && v.nested.lastIndexOf([0]) == 0', restsMin: 2 },
  { rule: 'sets.contains([v.nested], [v.nested2]) && v.nested in [v.nested2]', restsMin: 4 },
  { rule: 'v.nested.flatten().size() == 100000', restsMin: 2 },
  { rule: 'v.l.isSorted() && v.l.sum() > 0 && v.l.max() == 99999', restsMin: 4 },
];

suite('what is long rests, and comes to the same', () => {
  for (const { rule, restsMin } of rows) {
    test(rule, () => {
      const { atOnce, inSteps, rests, stepMsMax } = outcomesOf(rule);
      assert.deepEqual(told(inSteps), told(atOnce));
      assert.ok(rests >= restsMin, `it rests ${rests} times`);
      assert.ok(stepMsMax < stepMsMost, `a step takes ${stepMsMax} ms`);
    });
  }
});

/** What no engine's own function does in time that grows with the text. */
const linear: readonly string[] = [
  'v.blanks.trim() == v.blanks',
  'v.a.lastIndexOf(v.ab) == -1 && v.a.indexOf(v.ab) == -1',
  'v.a.split(v.ab) == [v.a] && v.a.replace(v.ab, "") == v.a',
  'int(v.digits) == 1',
  'uint(v.digits) == 1u',
  'isSemver(v.digits + ".0.0")',
  'v.a.matches(v.a)',
  'v.a.matches("") && v.a.contains("")',
];

suite('what texts can make slow takes a short time', () => {
  for (const rule of linear) {
    test(rule, () => {
      const { atOnce, inSteps, stepMsMax } = outcomesOf(rule);
      assert.deepEqual(told(inSteps), told(atOnce));
      assert.ok(stepMsMax < stepMsMost, `a step takes ${stepMsMax} ms`);
    });
  }
});

test('what is short does not rest', () => {
  for (const rule of ['v.l.size() == 100000', 'v.l[3] == 3 && v.m.k7 == 7', 'v.l.slice(0, 100).all(x, x >= 0)', 'v.s == "x"']) {
    assert.equal(outcomesOf(rule).rests, 0, rule);
  }
});
