import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import { seededTokenKey, signES256 } from './seeded-keys.ts';

test('a signature with a seeded key is one that others verify, and the same every time', () => {
  for (let seed = 0; seed < 50; seed++) {
    const key = seededTokenKey(seed);
    const data = Buffer.from(`message ${seed}`);
    const signature = signES256(key, data);
    assert.ok(verify('sha256', data, { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' }, signature), `seed ${seed}`);
    assert.deepEqual(signES256(seededTokenKey(seed), data), signature);
    assert.notDeepEqual(signES256(seededTokenKey(seed + 1), data), signature);
  }
});
