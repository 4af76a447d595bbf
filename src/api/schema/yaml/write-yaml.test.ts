import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { parseYaml, readYaml } from './read-yaml.ts';
import { writeYaml, writeYamlItem } from './write-yaml.ts';

const rows: readonly (readonly [unknown, string])[] = [
  [{ b: 1, a: 'x' }, 'a: x\nb: 1\n'],
  [{ a: [1, { c: 2, b: [3, [4]] }, [], {}] }, 'a:\n- 1\n- b:\n  - 3\n  - - 4\n  c: 2\n- []\n- {}\n'],
  [{ a: { b: {} }, c: null, d: true }, 'a:\n  b: {}\nc: null\nd: true\n'],
  [{ a: 'x\ny\n', b: 'x\ny', c: 'x\n\n', d: ['x\ny'] }, 'a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd:\n- |-\n  x\n  y\n'],
  [{ a: ' x\ny', b: 'x \ny', c: 'x\ty\n' }, 'a: " x\\ny"\nb: "x \\ny"\nc: |\n  x\ty\n'],
  [
    { a: 'yes', b: '1', c: '1e3', d: '0x1', e: '~', f: '', g: '2001-01-01', h: '1:30', i: 'null', j: '=' },
    'a: "yes"\nb: "1"\nc: "1e3"\nd: "0x1"\ne: "~"\nf: ""\ng: "2001-01-01"\nh: "1:30"\ni: "null"\nj: "="\n',
  ],
  [
    { a: 'e1', b: '1.2.3', c: 'http://x:80/y?z', d: 'a: b', e: 'a #b', f: 'a:', g: '- a', h: 'a b' },
    'a: "e1"\nb: 1.2.3\nc: http://x:80/y?z\nd: "a: b"\ne: "a #b"\nf: "a:"\ng: "- a"\nh: a b\n',
  ],
  [{ yes: 1, '1': 2, 'a b': 3, 'a: b': 4 }, '"1": 2\na b: 3\n"a: b": 4\n"yes": 1\n'],
  [{ a: '\u0085\u2028\ufeff\u0000' }, 'a: "\\u0085\\u2028\\ufeff\\u0000"\n'],
  [[], '[]\n'],
  ['x', 'x\n'],
];

test('values as YAML', () => {
  for (const [value, want] of rows) assert.equal(writeYaml(value), want);
  assert.equal([...writeYamlItem({ a: 1, b: ['x'] })].join(''), '- a: 1\n  b:\n  - x\n');
});

test('what is nested deep is written in one line', () => {
  let value: unknown = Array.from({ length: 1000 }, () => ({ a: '\u0085' }));
  for (let i = 0; i < 400; i++) value = i % 2 ? [value] : { a: value };
  const text = writeYaml(value);
  assert.ok(text.length < 50_000, String(text.length));
  assert.deepEqual(parseYaml(text), value);
});

test('every reader reads what was written', () => {
  const read = (text: string): unknown => {
    const reading = readYaml(text, { values: 1e6, characters: 1e6 });
    for (let step = reading.next(); ; step = reading.next()) if (step.done) return step.value.value;
  };
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc
      .array(
        fc.constantFrom(
          'a',
          ' ',
          '\n',
          '\t',
          ':',
          '#',
          '-',
          '1',
          '.',
          "'",
          '"',
          '\\',
          '|',
          '>',
          '&',
          '!',
          '%',
          '@',
          ',',
          '[',
          '{',
          '~',
          '=',
          '\r',
        ),
        { maxLength: 8 },
      )
      .map((c) => c.join('')),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.integer(),
      fc.constantFrom(true, null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(value, (given) => {
      const plain = JSON.parse(JSON.stringify(given)) as unknown;
      assert.deepEqual(read(writeYaml(plain)), plain);
      assert.deepEqual(parse(writeYaml(plain), { version: '1.1' }), plain);
    }),
    { numRuns: 500 },
  );
});
