import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManagedFieldsEntry } from '../generated/meta-v1.ts';
import { takeSteps } from '../meta/steps.ts';
import { capManagers, inOrder, type Manager, type Managers, managersByKey, parseManagers, readManager, renderManager } from './managers.ts';

const at = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`;
const manager = (name: string, second: number, field = name, version = 'v1'): Manager => ({
  manager: name,
  operation: 'Update',
  apiVersion: version,
  subresource: '',
  version,
  fields: { [`f:${field}`]: {} },
  time: at(second),
});
const managersOf = (...all: readonly Manager[]): Managers => managersByKey(all);
const numbered = (count: number, more: Partial<Manager> = {}): Manager[] =>
  Array.from({ length: count }, (_, i) => ({ ...manager(`m${String(i).padStart(2, '0')}`, i), ...more }));
const describe = (managers: Managers): string[] =>
  [...managers.values()].map(({ manager: name, fields }) => `${name} ${Object.keys(fields)}`);

const capped: readonly { name: string; given: Managers; want: readonly string[] }[] = [
  { name: 'ten stay apart', given: managersOf(...numbered(10)), want: describe(managersOf(...numbered(10))) },
  {
    name: 'of twelve the oldest three are one',
    given: managersOf(...numbered(12)),
    want: [...describe(managersOf(...numbered(12).slice(3))), 'ancient-changes f:m02,f:m01,f:m00'],
  },
  {
    name: 'what was joined before takes the next, and is never lost, whenever it was written',
    given: managersOf(...numbered(10), manager('ancient-changes', 5, 'old')),
    want: [...describe(managersOf(manager('m00', 0), ...numbered(10).slice(2))), 'ancient-changes f:m01,f:old'],
  },
  {
    name: 'another version has its own',
    given: managersOf(...numbered(10), manager('other', 0, 'o', 'v2'), manager('another', 0, 'a', 'v2')),
    want: [...describe(managersOf(...numbered(10).slice(2))), 'ancient-changes f:o,f:a', 'ancient-changes f:m01,f:m00'],
  },
  {
    name: 'who applies is not counted',
    given: managersOf(...numbered(12, { operation: 'Apply' })),
    want: describe(managersOf(...numbered(12))),
  },
];
for (const { name, given, want } of capped)
  test(`managers: ${name}`, () => assert.deepEqual(describe(capManagers(given)).toSorted(), want.toSorted()));

test('managers are told by what they do, when, and who', () => {
  const rows: readonly Manager[] = [
    manager('c', 0),
    { ...manager('b', 1), subresource: 'status' },
    manager('b', 1),
    { ...manager('a', 1), time: undefined },
    { ...manager('z', 9), operation: 'Apply' },
  ];
  const render = (rendered: Manager): ManagedFieldsEntry => takeSteps(renderManager(rendered));
  const entries = inOrder(managersOf(...rows)).map(render);
  assert.deepEqual(
    entries.map((entry) => [entry.operation, entry.manager, entry.subresource ?? '', entry.time ?? '']),
    [
      ['Apply', 'z', '', at(9)],
      ['Update', 'a', '', ''],
      ['Update', 'c', '', at(0)],
      ['Update', 'b', '', at(1)],
      ['Update', 'b', 'status', at(1)],
    ],
  );
  assert.deepEqual(Object.keys(entries[4] ?? {}), ['manager', 'operation', 'apiVersion', 'time', 'fieldsType', 'fieldsV1', 'subresource']);
  assert.deepEqual(entries.map(readManager).map(render), entries);
});

const entry = { manager: 'm', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:a': {} } };
const refused = [
  { given: { ...entry, operation: 'Own' }, why: 'operation must be `Apply` or `Update`' },
  { given: { ...entry, apiVersion: '' }, why: 'apiVersion must not be empty' },
  { given: { ...entry, fieldsType: '' }, why: 'missing fieldsType in managed fields entry 0' },
  { given: { ...entry, fieldsType: 'FieldsV2' }, why: 'invalid fieldsType "FieldsV2" in managed fields entry 0' },
  { given: { ...entry, fieldsV1: { a: {} } }, why: 'key must be 2 characters long:' },
];
for (const { given, why } of refused)
  test(`managers of a client: ${why}`, () => assert.throws(() => parseManagers([given]), { message: why }));
