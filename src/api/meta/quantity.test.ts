import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addQuantities,
  canonicalizeQuantity,
  compareQuantities,
  quantityMilliValue,
  quantityToNumber,
  quantityValue,
  subtractQuantities,
  sumQuantities,
} from './quantity.ts';

/** As a 1.36 API server answers. */
const canonicalRows: readonly (readonly [string | number, string])[] = [
  ['0', '0'],
  ['1', '1'],
  ['100m', '100m'],
  ['1000m', '1'],
  ['1500m', '1500m'],
  ['0.5', '500m'],
  ['.5', '500m'],
  ['5.', '5.'],
  ['1.500', '1.500'],
  ['0.001', '1m'],
  ['0.0001', '100u'],
  ['1e3', '1e3'],
  ['1e-3', '1e-3'],
  ['1e2', '100'],
  ['1e5', '100e3'],
  ['1Ki', '1Ki'],
  ['1024Ki', '1Mi'],
  ['1.5Gi', '1536Mi'],
  ['0.1Ki', '102400m'],
  ['1025Mi', '1025Mi'],
  ['1024Mi', '1Gi'],
  ['1000', '1k'],
  ['1500k', '1500k'],
  ['1000k', '1M'],
  ['123456789', '123456789'],
  ['3.5k', '3500'],
  ['1000u', '1m'],
  ['0.5n', '1n'],
  ['0.0000000001', '1n'],
  ['+5', '+5'],
  ['-1.5Gi', '-1536Mi'],
  ['007', '007'],
  ['16Ei', '9223372036854775807'],
  ['9223372036854775808', '9223372036854775808'],
  ['0Ki', '0'],
  ['Ki', '0'],
  ['10.10', '10100m'],
  ['1048576', '1048576'],
  ['5Mi ', '5Mi'],
  [1.5, '1500m'],
  [1000000, '1M'],
];

test('the canonical form', () => {
  for (const [given, want] of canonicalRows) {
    const found = canonicalizeQuantity(given);
    assert.equal(found, want, String(given));
    assert.equal(compareQuantities(given, found), 0, `${given} stays the same amount`);
  }
});

const formatWrong = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const suffixWrong = "unable to parse quantity's suffix";
const wrongRows: readonly (readonly [string, string])[] = [
  ['', formatWrong],
  ['abc', formatWrong],
  ['1.2.3', formatWrong],
  ['--1', suffixWrong],
  ['1,5', formatWrong],
  ['1e', suffixWrong],
  ['1mi', suffixWrong],
  ['1Kii', suffixWrong],
];

test('what is no quantity', () => {
  for (const [given, want] of wrongRows) assert.throws(() => canonicalizeQuantity(given), { name: 'QuantityError', message: want }, given);
});

test('arithmetic', () => {
  assert.equal(addQuantities('100m', '1'), '1100m');
  assert.equal(addQuantities('1Gi', '512Mi'), '1536Mi');
  assert.equal(addQuantities('0', '512Mi'), '512Mi', 'the format of zero does not count');
  assert.equal(subtractQuantities('1Gi', '1Gi'), '0');
  assert.equal(subtractQuantities('1', '1500m'), '-500m');
  assert.equal(sumQuantities(['250m', '250m', '500m']), '1');
  assert.equal(sumQuantities([]), '0');
  assert.ok(compareQuantities('1Gi', '1G') > 0);
  assert.ok(compareQuantities('999m', '1') < 0);
  assert.equal(quantityMilliValue('0.1'), 100);
  assert.equal(quantityMilliValue('100u'), 1, 'rounded up');
  assert.equal(quantityMilliValue('2'), 2000);
  assert.equal(quantityValue('1500m'), 2, 'rounded up');
  assert.equal(quantityValue('64Mi'), 67_108_864);
  assert.equal(quantityToNumber('1500m'), 1.5);
});

test('laws', () => {
  const amount = fc.bigInt({ min: 0n, max: 10n ** 8n });
  const suffix = fc.constantFrom('', 'm', 'u', 'k', 'M', 'Ki', 'Mi', 'Gi');
  const quantity = fc.tuple(amount, suffix).map(([a, s]) => `${a}${s}`);
  fc.assert(
    fc.property(quantity, quantity, (a, b) => {
      const canonical = canonicalizeQuantity(a);
      assert.equal(canonicalizeQuantity(canonical), canonical, 'canonical twice is canonical once');
      assert.equal(compareQuantities(addQuantities(a, b), addQuantities(b, a)), 0);
      assert.equal(compareQuantities(subtractQuantities(addQuantities(a, b), b), a), 0);
      assert.equal(Math.sign(compareQuantities(a, b)), -Math.sign(compareQuantities(b, a)) + 0);
    }),
  );
});
