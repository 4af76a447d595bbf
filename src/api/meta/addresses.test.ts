import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressNumber, canonicalIP, familyOf, formatAddress, parseCIDR, withoutLeadingZeros } from './addresses.ts';

const addresses = [
  { given: '10.0.0.1', number: 0x0a000001n },
  { given: '255.255.255.255', number: 0xffffffffn },
  { given: '::', number: 0n },
  { given: '::1', number: 1n },
  { given: '2001:db8::ff00:42:8329', number: 0x20010db8000000000000ff0000428329n },
  { given: '1:0:0:2::3', number: 0x00010000000000020000000000000003n },
  { given: '::ffff:10.0.0.1', number: 0xffff0a000001n, canonical: '::ffff:a00:1' },
  { given: '2001:DB8:0:0:1:0:0:1', number: 0x20010db8000000000001000000000001n, canonical: '2001:db8::1:0:0:1' },
];

for (const { given, number, canonical = given } of addresses) {
  test(`${given} is a number, and written ${canonical}`, () => {
    assert.equal(addressNumber(given), number);
    assert.equal(formatAddress(number, familyOf(given)), canonical);
    assert.equal(canonicalIP(given), canonical);
  });
}

const ranges = [
  { given: '10.0.0.7/8', want: { family: 'IPv4', address: 0x0a000007n, prefix: 8, hostBits: 24 } },
  { given: '010.000.0.007/08', want: { family: 'IPv4', address: 0x0a000007n, prefix: 8, hostBits: 24 } },
  { given: '2001:db8::/32', want: { family: 'IPv6', address: 0x20010db8n << 96n, prefix: 32, hostBits: 96 } },
  { given: '::/0', want: { family: 'IPv6', address: 0n, prefix: 0, hostBits: 128 } },
  ...['10.0.0.0', '10.0.0.0/', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/8/8', '::/129', 'fe80::1%eth0/64', 'a/8', '/8', ''].map((given) => ({
    given,
    want: undefined,
  })),
];

for (const { given, want } of ranges) {
  test(`'${given}' is ${want ? 'a CIDR' : 'no CIDR'}`, () => assert.deepEqual(parseCIDR(given), want));
}

test('what is too long to be an address is not taken apart', () => {
  const long = `${'0'.repeat(300)}1.2.3.4`;
  assert.equal(withoutLeadingZeros(long), long);
  assert.equal(withoutLeadingZeros('010.0.0.007'), '10.0.0.7');
});
