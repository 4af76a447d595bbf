import assert from 'node:assert/strict';
import { test } from 'node:test';
import { givesOut, isWithin, overlap } from './service-ranges.ts';

const ranges = [
  { inner: '10.0.0.0/24', outer: '10.0.0.0/16', want: { within: true, overlap: true } },
  { inner: '10.0.0.0/16', outer: '10.0.0.0/16', want: { within: true, overlap: true } },
  { inner: '10.0.0.0/16', outer: '10.0.0.0/24', want: { within: false, overlap: true } },
  { inner: '10.1.0.0/24', outer: '10.0.0.0/16', want: { within: false, overlap: false } },
  { inner: '10.0.0.0/8', outer: '::/0', want: { within: false, overlap: false } },
  { inner: '2001:db8:1::/64', outer: '2001:db8::/32', want: { within: true, overlap: true } },
  { inner: '10.0.0.0/8', outer: 'nonsense', want: { within: false, overlap: false } },
];

const addresses = [
  { cidr: '10.0.0.0/24', address: '10.0.0.1', want: true },
  { cidr: '10.0.0.0/24', address: '10.0.0.0', want: false },
  { cidr: '10.0.0.0/24', address: '10.0.0.255', want: false },
  { cidr: '10.0.0.0/16', address: '10.0.0.255', want: true },
  { cidr: '10.0.0.0/16', address: '10.0.1.0', want: true },
  { cidr: '10.0.0.0/30', address: '10.0.0.4', want: false },
  { cidr: '10.0.0.1/32', address: '10.0.0.1', want: false },
  { cidr: '2001:db8::/64', address: '2001:db8::', want: false },
  { cidr: '2001:db8::/64', address: '2001:db8::ffff:ffff:ffff:ffff', want: true },
  { cidr: '2001:db8::/64', address: '10.0.0.1', want: false },
  { cidr: '10.0.0.0/8', address: '::a00:1', want: false },
];

for (const { inner, outer, want } of ranges) {
  test(`${inner} in ${outer}`, () => {
    assert.deepEqual({ within: isWithin(inner, outer), overlap: overlap(inner, outer) }, want);
    assert.equal(overlap(outer, inner), want.overlap);
  });
}

for (const { cidr, address, want } of addresses) {
  test(`${cidr} ${want ? 'gives' : 'does not give'} out ${address}`, () => assert.equal(givesOut(cidr, address), want));
}
