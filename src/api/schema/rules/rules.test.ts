import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFieldError, fieldErrorsMax } from '../../meta/status-error.ts';
import { takeSteps } from '../../meta/steps.ts';
import {
  all,
  by,
  each,
  eachBy,
  eachValue,
  evenAbsent,
  fields,
  filled,
  immutable,
  keeping,
  min,
  oneOf,
  required,
  uniqueBy,
  unlessKept,
} from './rules.ts';
import { addJudged, judge, type Rule } from './walk.ts';

interface Thing {
  readonly name?: string;
  readonly size?: number;
  readonly parts?: readonly Thing[];
  readonly labels?: Readonly<Record<string, string>>;
}

const short: Rule<string> = (value, walk) => {
  if (value.length > 3) walk.invalid('', value, 'too long');
};

const rows: readonly { name: string; rule: Rule<Thing>; given: Thing; old?: Thing; want: readonly string[] }[] = [
  {
    name: 'fields are told in the order of the rules',
    rule: fields({ size: min(1), name: required(short) }),
    given: { name: 'abcd', size: 0 },
    want: ['size: Invalid value: 0: must be greater than or equal to 1', 'name: Invalid value: "abcd": too long'],
  },
  {
    name: 'only some rules are asked of what is absent',
    rule: fields({ name: short, size: required() }),
    given: {},
    want: ['size: Required value'],
  },
  { name: 'null is absent', rule: fields({ name: short }), given: { name: null } as never, want: [] },
  { name: 'what is empty may be let through', rule: fields({ name: filled(oneOf('a')) }), given: { name: '' }, want: [] },
  {
    name: 'joined rules heed what is absent if one of them does',
    rule: fields({
      name: all<string>(
        short,
        evenAbsent((value, walk) => void (value ?? walk.required(''))),
      ),
    }),
    given: {},
    want: ['name: Required value'],
  },
  {
    name: 'items and keys are in the path',
    rule: fields({ parts: each(fields({ labels: eachValue(oneOf('x')) })) }),
    given: { parts: [{}, { labels: { 'a.b': 'y' } }] },
    want: ['parts[1].labels[a.b]: Unsupported value: "y": supported values: "x"'],
  },
  {
    name: 'what another item is called',
    rule: fields({ parts: uniqueBy(({ name }) => name, { at: 'name' }) }),
    given: { parts: [{ name: 'a' }, {}, { name: 'b' }, {}, { name: 'a' }] },
    want: ['parts[4].name: Duplicate value: "a"'],
  },
  { name: 'a creation changes nothing', rule: fields({ name: immutable() }), given: { name: 'a' }, want: [] },
  {
    name: 'what must not change, presence included',
    rule: fields({ name: immutable(), size: immutable() }),
    given: { name: 'b' },
    old: { name: 'a', size: 1 },
    want: ['name: Invalid value: "b": field is immutable', 'size: Invalid value: null: field is immutable'],
  },
  {
    name: 'what was there before stays, wherever it stands',
    rule: keeping((old) => old.parts?.map(({ name }) => name) ?? [], fields({ parts: each(fields({ name: unlessKept(short) })) })),
    given: { parts: [{ name: 'new one' }, { name: 'old one' }] },
    old: { parts: [{ name: 'old one' }] },
    want: ['parts[0].name: Invalid value: "new one": too long'],
  },
  {
    name: 'checks that know no walks',
    rule: fields({ parts: each(by((errors, path, { name }: Thing) => addJudged(errors, `${path}.name`, name, required<string>(short)))) }),
    given: { parts: [{ name: 'abcd' }] },
    want: ['parts[0].name: Invalid value: "abcd": too long'],
  },
];

test('rules', async (t) => {
  for (const { name, rule, given, old, want } of rows) {
    await t.test(name, () => assert.deepEqual(takeSteps(judge(rule, given, old)).map(describeFieldError), want));
  }
});

const many = Array.from({ length: 60_000 }, (_, i) => ({ name: i % 30_000 === 29_999 ? 'long' : `${i % 1000}` }));

test('a large object is judged in slices, and told in its own order', () => {
  const seen: string[] = [];
  const rule = fields<Thing & { readonly more: readonly Thing[] }>({
    parts: each(fields({ parts: each(fields({ name: short })), name: short })),
    more: eachBy(() => ({ name = '' }, walk) => {
      seen.push(name);
      short(name, walk, undefined);
    }),
    name: short,
  });
  const given = { parts: [{ parts: many, name: 'after' }], more: many, name: 'last' };
  const steps = judge(rule, given);
  let rests = 0;
  let step = steps.next();
  for (; !step.done; step = steps.next()) rests++;
  assert.ok(rests >= 5, `${rests} rests`);
  assert.deepEqual(
    seen,
    many.map(({ name }) => name),
  );
  assert.deepEqual(
    step.value.map(({ field }) => field),
    ['parts[0].parts[29999].name', 'parts[0].parts[59999].name', 'parts[0].name', 'more[29999]', 'more[59999]', 'name'],
  );
});

test('no more is looked for than is told', () => {
  const found = takeSteps(
    judge(
      each(short),
      Array.from({ length: 60_000 }, () => 'much too long'),
    ),
  );
  assert.equal(found.length, fieldErrorsMax + 1);
});
