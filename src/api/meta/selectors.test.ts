import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  fieldTermsMax,
  isOrdered,
  type LabelMap,
  labelMatcher,
  labelMatcherOfMap,
  matchesFields,
  parseFieldSelector,
  parseLabelSelector,
  selectorTokensMax,
  validateLabelSelector,
} from './selectors.ts';
import { describeFieldError } from './status-error.ts';

const labels: LabelMap = { a: 'b', n: '5', empty: '', in: 'x' };

const matchRows: readonly (readonly [string, boolean])[] = [
  ['', true],
  ['a', true],
  ['z', false],
  ['!z', true],
  ['!a', false],
  ['a=b', true],
  ['a==b', true],
  ['a = b , n', true],
  ['a=c', false],
  ['a!=c', true],
  ['z!=c', true],
  ['a in (b,c)', true],
  ['a in (c)', false],
  ['z in (c)', false],
  ['a notin (c)', true],
  ['z notin (c)', true],
  ['a notin (b)', false],
  ['n>4', true],
  ['n>5', false],
  ['n<6,a', true],
  ['a>1', false],
  ['empty=', true],
  ['empty in ()', true],
  ['empty in (,x)', true],
  ['in in (x)', true],
  ['\0', true],
  ['\0nothing', true],
  ['nothing\0', false],
  ['nothing=\0a', false],
  ['nothing in (\0)', false],
];

test('matching', () => {
  for (const [selector, want] of matchRows) assert.equal(parseLabelSelector(selector).matches(labels), want, selector);
});

/** As a 1.36 API server answers. */
const wrongRows: readonly (readonly [string, string])[] = [
  ['a=b,', "found '', expected: identifier after ','"],
  [',a', "found ',', expected: !, identifier, or 'end of string'"],
  ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ['a=b c', "found 'c', expected: ',' or 'end of string'"],
  ['a in b', "unable to parse requirement: found 'b' expected: '('"],
  ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
  ['a=(b', "unable to parse requirement: found '(', expected: identifier"],
  ['!', "unable to parse requirement: found '', expected: identifier"],
  ['a>b', `unable to parse requirement: values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer`],
  [
    'a=-',
    `unable to parse requirement: values[0][a]: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
  ],
  [
    '-a',
    `unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
  ],
];

test('what is no selector', () => {
  for (const [selector, want] of wrongRows) {
    assert.throws(() => parseLabelSelector(selector), { name: 'SelectorError', message: want }, selector);
  }
});

test('the string form is sorted and reads back', () => {
  const text = 'z,!y,b in (2,1),a=b,c!=d,n>4';
  assert.equal(parseLabelSelector(text).toString(), 'a=b,b in (1,2),c!=d,n>4,!y,z');
});

test('selector objects', () => {
  assert.ok(labelMatcher({}).isEverything);
  assert.ok(labelMatcher(undefined).isNothing);
  assert.equal(labelMatcher(undefined).matches({}), false);
  const selector = {
    matchLabels: { a: 'b' },
    matchExpressions: [
      { key: 'n', operator: 'In', values: ['5', '6'] },
      { key: 'z', operator: 'DoesNotExist' },
    ],
  };
  assert.equal(labelMatcher(selector).matches(labels), true);
  assert.equal(labelMatcher(selector).matches({ a: 'b' }), false);
  assert.throws(() => labelMatcher({ matchExpressions: [{ key: 'a', operator: 'Foo' }] }), {
    message: '"Foo" is not a valid label selector operator',
  });
  assert.ok(labelMatcherOfMap({ a: 'b' }).matches(labels));
  assert.ok(labelMatcherOfMap(undefined).isEverything);
  const wrong = {
    matchExpressions: [
      { key: 'a', operator: 'In' },
      { key: 'a', operator: 'Exists', values: ['x'] },
      { key: 'a', operator: 'Foo' },
    ],
  };
  assert.deepEqual(validateLabelSelector(wrong, 'spec.selector').map(describeFieldError), [
    "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    'spec.selector.matchExpressions[2].operator: Invalid value: "Foo": not a valid selector operator',
  ]);
});

test('keys that mean something to JavaScript are only labels', () => {
  assert.equal(parseLabelSelector('constructor').matches({}), false);
  assert.equal(parseLabelSelector('!toString').matches({}), true);
});

