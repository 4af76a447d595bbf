import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type JWTClaims, readClaims, readKubernetesClaim } from './token-claims.ts';

const wrongTypes: Readonly<Record<string, readonly unknown[]>> = {
  iss: [1, {}, ['a'], true],
  sub: [1, {}, [], false],
  aud: [1, {}, [1], [['a']], { a: 'b' }, true, [null]],
  exp: ['1', {}, [], true, Number.POSITIVE_INFINITY, '2027-01-01T00:00:00Z'],
  nbf: ['1', {}, [], true, Number.NaN],
  iat: ['1', {}, [], true],
  jti: [1, {}, []],
};

describe('registered claims', () => {
  it('are taken as they are', () => {
    const claims = { iss: 'i', sub: 's', aud: ['a'], exp: 2.5, nbf: 1, iat: 0, jti: 'j', other: { a: 1 } };
    assert.deepEqual(readClaims(claims), claims);
    assert.deepEqual(readClaims({ aud: 'a' }), { aud: 'a' });
  });
  it('that are null are absent', () => assert.deepEqual(readClaims({ exp: null, iss: 'i' }), { iss: 'i' }));
  for (const [name, values] of Object.entries(wrongTypes)) {
    for (const value of values) {
      it(`${name}: ${JSON.stringify(value)} is none`, () => assert.equal(readClaims({ iss: 'i', [name]: value }), undefined));
    }
  }
  for (const value of [null, 1, 'x', [], true]) {
    it(`${JSON.stringify(value)} has none`, () => assert.equal(readClaims(value), undefined));
  }
});

const account = { name: 'a', uid: 'u' };
const old = (more: object): JWTClaims => ({
  iss: 'kubernetes/serviceaccount',
  'kubernetes.io/serviceaccount/namespace': 'n',
  'kubernetes.io/serviceaccount/secret.name': 's',
  'kubernetes.io/serviceaccount/service-account.name': 'a',
  'kubernetes.io/serviceaccount/service-account.uid': 'u',
  ...more,
});
const rows: readonly { name: string; given: JWTClaims; isRead: boolean }[] = [
  { name: 'an account', given: { 'kubernetes.io': { namespace: 'n', serviceaccount: account } }, isRead: true },
  {
    name: 'an account and its pod',
    given: { 'kubernetes.io': { namespace: 'n', serviceaccount: account, pod: { name: 'p' } } },
    isRead: true,
  },
  { name: 'the token of a Secret', given: old({}), isRead: true },
  { name: 'nothing', given: {}, isRead: false },
  { name: 'no namespace', given: { 'kubernetes.io': { serviceaccount: account } }, isRead: false },
  { name: 'no account', given: { 'kubernetes.io': { namespace: 'n' } }, isRead: false },
  { name: 'a claim that is text', given: { 'kubernetes.io': 'n' }, isRead: false },
  { name: 'a claim that is a list', given: { 'kubernetes.io': [] }, isRead: false },
  { name: 'a namespace that is a list', given: { 'kubernetes.io': { namespace: ['n'], serviceaccount: account } }, isRead: false },
  { name: 'an account that is text', given: { 'kubernetes.io': { namespace: 'n', serviceaccount: 'a' } }, isRead: false },
  { name: 'a name that is an object', given: { 'kubernetes.io': { namespace: 'n', serviceaccount: { name: {} } } }, isRead: false },
  { name: 'a uid that is a number', given: { 'kubernetes.io': { namespace: 'n', serviceaccount: { name: 'a', uid: 1 } } }, isRead: false },
  { name: 'a pod that is text', given: { 'kubernetes.io': { namespace: 'n', serviceaccount: account, pod: 'p' } }, isRead: false },
  { name: 'a node that is a list', given: { 'kubernetes.io': { namespace: 'n', serviceaccount: account, node: [] } }, isRead: false },
  { name: 'a time that is text', given: { 'kubernetes.io': { namespace: 'n', serviceaccount: account, warnafter: '1' } }, isRead: false },
  { name: "a Secret's token whose namespace is an object", given: old({ 'kubernetes.io/serviceaccount/namespace': {} }), isRead: false },
  {
    name: "a Secret's token whose account is a list",
    given: old({ 'kubernetes.io/serviceaccount/service-account.name': ['a'] }),
    isRead: false,
  },
];
describe('what a token says of its account', () => {
  for (const { name, given, isRead } of rows) {
    it(`${isRead ? 'reads' : 'refuses'} ${name}`, () => assert.equal(readKubernetesClaim(given) !== undefined, isRead));
  }
});
