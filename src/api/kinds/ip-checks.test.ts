import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalIP } from '../meta/addresses.ts';
import { keeping } from '../schema/rules/rules.ts';
import { judgeAtOnce } from '../schema/rules/walk.ts';
import { checkCanonicalCIDR, checkCanonicalIP, checkCIDR, checkIP, cidrFamily, outsideOf } from './ip-checks.ts';
import { cidrWarnings, ipWarnings } from './ip-warnings.ts';
import { ip } from './shared-rules.ts';

const noIP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const noCIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

const addresses = [
  { value: '10.0.0.1', wrong: [], canonical: [] },
  { value: '010.0.0.1', wrong: ['must not have leading 0s'], canonical: ['must not have leading 0s'] },
  { value: '10.0.0', wrong: [noIP], canonical: [noIP] },
  { value: '0.0.0.0', wrong: [], canonical: [] },
  { value: '255.255.255.255', wrong: [], canonical: [] },
  { value: '256.0.0.1', wrong: [noIP], canonical: [noIP] },
  { value: '1.2.3.4.5', wrong: [noIP], canonical: [noIP] },
  { value: '1..3.4', wrong: [noIP], canonical: [noIP] },
  { value: '1.2.3.', wrong: [noIP], canonical: [noIP] },
  { value: 'fe80::1%eth0', wrong: [noIP], canonical: [noIP] },
  {
    value: '::ffff:1.2.3.4',
    wrong: ['must not be an IPv4-mapped IPv6 address'],
    canonical: ['must not be an IPv4-mapped IPv6 address'],
  },
  { value: '2001:DB8::1', wrong: [], canonical: ['must be in canonical form ("2001:db8::1")'] },
  { value: '2001:db8:0:0:1:0:0:1', wrong: [], canonical: ['must be in canonical form ("2001:db8::1:0:0:1")'] },
] as const;

for (const { value, wrong, canonical } of addresses) {
  test(`address ${value}`, () => {
    assert.deepEqual(checkIP(value), wrong);
    assert.deepEqual(checkCanonicalIP(value), canonical);
    assert.deepEqual(
      judgeAtOnce(
        keeping<string>((old) => [old], ip),
        value,
        value,
      ),
      [],
      'what was there before stays',
    );
  });
}

const ranges = [
  { value: '10.0.0.0/8', wrong: [], canonical: [] },
  { value: '10.0.0.1/8', wrong: ['must not have bits set beyond the prefix length'] },
  { value: '10.0.0.0/08', wrong: ['must not have leading 0s in IP or prefix length'] },
  { value: '10.0.0.0/33', wrong: [noCIDR] },
  { value: '0.0.0.0/0', wrong: [], canonical: [] },
  { value: '255.255.255.255/32', wrong: [], canonical: [] },
  { value: '128.0.0.0/0', wrong: ['must not have bits set beyond the prefix length'] },
  { value: '10.0.0.0/', wrong: [noCIDR] },
  { value: '10.0.0.0/8/8', wrong: [noCIDR] },
  { value: '10.0.0.0', wrong: [noCIDR] },
  { value: '2001:DB8::/32', wrong: [], canonical: ['must be in canonical form ("2001:db8::/32")'] },
  { value: '2001:db8::1/64', wrong: ['must not have bits set beyond the prefix length'] },
] as const;

for (const { value, wrong, ...rest } of ranges) {
  test(`range ${value}`, () => {
    assert.deepEqual(checkCIDR(value), wrong);
    assert.deepEqual(checkCanonicalCIDR(value), 'canonical' in rest ? rest.canonical : wrong);
  });
}

test('canonical forms', () => {
  assert.equal(canonicalIP('0:0:0:0:0:0:0:0'), '::');
  assert.equal(canonicalIP('1:0:0:2:0:0:0:3'), '1:0:0:2::3');
  assert.equal(canonicalIP('1:0:2:3:4:5:6:7'), '1:0:2:3:4:5:6:7');
});

test('families', () => {
  assert.deepEqual(['10.0.0.1/8', '2001:db8::/32', 'x', '10.0.0.0/99'].map(cidrFamily), [4, 6, undefined, undefined]);
});

test('ranges inside of others', () => {
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['10.1.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/8', '10.0.0.0/8', true],
    ['11.0.0.0/16', '10.0.0.0/8', true],
    ['2001:db8::/64', '10.0.0.0/8', true],
    ['192.168.0.0/16', '0.0.0.0/0', false],
    ['0.0.0.0/0', '0.0.0.0/0', true],
    ['010.1.0.0/16', '10.0.0.0/8', false],
    ['x', '10.0.0.0/8', false],
  ];
  for (const [inner, outer, outside] of rows) assert.equal(outsideOf(outer)(inner), outside, `${inner} in ${outer}`);
});

const warned = [
  { value: '10.0.0.1', warnings: [] },
  { value: '010.0.0.1', warnings: ['p: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"'] },
  { value: '::ffff:1.2.3.4', warnings: ['p: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"'] },
  { value: '2001:DB8::1', warnings: ['p: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")'] },
  { value: 'foo', warnings: [] },
];
for (const { value, warnings } of warned) test(`warnings of address ${value}`, () => assert.deepEqual(ipWarnings('p', value), warnings));

const warnedRanges = [
  { value: '10.0.0.0/8', warnings: [] },
  {
    value: '10.1.2.3/8',
    warnings: ['p: CIDR value "10.1.2.3/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.2.3/32"?)'],
  },
  { value: '010.0.0.0/8', warnings: ['p: non-standard CIDR value "010.0.0.0/8" is invalid: use "10.0.0.0/8"'] },
  {
    value: '2001:DB8::/64',
    warnings: ['p: IPv6 CIDR value "2001:DB8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")'],
  },
  {
    value: '2001:db8::5/64',
    warnings: ['p: CIDR value "2001:db8::5/64" is ambiguous in this context (should be "2001:db8::/64" or "2001:db8::5/128"?)'],
  },
];
for (const { value, warnings } of warnedRanges)
  test(`warnings of range ${value}`, () => assert.deepEqual(cidrWarnings('p', value), warnings));
