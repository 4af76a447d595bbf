import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SharedLoads } from './shared-loads.ts';
import { constant, parseUsage } from './usage-model.ts';

const load = constant(3);
const after = (seconds: number): number => seconds * 1000;

it('is shared equally by those that are there, each from when it came', () => {
  const loads = new SharedLoads();
  const first = loads.join('shop', load, after(0));
  assert.deepEqual([first.amount(after(10)), first.used(after(10))], [3, 30]);
  const second = loads.join('shop', load, after(10));
  assert.deepEqual([first.amount(after(20)), first.used(after(20)), second.used(after(20))], [1.5, 45, 15]);
  first.leave(after(20));
  assert.deepEqual([second.amount(after(30)), second.used(after(30))], [3, 45]);
});

it('is nobody else’s', () => {
  const loads = new SharedLoads();
  const [a, b] = [loads.join('a', load, 0), loads.join('b', load, 0)];
  assert.deepEqual([a.amount(0), b.amount(0)], [3, 3]);
});

it('begins anew when the last one has left', () => {
  const loads = new SharedLoads();
  const ramp = parseUsage('ramp 0..1 in 10s') ?? load;
  loads.join('shop', ramp, after(0)).leave(after(60));
  assert.equal(loads.join('shop', ramp, after(60)).amount(after(65)), 0.5);
});
