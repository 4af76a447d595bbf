import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { type Clocks, isTooShort, ownValidity, signedValidity, type Validity } from './validity.ts';

const machine = new VirtualClock(Date.parse('2026-11-28T12:00:00Z'));
const at = (time: string): Clocks => ({ clock: new VirtualClock(Date.parse(time)), machine });
const realTime: Clocks = { clock: machine, machine };
const lifeMs = 3_600_000;
const describeDates = ({ fromMs, toMs }: Validity): string =>
  [fromMs, toMs].map((ms) => new Date(ms).toISOString().replace('.000Z', '')).join(' ');

const always = '1950-01-01T00:00:00 9999-12-31T23:59:59';
const asked = '2026-11-28T11:55:00 2026-11-28T13:00:00';
const rows: readonly { name: string; clocks: Clocks; own: string; signed: string }[] = [
  { name: 'real time: the dates that were asked for', clocks: realTime, own: asked, signed: asked },
  { name: 'behind the machine: no end', clocks: at('2026-01-01'), own: always, signed: '2025-12-31T23:55:00 9999-12-31T23:59:59' },
  { name: 'at the beginning of time', clocks: at('1970-01-01'), own: always, signed: '1969-12-31T23:55:00 9999-12-31T23:59:59' },
  { name: 'ahead of the machine: no beginning', clocks: at('2040-01-01'), own: always, signed: '1950-01-01T00:00:00 2040-01-01T01:00:00' },
];
describe('certificates are valid by both clocks', () => {
  for (const { name, clocks, own, signed } of rows) {
    it(name, () => {
      assert.equal(describeDates(ownValidity(clocks, lifeMs)), own);
      assert.equal(describeDates(signedValidity(clocks, lifeMs)), signed);
    });
  }
});

const yearFrom = (time: string): Validity => ({ fromMs: Date.parse(time), toMs: Date.parse(time) + 365 * 86_400_000 });
const endless = ownValidity(at('2040-01-01'), lifeMs);
const short: readonly { name: string; given: Validity; clocks: Clocks; want: boolean }[] = [
  { name: 'fresh', given: yearFrom('2026-11-01'), clocks: realTime, want: false },
  { name: 'in its last third', given: yearFrom('2026-01-01'), clocks: realTime, want: true },
  { name: 'not valid yet', given: yearFrom('2027-01-01'), clocks: realTime, want: true },
  { name: 'always valid, in real time', given: endless, clocks: realTime, want: false },
  { name: 'always valid, for a clock that is moved', given: endless, clocks: at('1970-01-01'), want: false },
  { name: 'fresh, for a clock that is moved', given: yearFrom('2026-11-01'), clocks: at('2026-11-28'), want: true },
];
describe('a certificate is too short that is', () => {
  for (const { name, given, clocks, want } of short) it(`${name}: ${want}`, () => assert.equal(isTooShort(given, clocks), want));
});
