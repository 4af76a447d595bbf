import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { readYaml, YamlError, type YamlLimits, YamlTooLargeError } from './read-yaml.ts';

type Outcome = string | { readonly value: unknown; readonly strict?: string };

/** What Go's library makes of each text; a text stands for an error. */
const groups: readonly { readonly name: string; readonly rows: readonly (readonly [string, Outcome])[] }[] = [
  {
    name: 'texts that look like numbers',
    rows: [
      ['e1', { value: 'e1' }],
      ['E12', { value: 'E12' }],
      ['.e5', { value: '.e5' }],
      ['+e9', { value: '+e9' }],
      ['1e', { value: '1e' }],
      ['0x', { value: '0x' }],
      ['0xg', { value: '0xg' }],
      ['0o8', { value: '0o8' }],
      ['0b2', { value: '0b2' }],
      ['._5', { value: '._5' }],
      ['1:30', { value: '1:30' }],
      ['190:20:30', { value: '190:20:30' }],
      ['1.2.3', { value: '1.2.3' }],
      ['1e400', { value: '1e400' }],
      ['.5e999', { value: '.5e999' }],
      ['-', { value: [null] }],
      ['+', { value: '+' }],
      ['_1', { value: '_1' }],
      ['18446744073709551616e', { value: '18446744073709551616e' }],
      ['2001-01-01', { value: '2001-01-01' }],
      ['2001-12-14t21:59:43.10-05:00', { value: '2001-12-14t21:59:43.10-05:00' }],
      ['12:30:45', { value: '12:30:45' }],
    ],
  },
  {
    name: 'integers',
    rows: [
      ['0', { value: 0 }],
      ['-0', { value: 0 }],
      ['+1', { value: 1 }],
      ['-1', { value: -1 }],
      ['00', { value: 0 }],
      ['0777', { value: 511 }],
      ['0o17', { value: 15 }],
      ['08', { value: 8 }],
      ['0b101', { value: 5 }],
      ['-0b101', { value: -5 }],
      ['0b-1', { value: -1 }],
      ['0x1F', { value: 31 }],
      ['+0x10', { value: 16 }],
      ['0x_1', { value: 1 }],
      ['1_000', { value: 1000 }],
      ['0_7', { value: 7 }],
      ['9007199254740991', { value: 9007199254740991 }],
      ['-0x10', { value: -16 }],
    ],
  },
  {
    name: 'floats',
    rows: [
      ['1.', { value: 1 }],
      ['.5', { value: 0.5 }],
      ['-.5', { value: -0.5 }],
      ['1.5e3', { value: 1500 }],
      ['1E3', { value: 1000 }],
      ['1e-400', { value: 0 }],
      ['1_0.5', { value: 10.5 }],
      ['100000000000000000000', { value: 100000000000000000000 }],
    ],
  },
  {
    name: 'truth values and null',
    rows: [
      ['yes', { value: true }],
      ['Yes', { value: true }],
      ['YES', { value: true }],
      ['yEs', { value: 'yEs' }],
      ['no', { value: false }],
      ['on', { value: true }],
      ['Off', { value: false }],
      ['y', { value: true }],
      ['N', { value: false }],
      ['true', { value: true }],
      ['tRue', { value: 'tRue' }],
      ['~', { value: null }],
      ['null', { value: null }],
      ['NULL', { value: null }],
      ['nuLL', { value: 'nuLL' }],
      ['', { value: null }],
      ['"yes"', { value: 'yes' }],
      ["'null'", { value: 'null' }],
    ],
  },
  {
    name: 'what JSON cannot show',
    rows: [
      ['.inf', 'json: unsupported value: +Inf'],
      ['-.Inf', 'json: unsupported value: -Inf'],
      ['.nan', 'json: unsupported value: NaN'],
      ['[.inf]', 'json: unsupported value: +Inf'],
    ],
  },
  {
    name: 'tags',
    rows: [
      ['!!str 1', { value: '1' }],
      ['!!str', { value: '' }],
      ['!!int "1"', { value: 1 }],
      ['!!int a', 'yaml: cannot decode !!str `a` as a !!int'],
      ['!!float 1', { value: 1 }],
      ['!!bool yes', { value: true }],
      ['!!null ""', { value: null }],
      ['!!null x', 'yaml: cannot decode !!str `x` as a !!null'],
      ['!!binary aGVsbG8=', { value: 'hello' }],
      ['!!binary "aGVs\n bG8="', 'yaml: !!binary value contains invalid base64 data'],
      ['!!binary x', 'yaml: !!binary value contains invalid base64 data'],
      ['!!timestamp 2001-01-01', { value: '2001-01-01' }],
      ['!!timestamp x', 'yaml: cannot decode !!str `x` as a !!timestamp'],
      ['!foo 1', { value: '1' }],
      ['!foo', { value: '' }],
      ['! 1', { value: '1' }],
      ['!!set {a, b}', { value: { a: null, b: null } }],
      ['!<tag:yaml.org,2002:int> 1', { value: 1 }],
      ['!x!y z', 'yaml: found undefined tag handle'],
      ['%TAG !e! tag:yaml.org,2002:\n---\n!e!int 1', { value: 1 }],
    ],
  },
  {
    name: 'keys',
    rows: [
      ['1: a', { value: { '1': 'a' } }],
      ['0x10: a', { value: { '16': 'a' } }],
      ['true: a', { value: { true: 'a' } }],
      ['yes: a', { value: { true: 'a' } }],
      ['1.5: a', { value: { '1.5': 'a' } }],
      ['1e10: a', { value: { '1e+10': 'a' } }],
      ['100000.0: a', { value: { '100000': 'a' } }],
      ['2001-01-01: a', { value: { '2001-01-01': 'a' } }],
      ['"1": a', { value: { '1': 'a' } }],
      ['null: a', 'unsupported map key of type: %!s(<nil>), key: <nil>, value: "a"'],
      ['18446744073709551615: a', 'unsupported map key of type: uint64, key: 0xffffffffffffffff, value: "a"'],
      ['{a: 1}: b', 'yaml: invalid map key: map[interface {}]interface {}{"a":1}'],
      ['[a]: b', 'yaml: invalid map key: []interface {}{"a"}'],
      ['a: {{ .x }}', 'yaml: invalid map key: map[interface {}]interface {}{".x":interface {}(nil)}'],
      ['? a\n: b', { value: { a: 'b' } }],
      ['? [a, b]\n: c', 'yaml: invalid map key: []interface {}{"a", "b"}'],
      ['[a: b, c]', { value: [{ a: 'b' }, 'c'] }],
      ['{a, b: c}', { value: { a: null, b: 'c' } }],
      ['{"a":1}', { value: { a: 1 } }],
      ['{a:1}', { value: { 'a:1': null } }],
      ['key with spaces: v', { value: { 'key with spaces': 'v' } }],
      ['http://x: y', { value: { 'http://x': true } }],
    ],
  },
  {
    name: 'keys that are there twice',
    rows: [
      ['a: 1\na: 2', { value: { a: 2 }, strict: 'yaml: unmarshal errors:\n  line 2: key "a" already set in map' }],
      [
        'a: 1\nb:\n  c: 1\n  c: 2\na: 3',
        {
          value: { a: 3, b: { c: 2 } },
          strict: 'yaml: unmarshal errors:\n  line 4: key "c" already set in map\n  line 5: key "a" already set in map',
        },
      ],
      ['{a: 1, "a": 2}', { value: { a: 2 }, strict: 'yaml: unmarshal errors:\n  line 1: key "a" already set in map' }],
      ['1: a\n"1": b', { value: { '1': 'b' } }],
      ['1: a\n1: b', { value: { '1': 'b' }, strict: 'yaml: unmarshal errors:\n  line 2: key 1 already set in map' }],
      ['yes: a\ntrue: b', { value: { true: 'b' }, strict: 'yaml: unmarshal errors:\n  line 2: key true already set in map' }],
    ],
  },
  {
    name: 'merges',
    rows: [
      ['<<: {a: 1}\nb: 2', { value: { a: 1, b: 2 } }],
      ['a: 1\n<<: {a: 2}', { value: { a: 2 }, strict: 'yaml: unmarshal errors:\n  line 2: key "a" already set in map' }],
      ['<<: {a: 2}\na: 1', { value: { a: 1 }, strict: 'yaml: unmarshal errors:\n  line 2: key "a" already set in map' }],
      ['x: &x {a: 1}\ny: {<<: *x, b: 2}', { value: { true: { a: 1, b: 2 }, x: { a: 1 } } }],
      ['"<<": {a: 1}', { value: { '<<': { a: 1 } } }],
      ['<<: 1', 'yaml: map merge requires map or sequence of maps as the value'],
      ['<<: [1]', 'yaml: map merge requires map or sequence of maps as the value'],
      ['a: <<', { value: { a: '<<' } }],
    ],
  },
  {
    name: 'anchors',
    rows: [
      ['a: &x [1, 2]\nb: *x', { value: { a: [1, 2], b: [1, 2] } }],
      ['a: &x 1\nb: &x 2\nc: *x', { value: { a: 1, b: 2, c: 2 } }],
      ['&x a: b\nc: *x', { value: { a: 'b', c: 'a' } }],
      ['a: *b', "yaml: unknown anchor 'b' referenced"],
      ['&a [*a]', "yaml: anchor 'a' value contains itself"],
      ['a: &', 'yaml: did not find expected alphabetic or numeric character'],
      ['a: * b', 'yaml: did not find expected alphabetic or numeric character'],
    ],
  },
  {
    name: 'documents',
    rows: [
      ['', { value: null }],
      ['#c', { value: null }],
      ['---', { value: null }],
      ['a: 1\n---\nb: [', { value: { a: 1 } }],
      ['a: 1\n...\n]', { value: { a: 1 } }],
      ['%YAML 1.1\n---\na: 1', { value: { a: 1 } }],
      ['%YAML 1.2\n---\na: 1', 'yaml: found incompatible YAML document'],
      ['%YAML 1.1\na: 1', 'yaml: line 1: did not find expected <document start>'],
      ['%FOO\n---\na', 'yaml: found unknown directive name'],
      ['--- a', { value: 'a' }],
      ['---\n- a\n---\n- b', { value: ['a'] }],
      ['﻿a: b', { value: { a: 'b' } }],
    ],
  },
  {
    name: 'blocks',
    rows: [
      ['a:\n- b\n- c', { value: { a: ['b', 'c'] } }],
      ['a:\n  - b\n - c', 'yaml: line 2: did not find expected key'],
      ['- - a\n  - b\n-\n- c', { value: [['a', 'b'], null, 'c'] }],
      ['a:\n    b: c\n  d: e', 'yaml: line 2: did not find expected key'],
      ['a: b: c', 'yaml: mapping values are not allowed in this context'],
      ['a: - b', 'yaml: block sequence entries are not allowed in this context'],
      ['a: b\n- c', 'yaml: line 1: did not find expected key'],
      ['- a\nb: c', "yaml: line 1: did not find expected '-' indicator"],
      ['a\nb: c', 'yaml: line 2: mapping values are not allowed in this context'],
      ['a: b\nc', "yaml: line 3: could not find expected ':'"],
      ['a: b\n  c: d', 'yaml: line 2: mapping values are not allowed in this context'],
      ['kind: X\nmetadata\n  name: y', "yaml: line 3: could not find expected ':'"],
      ['  a: b\n c: d', { value: { a: 'b' } }],
      ['a: b\n c: d', 'yaml: line 2: mapping values are not allowed in this context'],
      ['a:\n\tb: c', 'yaml: line 2: found character that cannot start any token'],
      ['a:\tb', { value: { a: 'b' } }],
      ['\ta: b', 'yaml: found character that cannot start any token'],
      ['a: b # c', { value: { a: 'b' } }],
      ['a: b#c', { value: { a: 'b#c' } }],
      ['a: b\r\nc: d\r\n', { value: { a: 'b', c: 'd' } }],
    ],
  },
  {
    name: 'flow',
    rows: [
      ['[a, b,]', { value: ['a', 'b'] }],
      ['[,]', 'yaml: did not find expected node content'],
      ['[a', "yaml: line 1: did not find expected ',' or ']'"],
      ['{a: b', "yaml: line 1: did not find expected ',' or '}'"],
      ['[a b\nc]', { value: ['a b c'] }],
      ['[? a : b]', { value: [{ a: 'b' }] }],
      ['{? a, : b}', 'yaml: did not find expected node content'],
      ['[a]]', { value: ['a'] }],
      ['{}', { value: {} }],
      ['[]', { value: [] }],
      ['a: [b] c', 'yaml: did not find expected key'],
      ['[a, {b: c}]', { value: ['a', { b: 'c' }] }],
    ],
  },
  {
    name: 'quoted texts',
    rows: [
      ['"a\nb"', { value: 'a b' }],
      ['"a\n\nb"', { value: 'a\nb' }],
      ['"a\\\n  b"', { value: 'ab' }],
      ['"\\u00e9\\x41\\n\\/"', 'yaml: found unknown escape character'],
      ['"\\q"', 'yaml: found unknown escape character'],
      ['"\\ud800"', 'yaml: found invalid Unicode character escape code'],
      ['"\\U0001F600"', { value: '😀' }],
      ['"\\x4"', 'yaml: did not find expected hexdecimal number'],
      ['"a', 'yaml: found unexpected end of stream'],
      ["'it''s'", { value: "it's" }],
      ["'a", 'yaml: found unexpected end of stream'],
      ['"x"y', { value: 'x' }],
    ],
  },
  {
    name: 'block texts',
    rows: [
      ['a: |\n  x\n  y\n', { value: { a: 'x\ny\n' } }],
      ['a: |-\n  x\n', { value: { a: 'x' } }],
      ['a: |+\n  x\n\n\nb: c', { value: { a: 'x\n\n\n', b: 'c' } }],
      ['a: |2\n   x\n', { value: { a: ' x\n' } }],
      ['a: |0\n x', 'yaml: found an indentation indicator equal to 0'],
      ['a: |x', 'yaml: did not find expected comment or line break'],
      ['a: |\n\tb', 'yaml: line 2: found a tab character where an indentation space is expected'],
      ['a: >\n  x\n  y\n\n   z\n  w\n', { value: { a: 'x y\n\n z\nw\n' } }],
      ['a: >-\n  b\n\n\n  c\n', { value: { a: 'b\n\nc' } }],
      ['a: |\n\n  x', { value: { a: '\nx' } }],
      ['a: |\nb: c', { value: { a: '', b: 'c' } }],
    ],
  },
  {
    name: 'characters that are not allowed',
    rows: [
      ['a: \u0007', 'yaml: control characters are not allowed'],
      ['a: ', 'yaml: control characters are not allowed'],
      ['@a', 'yaml: found character that cannot start any token'],
      ['`a', 'yaml: found character that cannot start any token'],
      ['a: %b', 'yaml: found character that cannot start any token'],
      ['ab', { value: 'a b' }],
      ['"a b"', { value: 'a b' }],
    ],
  },
];

