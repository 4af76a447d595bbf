/** That a part has the bytes that were given, and that equal parts and equal entries are the same in memory. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { ManagedPart } from './managed-part.ts';

const entry = (manager: string): string => JSON.stringify({ manager, fieldsV1: { 'k:{"a":"},{"}': {} } });

it('equal parts are one, and not the writer’s bytes', () => {
  const text = `[${entry('baker')},${entry('miller')}]`;
  const given = Buffer.from(text);
  const part = ManagedPart.of(given);
  given.fill(0);
  assert.equal(String(part), text);
  assert.equal(ManagedPart.of(text), part);
  assert.notEqual(ManagedPart.of(`[${entry('baker')}]`), part);
});

it('for any text: its bytes are those that were given', () => {
  const word = fc.oneof(fc.string(), fc.constantFrom('},{"', '},{', '"', '[', ']', 'ä', entry('x')));
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const text = words.join('');
      const part = ManagedPart.of(text);
      assert.equal(String(part), Buffer.from(text).toString());
      assert.equal(part.byteLength, Buffer.byteLength(text));
      const target = Buffer.alloc(part.byteLength + 2);
      assert.equal(part.writeTo(target, 1), part.byteLength + 1);
      assert.equal(target.toString('utf8', 1, part.byteLength + 1), String(part));
    }),
  );
});

it('whatever shares a slot, what comes back is equal to what was given', () => {
  for (let i = 0; i < 5000; i++) assert.equal(String(ManagedPart.of(`[${entry(`m${i % 3000}`)}]`)), `[${entry(`m${i % 3000}`)}]`);
});
