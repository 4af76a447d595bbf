import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesPattern, patternProblem } from './pattern.ts';

const rows: readonly { readonly pattern: string; readonly yes: readonly string[]; readonly no: readonly string[] }[] = [
  { pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', yes: ['a', 'a-b'], no: ['', '-a', 'a-'] },
  { pattern: 'b', yes: ['abc'], no: ['ac'] },
  { pattern: '(?i)^abc$', yes: ['ABC'], no: ['abcd'] },
  { pattern: '(', yes: [], no: ['('] },
];

for (const { pattern, yes, no } of rows) {
  test(`${pattern}`, () => {
    assert.deepEqual(
      yes.filter((text) => !matchesPattern(pattern, text)),
      [],
    );
    assert.deepEqual(
      no.filter((text) => matchesPattern(pattern, text)),
      [],
    );
  });
}

test('what is no pattern is told in the words of Go', () => {
  assert.equal(patternProblem('a**'), 'error parsing regexp: invalid nested repetition operator: `**`');
  assert.equal(patternProblem('(?=a)'), 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`');
});

test('no text takes long', () => {
  const before = process.threadCpuUsage().user;
  assert.equal(matchesPattern('^(a+)+$', `${'a'.repeat(1_000_000)}b`), false);
  assert.ok(process.threadCpuUsage().user - before < 1_000_000);
});

test('nor does a pattern: large ones are refused', () => {
  const large = [
    'a'.repeat(900_000),
    '(?:a{1000})'.repeat(500),
    '(?:[ab]{10}c{20}){1000}',
    '\\p{L}'.repeat(2000),
    `(${'a|'.repeat(30_000)})`,
  ];
  for (const pattern of large) assert.match(patternProblem(pattern) ?? '', /larger than 50000 when expanded/);
  const usual = ['^.{0,1000}$', '(?:[a-z]{1,63}\\.){1,10}[a-z]{2,63}', '[[:alpha:]\\]{9}]{5}', '\\(\\{9999\\}', 'a{,5}', '[]]{3}'];
  for (const pattern of usual) assert.equal(patternProblem(pattern), undefined, pattern);
});