const plenty: YamlLimits = { values: 100_000, characters: 1_000_000 };

function read(text: string, limits = plenty): { readonly outcome: Outcome; readonly steps: number } {
  const reading = readYaml(text, limits);
  for (let steps = 1; ; steps++) {
    const step = reading.next();
    if (!step.done) continue;
    const { value, duplicates } = step.value;
    const strict = `yaml: unmarshal errors:\n  ${duplicates.join('\n  ')}`;
    return { outcome: { value, ...(duplicates.length > 0 && { strict }) }, steps };
  }
}

function outcomeOf(text: string): Outcome {
  try {
    return read(text).outcome;
  } catch (error) {
    if (error instanceof YamlError) return error.message;
    throw error;
  }
}

for (const { name, rows } of groups) {
  test(`YAML: ${name}`, () => {
    for (const [text, want] of rows) assert.deepEqual(outcomeOf(text), want, JSON.stringify(text));
  });
}

test('a key ends within 1024 characters', () => {
  assert.deepEqual(outcomeOf(`${'k'.repeat(1000)}: v`), { value: { ['k'.repeat(1000)]: 'v' } });
  assert.equal(outcomeOf(`${'k'.repeat(1030)}: v`), 'yaml: mapping values are not allowed in this context');
  assert.deepEqual(outcomeOf(`? ${'k'.repeat(1030)}\n: v`), { value: { ['k'.repeat(1030)]: 'v' } });
});

