import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseUsage } from './usage-model.ts';

const [second, minute] = [1000, 60_000];

describe('parseUsage', () => {
  /** At a time: how much, and what has been used until then. */
  const table: { given: string; at: readonly (readonly [ms: number, amount: number, used: number])[] }[] = [
    {
      given: '250m',
      at: [
        [0, 0.25, 0],
        [10 * second, 0.25, 2.5],
      ],
    },
    { given: '64Mi', at: [[minute, 2 ** 26, 60 * 2 ** 26]] },
    {
      given: 'wave 100m..900m every 20m',
      at: [
        [0, 0.1, 0],
        [5 * minute, 0.5, 150 - (0.4 * 1200) / (2 * Math.PI)],
        [10 * minute, 0.9, 300],
        [20 * minute, 0.1, 600],
      ],
    },
    {
      given: 'ramp 0..1 in 10s',
      at: [
        [0, 0, 0],
        [5 * second, 0.5, 1.25],
        [10 * second, 1, 5],
        [20 * second, 1, 15],
      ],
    },
    {
      given: 'ramp 1..0 in 10s',
      at: [
        [10 * second, 0, 5],
        [minute, 0, 5],
      ],
    },
    {
      given: 'series 0s=100m,5m=900m,8m=0',
      at: [
        [0, 0.1, 0],
        [5 * minute, 0.9, 30],
        [6 * minute, 0.9, 84],
        [9 * minute, 0, 192],
      ],
    },
    {
      given: 'series 10s=1',
      at: [
        [0, 0, 0],
        [11 * second, 1, 1],
      ],
    },
  ];
  for (const { given, at } of table)
    it(given, () => {
      const model = parseUsage(given);
      const seen = at.map(([ms]) => [ms, model?.at(ms), model?.upTo(ms)].map((n = Number.NaN) => Math.round(n * 1e6) / 1e6));
      assert.deepEqual(
        seen,
        at.map((row) => row.map((n) => Math.round(n * 1e6) / 1e6)),
      );
    });

  const unreadable = [
    '',
    'much',
    '-1',
    'wave 1..2',
    'wave 1..2 in 5m',
    'ramp 1..2 every 5m',
    'ramp 1..2 in 0s',
    'wave 1-2 every 5m',
    'series',
    'series 5m',
    'series 5m=1,1m=2',
    'series -1s=1',
  ];
  for (const given of unreadable) it(`says nothing: ${JSON.stringify(given)}`, () => assert.equal(parseUsage(given), undefined));
});
