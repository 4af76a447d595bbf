import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readDuration } from './time.ts';

const hour = 3_600_000_000_000n;
const durations: { readonly given: string; readonly want: bigint | undefined }[] = [
  { given: '0', want: 0n },
  { given: '-0', want: 0n },
  { given: '+5s', want: 5_000_000_000n },
  { given: '1h30m', want: hour + hour / 2n },
  { given: '1.s', want: 1_000_000_000n },
  { given: '.5s', want: 500_000_000n },
  { given: '1.5h0.25ns', want: hour + hour / 2n },
  { given: '9223372036854775807ns', want: 9_223_372_036_854_775_807n },
  { given: '-9223372036854775808ns', want: -9_223_372_036_854_775_808n },
  { given: '9223372036854775808ns', want: undefined },
  { given: `${'0'.repeat(100)}7ns`, want: 7n },
  { given: `0.${'3'.repeat(100)}s`, want: 333_333_333n },
  { given: `${'9'.repeat(100)}s`, want: undefined },
  { given: '', want: undefined },
  { given: '-', want: undefined },
  { given: '5', want: undefined },
  { given: '1.2.3s', want: undefined },
  { given: '.s', want: undefined },
  { given: '1s ', want: undefined },
  { given: '1s-1s', want: undefined },
  { given: '00', want: undefined },
];

describe('durations as Go reads them', () => {
  for (const { given, want } of durations) it(JSON.stringify(given.slice(0, 30)), () => assert.equal(readDuration(given)?.ns, want));
});
