import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from './template-hash.ts';

test('the hash depends on the content, not on the order of fields', () => {
  const hash = hashOf({ spec: { containers: [{ name: 'a', image: 'b' }] } });
  assert.equal(hash, 'b778769f');
  assert.equal(hashOf({ spec: { containers: [{ image: 'b', name: 'a' }], volumes: undefined } }), hash);
  assert.notEqual(hashOf({ spec: { containers: [{ name: 'a', image: 'c' }] } }), hash);
  assert.notEqual(hashOf({ spec: { containers: [{ name: 'a', image: 'b' }] } }, 0), hash);
});
