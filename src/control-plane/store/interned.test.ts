/** That equal bytes become one, which is not the writer's, and that the table holds nothing alive. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { interned } from './interned.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

it('equal bytes are the same bytes; what its writer does to his own changes nothing', () => {
  const given = bytes('rye');
  const kept = interned(given);
  given.fill(0);
  assert.deepEqual(kept, bytes('rye'));
  assert.equal(interned(Buffer.from('rye')), kept);
  assert.notEqual(interned(bytes('oat')), kept);
});

it('whatever shares a slot, what comes back is equal to what was given', () => {
  for (let i = 0; i < 20_000; i++) {
    const given = bytes(`part ${i % 9000}`);
    assert.deepEqual(interned(given), given);
  }
});