test('whatever is written is read again', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const plain = JSON.parse(JSON.stringify(value)) as unknown;
      assert.deepEqual(read(stringify(plain, { version: '1.1' })).outcome, { value: plain });
      assert.deepEqual(read(JSON.stringify(plain)).outcome, { value: plain });
    }),
  );
});

const nineTimes = (name: string): string => `[${Array.from({ length: 9 }, () => `*${name}`).join(',')}]`;
const bomb = [
  'a: &a [x,x,x,x,x,x,x,x,x]',
  ...['b', 'c', 'd', 'e', 'f', 'g'].map((name, i) => `${name}: &${name} ${nineTimes('abcdef'[i] ?? '')}`),
].join('\n');

const tooLarge: readonly { readonly name: string; readonly text: string; readonly limits?: YamlLimits }[] = [
  { name: 'many values', text: `[${'a,'.repeat(1_400_000)}]` },
  { name: 'aliases of aliases', text: bomb },
  { name: 'a long text that is repeated by aliases', text: `a: &a ${'x'.repeat(10_000)}\nb: [${'*a,'.repeat(200)}]` },
  {
    name: 'merges of merges',
    text: `x: &x {${Array.from({ length: 500 }, (_, i) => `k${i}: v`).join(',')}}\n${'y: {<<: *x}\n'.repeat(1000)}`,
  },
  { name: 'many lines', text: '\n'.repeat(600_000) },
  { name: 'many tags', text: Array.from({ length: 200 }, (_, i) => `%TAG !t${i}! x`).join('\n') },
];

