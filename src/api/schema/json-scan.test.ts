import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { duplicateFields, JsonSyntaxError, mayHaveDuplicates, parseJSON } from './json-scan.ts';

const countFields = (value: unknown): number => {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countFields(item), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, item) => sum + 1 + countFields(item), 0);
};

test('which fields are there twice', () => {
  const text = '{"a":1,"b":{"c":[{"d":1,"d":2}],"c":0},"a":2}';
  assert.deepEqual(duplicateFields(text, 100), ['b.c[0].d', 'b.c', 'a']);
  assert.deepEqual(duplicateFields(text, 2), ['b.c[0].d', 'b.c']);
});

test('quotes and colons inside of texts are not mistaken for fields', () => {
  for (const value of [{ a: '{"b":1}' }, { 'a\\': '\\"x":' }, { 'a"': 'x' }, { a: '\\' }]) {
    assert.equal(mayHaveDuplicates(JSON.stringify(value), countFields(value)), false, JSON.stringify(value));
  }
});

test('laws', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      const value = JSON.parse(text) as unknown;
      if (!mayHaveDuplicates(text, countFields(value))) {
        assert.deepEqual(duplicateFields(text, 1), [], 'a surely clean text has no duplicates');
      }
    }),
  );
});

const syntaxRows: readonly (readonly [string, string])[] = [
  ['', 'unexpected end of JSON input'],
  ['{"a"', 'unexpected end of JSON input'],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ['[1 2]', "invalid character '2' after array element"],
  ['{} x', "invalid character 'x' after top-level value"],
  ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
  ['{"a":x}', "invalid character 'x' looking for beginning of value"],
  ['{"a":nul}', "invalid character '}' in literal null (expecting 'l')"],
  ['{"a":"\u0001"}', "invalid character '\\x01' in string literal"],
  ['{"a":"\\x"}', "invalid character 'x' in string escape code"],
  ['{"a":"\\u12g4"}', "invalid character 'g' in \\u hexadecimal character escape"],
  ['{"a":-}', "invalid character '}' in numeric literal"],
  ['{"a":1.}', "invalid character '}' after decimal point in numeric literal"],
  ['{"a":1ex}', "invalid character 'x' in exponent of numeric literal"],
  ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
];

test('what is wrong with malformed text, as upstream says it', () => {
  for (const [text, message] of syntaxRows) assert.throws(() => parseJSON(text), { name: 'JsonSyntaxError', message }, text);
});

test('no more of a malformed text is quoted than one character', () => {
  const secret = 'hunter2-correct-horse';
  for (const text of [
    secret,
    `"${secret}`,
    `{"password":"${secret}"`,
    `{"password":${secret}}`,
    `[1,"${secret}",`,
    `{"${secret}"}`,
    `${secret}{}`,
  ]) {
    assert.throws(
      () => parseJSON(text),
      (error) => error instanceof JsonSyntaxError && !error.message.includes(secret.slice(0, 3)) && error.cause === undefined,
      text,
    );
  }
});