const fieldRows: readonly { selector: string; want: boolean | string }[] = [
  { selector: '', want: true },
  { selector: 'spec.nodeName=a', want: true },
  { selector: 'spec.nodeName==a,status.phase!=Failed', want: true },
  { selector: 'spec.nodeName!=a', want: false },
  { selector: 'absent=', want: true },
  { selector: 'x=a\\,b\\=c\\\\', want: true },
  { selector: 'foo', want: "invalid selector: 'foo'; can't understand 'foo'" },
  { selector: 'x=a=b', want: 'invalid field selector: unescaped character in value: 61' },
  { selector: 'x=\\a', want: 'invalid field selector: invalid escape sequence: \\a' },
  { selector: 'x=a\\', want: 'invalid field selector: invalid escape sequence: \\' },
];

test('field selectors', () => {
  const fields: Record<string, string> = { 'spec.nodeName': 'a', 'status.phase': 'Running', x: 'a,b=c\\' };
  for (const { selector, want } of fieldRows) {
    if (typeof want === 'string') assert.throws(() => parseFieldSelector(selector), { message: want }, selector);
    else
      assert.equal(
        matchesFields(parseFieldSelector(selector), (field) => fields[field]),
        want,
        selector,
      );
  }
});

test('laws', () => {
  const key = fc.constantFrom('a', 'b', 'c.d/e');
  const value = fc.constantFrom('', '1', 'x');
  const values = fc.uniqueArray(value, { minLength: 1, maxLength: 3 });
  const requirement = fc.oneof(
    key,
    key.map((k) => `!${k}`),
    fc.tuple(key, fc.constantFrom('=', '!='), value).map(([k, o, v]) => `${k}${o}${v}`),
    fc.tuple(key, fc.constantFrom('in', 'notin'), values).map(([k, o, v]) => `${k} ${o} (${v.join(',')})`),
  );
  const selector = fc.array(requirement, { maxLength: 4 }).map((list) => list.join(','));
  fc.assert(
    fc.property(selector, fc.dictionary(key, value, { noNullPrototype: true }), (text, map) => {
      const parsed = parseLabelSelector(text);
      assert.equal(parseLabelSelector(parsed.toString()).toString(), parsed.toString(), 'reading what was written changes nothing');
      assert.equal(parseLabelSelector(parsed.toString()).matches(map), parsed.matches(map));
    }),
  );
});

test('many requirements select what each of them selects', () => {
  const key = fc.constantFrom('a', 'b', 'constructor', 'toString');
  const value = fc.constantFrom('', '1', '2', '3', 'x');
  const requirement = fc.oneof(
    { weight: 1, arbitrary: key },
    { weight: 1, arbitrary: fc.constantFrom('!d', '!b') },
    { weight: 6, arbitrary: fc.tuple(key, fc.constantFrom('=', '!=', '>', '<'), fc.constantFrom('1', '2')).map((parts) => parts.join('')) },
    { weight: 6, arbitrary: fc.tuple(key, value).map(([k, v]) => `${k} in (${v},1,2,3)`) },
    { weight: 6, arbitrary: fc.tuple(key, value).map(([k, v]) => `${k} notin (${v},9)`) },
  );
  const labels = fc.dictionary(key, value, { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(requirement, { minLength: 1, maxLength: 5 }), labels, (list, map) => {
      const filler = Array.from({ length: 20 }, (_, i) => `filler!=v${i}`);
      const want = list.every((one) => parseLabelSelector(one).matches(map));
      assert.equal(parseLabelSelector([...list, ...filler].join(',')).matches(map), want);
    }),
    { numRuns: 500 },
  );
});

test('a selector has an end', () => {
  const text = (count: number): string => Array.from({ length: count }, (_, i) => `k${i}`).join(',');
  assert.equal(parseLabelSelector(text(selectorTokensMax / 2)).requirements.length, selectorTokensMax / 2);
  assert.throws(() => parseLabelSelector(text(selectorTokensMax)), /more than 50000 words and signs/);
  assert.throws(() => parseLabelSelector(`a in (${text(selectorTokensMax)})`), /more than 50000 words and signs/);
  assert.throws(() => parseFieldSelector('a=b,'.repeat(fieldTermsMax + 1)), /more than 10000 terms/);
});

test('sizes are compared of what is an int64', () => {
  for (const [value, bound, want] of [
    ['5', '4', true],
    ['+5', '-4', true],
    ['4', '5', false],
    ['9223372036854775807', '5', true],
    ['9223372036854775808', '5', false],
    ['5', 'a', false],
    [`${'0'.repeat(62)}6`, '5', true],
    ['9'.repeat(1_000_000), '5', false],
  ] as const)
    assert.equal(isOrdered(value, bound, 'gt'), want, value.slice(0, 30));
});