test('what is too large is refused when the limit is reached', async (t) => {
  for (const { name, text } of tooLarge) await t.test(name, () => assert.throws(() => read(text), YamlTooLargeError));
});

test('nesting ends', () => {
  for (const text of ['['.repeat(100_000), '- '.repeat(100_000), '{a: '.repeat(100_000), '? '.repeat(100_000)]) {
    assert.equal(outcomeOf(text), 'yaml: exceeded max depth of 500');
  }
});

test('a long document is read in steps', () => {
  const text = Array.from({ length: 20_000 }, (_, i) => `key${i}: value\n`).join('');
  assert.ok(read(text).steps > 20);
});

/** Of one scalar each, written so that it is read part by part. */
const longScalars: readonly { readonly name: string; readonly text: string; readonly want: string }[] = (
  [
    ['a quoted text of many lines', (n) => [`a: "${'b\n'.repeat(n)}"`, 'b '.repeat(n)]],
    ['escapes', (n) => [`a: "${'\\n'.repeat(n)}"`, '\n'.repeat(n)]],
    ['line breaks that do not count', (n) => [`a: "${'b\\\n  '.repeat(n)}"`, 'b'.repeat(n)]],
    ['one quoted line', (n) => [`a: "${'b  '.repeat(n)}c"`, `${'b  '.repeat(n)}c`]],
    ['doubled quotes', (n) => [`a: '${"''".repeat(n)}'`, "'".repeat(n)]],
    ['a plain text of many lines', (n) => [`a: ${'b\n '.repeat(n)}`, 'b '.repeat(n).trimEnd()]],
    ['one plain line', (n) => [`a: ${'b##'.repeat(n)}`, 'b##'.repeat(n)]],
    ['plain words', (n) => [`a: ${'b  '.repeat(n)}`, 'b  '.repeat(n).trimEnd()]],
    ['a literal', (n) => [`a: |\n${' b\n'.repeat(n)}`, 'b\n'.repeat(n)]],
    ['a folded text', (n) => [`a: >\n${' b\n'.repeat(n)}`, `${'b '.repeat(n - 1)}b\n`]],
    ['base64', (n) => [`a: !!binary |\n${' QUFB\n'.repeat(n)}`, 'AAA'.repeat(n)]],
    ['a key', (n) => [`? a\n: ! "${'b\n'.repeat(n)}"`, 'b '.repeat(n)]],
  ] satisfies [string, (lines: number) => [string, string]][]
).map(([name, make]) => {
  const [text, want] = make(200_000);
  return { name, text, want };
});

test('a long scalar is read in steps', () => {
  for (const { name, text, want } of longScalars) {
    const { outcome, steps } = read(text, { values: 1000, characters: 2e6 });
    assert.ok(typeof outcome === 'object' && (outcome.value as { a: string }).a === want, name);
    assert.ok(steps > 2, `${name}: ${steps}`);
  }
});
