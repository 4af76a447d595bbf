import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customDisplay } from './custom-columns.ts';

const columns = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `c${i}`, type: 'string', jsonPath: '.spec.size' }));
const object = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec: { size: 'xl' } };
const cellsOf = (count: number) => customDisplay(columns(count)).cells(object, { nowMs: 0 });

test('a custom resource is shown in its columns, unless their paths are too long together to be read', () => {
  assert.deepEqual(cellsOf(2), ['w', 'xl', 'xl']);
  assert.deepEqual(cellsOf(100_000), ['w']);
});
