import assert from 'node:assert/strict';
import { it } from 'node:test';
import { silentLog } from '../../client/log.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { Sampler } from './sampler.ts';

function start() {
  const clock = new VirtualClock();
  const began = clock.now();
  /** the seconds at which nodes were read */
  const reads: number[] = [];
  const read = async () => {
    reads.push((clock.now() - began) / 1000);
    return new Map();
  };
  return { clock, reads, sampler: new Sampler({ clock, log: silentLog, read }) };
}

it('reads nothing while nobody asks, and twice, a second apart, for whoever asks first', async () => {
  const { clock, reads, sampler } = start();
  using _ = sampler;
  await clock.advance(600_000);
  assert.deepEqual(reads, []);
  const asked = Promise.all([sampler.current(), sampler.current()]);
  await clock.advance(1000);
  const [one, other] = await asked;
  assert.deepEqual([reads, one === other], [[600, 601], true]);
});

it('goes on every 15 seconds, until nobody has asked for two minutes', async () => {
  const { clock, reads, sampler } = start();
  using _ = sampler;
  const first = sampler.current();
  await clock.advance(61_000);
  await first;
  await sampler.current();
  await clock.advance(600_000);
  assert.deepEqual(reads, [0, 1, 16, 31, 46, 61, 76, 91, 106, 121, 136, 151, 166]);
  const again = sampler.current();
  await clock.advance(1000);
  await again;
  assert.deepEqual(reads.slice(13), [661, 662]);
});

it('stops', async () => {
  const { clock, reads, sampler } = start();
  const first = sampler.current();
  await clock.advance(1000);
  await first;
  sampler[Symbol.dispose]();
  await clock.advance(60_000);
  assert.deepEqual(reads, [0, 1]);
});
