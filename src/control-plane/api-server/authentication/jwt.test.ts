import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { publicKeyPem } from '../../pki/authority.ts';
import { createServiceAccountKeyPem, loadServiceAccountKeys } from '../../pki/service-account-key.ts';
import { isSignedBy, parseJWT, signJWT } from './jwt.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs1' }).toString();
const claims = { iss: 'https://me', sub: 'you', aud: ['a'] };

for (const [name, pem] of [
  ['ES256', createServiceAccountKeyPem()],
  ['RS256', rsa],
] as const) {
  test(`tokens signed with ${name} are verified by others, and only by the key`, async () => {
    const keys = loadServiceAccountKeys(pem);
    const token = signJWT(keys, claims);
    assert.deepEqual(parseJWT(token), claims);
    assert.ok(isSignedBy(keys, token));
    const jwk = { ...keys.verifying.get(keys.signing.id)?.key.export({ format: 'jwk' }), kid: keys.signing.id, alg: name };
    assert.equal((await jwtVerify(token, createLocalJWKSet({ keys: [jwk] as never }))).payload.sub, 'you');
    assert.equal(isSignedBy(loadServiceAccountKeys(createServiceAccountKeyPem()), token), false);
    const after = loadServiceAccountKeys(createServiceAccountKeyPem(), { olderPublicPems: [publicKeyPem(pem)] });
    assert.ok(isSignedBy(after, token), 'an older key still verifies');
    const [header, , signature] = token.split('.');
    const forged = `${header}.${Buffer.from(JSON.stringify({ ...claims, sub: 'me' })).toString('base64url')}.${signature}`;
    assert.equal(isSignedBy(keys, forged), false);
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`;
    assert.equal(isSignedBy(keys, none), false);
  });
}

test('a header or an alphabet that is not meant is no signature', () => {
  const pem = createServiceAccountKeyPem();
  const keys = loadServiceAccountKeys(pem);
  const token = signJWT(keys, claims);
  const [head = '', body = '', tail = ''] = token.split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object;
  const signedWith = (more: object): string => {
    const signed = `${Buffer.from(JSON.stringify({ ...header, ...more })).toString('base64url')}.${body}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), { key: pem, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
  assert.ok(isSignedBy(keys, signedWith({})));
  for (const [name, given] of [
    ['a key id that is no text', signedWith({ kid: 5 })],
    ['an extension that has to be understood', signedWith({ crit: ['b64'], b64: false })],
    ['an algorithm in a list', signedWith({ alg: ['ES256'] })],
    ['a signature in the other alphabet', `${head}.${body}.${tail}==`],
    ['a signature with something behind it', `${token}!`],
    ['a part too many', `${token}.`],
    ['no signature', `${head}.${body}.`],
    ['a header that is null', `${Buffer.from('null').toString('base64url')}.${body}.${tail}`],
  ] as const) {
    assert.equal(isSignedBy(keys, given), false, name);
  }
  assert.equal(parseJWT(`${head}.${body}=.${tail}`), undefined);
  assert.equal(parseJWT(`${head}.${Buffer.from('{"exp":"never"}').toString('base64url')}.${tail}`), undefined);
});
