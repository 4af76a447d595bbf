import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { findCondition, withCondition, withoutCondition } from './conditions.ts';
import { equalJson, equalSemantically } from './deep-equal.ts';
import { describeDurationError, formatAge, formatDuration, formatShortDuration, parseDuration } from './duration.ts';
import { scaleIntOrPercent } from './intstr.ts';
import { compareResourceVersions, parseResourceVersion } from './resource-version.ts';
import { canonicalizeMicroTime, canonicalizeTime, describeTimeError, formatMicroTime, formatTime, parseTime } from './time.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

test('durations as people read them', () => {
  const rows: readonly (readonly [number, string, string])[] = [
    [-5 * second, '<invalid>', '<invalid>'],
    [-1 * second, '0s', '0s'],
    [0, '0s', '0s'],
    [119 * second, '119s', '1m'],
    [2 * minute, '2m', '2m'],
    [9 * minute + 59 * second, '9m59s', '9m'],
    [179 * minute, '179m', '2h'],
    [3 * hour, '3h', '3h'],
    [7 * hour + 30 * minute, '7h30m', '7h'],
    [47 * hour, '47h', '1d'],
    [2 * day, '2d', '2d'],
    [7 * day + 5 * hour, '7d5h', '7d'],
    [400 * day, '400d', '1y'],
    [730 * day, '2y', '2y'],
    [800 * day, '2y70d', '2y'],
    [8 * 365 * day + day, '8y', '8y'],
  ];
  for (const [ms, want, short] of rows) assert.deepEqual([formatDuration(ms), formatShortDuration(ms)], [want, short]);
  assert.equal(formatAge('2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1, 0, 5)), '5m');
  assert.equal(formatAge(undefined, 0), '<unknown>');
});

test('times', () => {
  const ms = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  assert.equal(formatTime(ms), '2026-01-02T03:04:05Z');
  assert.equal(formatMicroTime(ms), '2026-01-02T03:04:05.678000Z');
  assert.equal(parseTime('2026-01-02T03:04:05.678Z'), ms);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.9+02:00', '2026-01-02T01:04:05Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
    ['2026-02-29T00:00:00Z', undefined],
    ['2026-01-02T24:00:00Z', undefined],
    ['2026-01-02', undefined],
    ['2026-01-02 03:04:05Z', undefined],
    ['', undefined],
  ];
  for (const [given, want] of rows) assert.equal(canonicalizeTime(given), want, given);
  assert.equal(canonicalizeMicroTime('2026-01-02T03:04:05.123456+01:00'), '2026-01-02T02:04:05.123456Z');
  assert.equal(canonicalizeMicroTime('2026-01-02T03:04:05Z'), undefined);
  assert.equal(describeTimeError('2026-02-30T00:00:00Z', 'second'), 'parsing time "2026-02-30T00:00:00Z": day out of range');
  assert.equal(describeTimeError('2026-01-01T00:00:00Zz', 'second'), 'parsing time "2026-01-01T00:00:00Zz": extra text: "z"');
});

test('numbers or percentages', () => {
  assert.equal(scaleIntOrPercent(3, 10, 'up'), 3);
  assert.equal(scaleIntOrPercent('25%', 10, 'up'), 3);
  assert.equal(scaleIntOrPercent('25%', 10, 'down'), 2);
  assert.throws(() => scaleIntOrPercent('25', 10, 'up'), {
    message: 'invalid value for IntOrString: invalid type: string is not a percentage',
  });
});

test('conditions', () => {
  const old = [{ type: 'Ready', status: 'False', lastTransitionTime: '1' }];
  assert.equal(withCondition(old, { type: 'Ready', status: 'False', lastTransitionTime: '2' }), old, 'the time moves only with the status');
  assert.deepEqual(withCondition(old, { type: 'Ready', status: 'True', lastTransitionTime: '2' }), [
    { type: 'Ready', status: 'True', lastTransitionTime: '2' },
  ]);
  const more = withCondition(old, { type: 'Other', status: 'True', lastTransitionTime: '3' });
  assert.equal(findCondition(more, 'Other')?.status, 'True');
  assert.deepEqual(withoutCondition(more, 'Other'), old);
});

test('equality', () => {
  assert.ok(equalJson({ a: [1, { b: null }], c: undefined }, { a: [1, { b: null }] }));
  assert.ok(!equalJson({ a: [] }, {}));
  assert.ok(!equalJson({ a: 1 }, { a: 1, b: 2 }));
  assert.ok(equalSemantically({ a: [], b: {}, c: null, d: { e: [] } }, {}) === false, 'an object with an empty one inside is not empty');
  assert.ok(equalSemantically({ a: [], b: {}, c: null }, {}));
  assert.ok(!equalSemantically({ a: [1] }, {}));
  assert.ok(!equalSemantically({ a: '' }, {}), 'the empty string is a value');
});

test('resource versions', () => {
  assert.equal(parseResourceVersion(''), undefined);
  assert.equal(parseResourceVersion('12'), 12);
  assert.throws(() => parseResourceVersion('abc'), {
    message: 'invalid resource version "abc": strconv.ParseUint: parsing "abc": invalid syntax',
  });
  assert.ok(compareResourceVersions('9', '10') < 0);
  assert.equal(compareResourceVersions('10', '10'), 0);
});

describe('parseDuration', () => {
  const table: [string | undefined, number | undefined][] = [
    ['250ms', 250],
    ['1h2m3.5s', 3_723_500],
    ['0', 0],
    ['-1.5s', -1500],
    ['.5s', 500],
    ['1.s', 1000],
    ['5', undefined],
    ['.s', undefined],
    ['s', undefined],
    ['', undefined],
    ['2us', 0.002],
    ['2\u00b5s', 0.002],
    ['2\u03bcs', 0.002],
    ['2562047h', 2_562_047 * 3_600_000],
    ['2562048h', undefined],
    ['9223372036854775808ns', undefined],
    ['-9223372036854775808ns', -(2 ** 63) / 1e6],
    ['-9223372036854775809ns', undefined],
    ['2562047h47m16.854775808s', undefined],
    ['99999999999999999999.5s', undefined],
    [undefined, undefined],
  ];
  for (const [text, want] of table) it(`${text}`, () => assert.equal(parseDuration(text), want));
});

describe('describeDurationError: the words of Go', () => {
  const table = [
    ['999999999h', 'invalid duration "999999999h"'],
    ['9223372036854775808ns', 'invalid duration "9223372036854775808ns"'],
    ['9223372036854775808x', 'unknown unit "x" in duration "9223372036854775808x"'],
    ['9223372036854775809x', 'invalid duration "9223372036854775809x"'],
    ['1.5.5h', 'missing unit in duration "1.5.5h"'],
    ['1\u00e9', String.raw`unknown unit "\xc3\xa9" in duration "1\xc3\xa9"`],
    ['a"\\\n', String.raw`invalid duration "a\"\\\x0a"`],
    ['-', 'invalid duration "-"'],
  ] as const;
  for (const [text, want] of table) it(JSON.stringify(text), () => assert.equal(describeDurationError(text), `time: ${want}`));
});
