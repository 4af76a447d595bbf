/** Names there and here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtcdKeys, EtcdLeases } from './etcd-keys.ts';

const keys = new EtcdKeys({ own: '/registry/', stored: '/other/' });
const rangeOf = (prefix: string, startAfter?: string): string[] => {
  const { key, rangeEnd } = keys.range(prefix, startAfter);
  return [key.toString(), rangeEnd.toString()];
};

test('keys lie below another prefix', () => {
  assert.equal(keys.stored('/registry/pods/a').toString(), '/other/pods/a');
  assert.equal(keys.own(Buffer.from('/other/pods/a')), '/registry/pods/a');
  assert.throws(() => keys.stored('/elsewhere/a'), RangeError);
});

test('a range has all that begins so, and nothing else', () => {
  assert.deepEqual(rangeOf('/registry/pods/'), ['/other/pods/', '/other/pods0']);
  assert.deepEqual(rangeOf('/registry/pods/', '/registry/pods/a'), ['/other/pods/a\0', '/other/pods0']);
  assert.deepEqual(rangeOf('/registry/pods/', '/registry/nodes/a'), ['/other/pods/', '/other/pods0']);
});

test('leases that are larger than our numbers are told apart', () => {
  const leases = new EtcdLeases();
  const ids = ['7587890123456789001', '7587890123456789002'];
  const numbers = ids.map((id) => leases.numberOf(id) ?? 0);
  assert.equal(new Set(numbers).size, 2);
  assert.deepEqual(
    numbers.map((number) => leases.idOf(number)),
    ids,
  );
  assert.equal(leases.numberOf(ids[0] ?? ''), numbers[0]);
  assert.equal(leases.numberOf('0'), undefined);
  assert.equal(leases.idOf(leases.numberOf('77') ?? 0), '77');
});
