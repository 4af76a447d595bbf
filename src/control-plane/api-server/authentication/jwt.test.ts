import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
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
    const after = loadServiceAccountKeys(createServiceAccountKeyPem(), [publicKeyPem(pem)]);
    assert.ok(isSignedBy(after, token), 'an older key still verifies');
    const [header, , signature] = token.split('.');
    const forged = `${header}.${Buffer.from(JSON.stringify({ ...claims, sub: 'me' })).toString('base64url')}.${signature}`;
    assert.equal(isSignedBy(keys, forged), false);
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`;
    assert.equal(isSignedBy(keys, none), false);
  });
}
