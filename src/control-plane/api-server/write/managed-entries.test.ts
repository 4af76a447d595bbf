/** That managers come back from entries as they went in, and that an entry is rendered when its fields are others, and only then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldSet } from '../../../api/apply/field-set.ts';
import { type Manager, managersByKey } from '../../../api/apply/managers.ts';
import { ManagedPart } from '../../store/managed-part.ts';
import { managersOf, renderPart } from './managed-entries.ts';

const [noon, later] = ['2026-01-02T12:00:00Z', '2026-01-02T12:00:01Z'];
const manager = (name: string, more: Partial<Manager> = {}): Manager => ({
  manager: name,
  operation: 'Update',
  apiVersion: 'v1',
  subresource: '',
  version: 'v1',
  fields: { 'f:data': { '.': {}, 'f:a': {} } },
  time: noon,
  ...more,
});
const entry = (name: string, time: string, fields: FieldSet = { 'f:data': { '.': {}, 'f:a': {} } }): string =>
  JSON.stringify({ manager: name, operation: 'Update', apiVersion: 'v1', time, fieldsType: 'FieldsV1', fieldsV1: fields });

const told: readonly { name: string; given: readonly Manager[] }[] = [
  { name: 'two who own the same', given: [manager('a'), manager('b')] },
  { name: 'one who wrote in two ways', given: [manager('a', { subresource: 'status' }), manager('a', { operation: 'Apply' })] },
  { name: 'one who wrote in two versions', given: [manager('a'), manager('a', { apiVersion: 'v2', version: 'v2' })] },
  { name: 'one without a time', given: [manager('a', { time: undefined })] },
  { name: 'times of other forms', given: [manager('a', { time: '2026-01-02T12:00:00.5Z' }), manager('b', { time: 'noon' })] },
  { name: 'a name with what separates entries', given: [manager('},{"m'), manager(',"time":"'), manager('ä')] },
  { name: 'fields with what separates entries', given: [manager('a', { fields: { 'f:},{': {}, 'k:{"a":"},{"}': {} } }), manager('b')] },
];
for (const { name, given } of told)
  test(`managers of entries: ${name}`, () => {
    const managers = managersByKey(given);
    const part = renderPart(managers);
    assert.deepEqual(managersOf(part), managers);
    assert.equal(renderPart(managersOf(part)), part);
    assert.equal(JSON.parse(String(part)).length, given.length);
  });

test('an entry that was read is not rendered again when only its time moves', () => {
  // Rendered, its fields would be in order.
  const fields = { 'f:b': {}, 'f:a': {} };
  const [a] = managersOf(ManagedPart.of(`[${entry('a', noon, fields)}]`)).values();
  assert.ok(a);
  assert.equal(String(renderPart(managersByKey([{ ...a, time: later }]))), `[${entry('a', later, fields)}]`);
  const renamed = renderPart(managersByKey([{ ...a, manager: 'b' }]));
  assert.equal(String(renamed), `[${entry('b', noon, { 'f:a': {}, 'f:b': {} })}]`);
});

test('who wrote a Scale has the entry of the object’s version', () => {
  const part = renderPart(managersByKey([manager('a', { apiVersion: 'autoscaling/v1', version: 'apps/v1' })]));
  const [read] = managersOf(part).values();
  assert.deepEqual([read?.apiVersion, read?.version], ['apps/v1', 'apps/v1']);
});

test('whatever is kept of them, more entries than that are read as they are', () => {
  const fields = { 'f:data': Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f:${i}`, {}])) };
  const parts = Array.from({ length: 300 }, (_, i) => ManagedPart.of(`[${entry(`m${i}`, noon, fields)}]`));
  for (const round of [0, 1, 2])
    for (const [i, part] of parts.entries())
      assert.deepEqual([...managersOf(part).values()], [manager(`m${i}`, { fields })], `round ${round}`);
});
