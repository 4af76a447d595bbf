/** That a part has the bytes that were given, and that equal parts and equal entries are the same in memory. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { ManagedPart } from './managed-part.ts';

const entry = (manager: string, time?: string): string =>
  JSON.stringify({ manager, time, fieldsType: 'FieldsV1', fieldsV1: { 'f:},{': { 'k:{"a":"},{"}': {} } } });
const [noon, later] = ['2026-01-02T12:00:00Z', '2026-01-02T12:00:01Z'];

it('equal parts are one, and not the writer’s bytes', () => {
  const text = `[${entry('baker')},${entry('miller')}]`;
  const given = Buffer.from(text);
  const part = ManagedPart.of(given);
  given.fill(0);
  assert.equal(String(part), text);
  assert.equal(ManagedPart.of(text), part);
  assert.notEqual(ManagedPart.of(`[${entry('baker')}]`), part);
});

it('entries are the items of the list; those that differ in their times alone have their bytes in common', () => {
  const [first, second] = ManagedPart.of(`[${entry('baker', noon)},${entry('miller', later)}]`).entries;
  const [other] = ManagedPart.of(`[${entry('baker', later)}]`).entries;
  assert.deepEqual([first?.time, second?.time, other?.time], [noon, later, later]);
  assert.equal(Buffer.from(second?.bytes ?? []).toString(), entry('miller'));
  assert.equal(first?.bytes, other?.bytes);
  const moved = first && second && ManagedPart.ofEntries([{ ...first, time: later }, second]);
  assert.equal(String(moved), `[${entry('baker', later)},${entry('miller', later)}]`);
  assert.equal(ManagedPart.of(String(moved)), moved);
});

it('a time of another form stays where it is', () => {
  for (const given of [
    entry('a', '2026-01-02T12:00:00.5Z'),
    entry('a', '2026-01-02t12:00:00Z'),
    `{"time":"${noon}","fieldsType":"FieldsV1"}`,
  ]) {
    const part = ManagedPart.of(`[${given}]`);
    assert.deepEqual([String(part), part.entries[0]?.time], [`[${given}]`, undefined]);
  }
});

it('for any text: its bytes are those that were given', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('},{"', '},{', '"', '[', ']', 'ä', entry('x'), entry('ä', noon), `,"time":"${noon}"`, ',"fieldsType":'),
  );
  fc.assert(
    fc.property(fc.array(word), fc.boolean(), (words, isList) => {
      const text = isList ? `[${words.join('')}]` : words.join('');
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
