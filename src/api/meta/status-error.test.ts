import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectFieldErrors, errors, type FieldError, fieldErrors, fieldErrorsMax } from './status-error.ts';

const pod = { group: '', kind: 'Pod' };
const many = (count: number): FieldError[] => Array.from({ length: count }, (_, i) => fieldErrors.required(`spec.f[${i}]`));

test('an answer tells the first errors only, and that there are more', () => {
  const told = (count: number) => errors.invalid(pod, 'x', many(count)).status;
  assert.equal(told(1).message, 'Pod "x" is invalid: spec.f[0]: Required value');
  assert.equal(told(2).message, 'Pod "x" is invalid: [spec.f[0]: Required value, spec.f[1]: Required value]');
  assert.equal(told(fieldErrorsMax).details?.causes?.length, fieldErrorsMax);
  assert.doesNotMatch(told(fieldErrorsMax).message ?? '', /more/);
  assert.equal(told(fieldErrorsMax + 1).details?.causes?.length, fieldErrorsMax);
  assert.match(told(fieldErrorsMax + 1).message ?? '', /spec.f\[999\]: Required value, and more\]$/);
});

test('long values are not told again and again', () => {
  const long = 'x'.repeat(1_000_000);
  const list = Array.from({ length: 500 }, () => fieldErrors.invalid('spec.f', long, 'is wrong'));
  const { message = '' } = errors.invalid(pod, 'x', list).status;
  assert.ok(message.length < 300_000, `${message.length}`);
  assert.match(message, /is wrong, and more\]$/);
});

test('the search for errors ends with what is told', () => {
  let made = 0;
  const found = collectFieldErrors(() => {
    const list: FieldError[] = [];
    for (; made < 100_000; made++) list.push(fieldErrors.required('spec'));
    return list;
  });
  assert.equal(found.length, fieldErrorsMax + 1);
  assert.equal(made, fieldErrorsMax);
});

test('a search within a search has its own end; other faults come through', () => {
  const found = collectFieldErrors(() => [...collectFieldErrors(() => many(2000)), ...many(3)]);
  assert.equal(found.length, fieldErrorsMax + 1 + 3);
  assert.throws(() => collectFieldErrors(() => assert.fail('a fault')), /a fault/);
  assert.equal(many(5000).length, 5000, 'outside of a search nothing ends');
});

test('values are shown as JSON, maps in the order of their keys', () => {
  const shown = (value: unknown) =>
    errors.invalid(pod, 'x', [fieldErrors.invalid('f', value, 'd')]).message.slice('Pod "x" is invalid: f: '.length);
  const values = [
    1,
    'a"b',
    null,
    undefined,
    true,
    [],
    {},
    [1, [2, { b: 1, a: 'x' }], null, undefined],
    { z: 'a', b: 'c' },
    { z: 1, b: 'c', n: undefined },
  ];
  const wants = [
    '1',
    '"a\\"b"',
    'null',
    'null',
    'true',
    '[]',
    '{}',
    '[1,[2,{"b":1,"a":"x"}],null,null]',
    '{"b":"c","z":"a"}',
    '{"z":1,"b":"c"}',
  ];
  assert.deepEqual(
    values.map(shown),
    wants.map((want) => `Invalid value: ${want}: d`),
  );
});

test('a long value is cut', () => {
  for (const value of ['x'.repeat(1_000_000), Array.from({ length: 500_000 }, () => 0), { a: { b: 'x'.repeat(1_000_000) } }]) {
    const { message } = errors.invalid(pod, 'x', [fieldErrors.invalid('f', value, 'd')]);
    assert.ok(message.length < 20_000, `${message.length}`);
    assert.match(message, /\.\.\.: d$/);
  }
});
