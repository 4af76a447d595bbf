import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kind } from '../meta/kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { wholeObject } from './update-strategy.ts';

const widget = { typeName: '', subresources: { status: {} }, hooks: {}, hasGeneration: true } as unknown as Kind;

const rows: readonly {
  readonly name: string;
  readonly kind?: Kind;
  readonly old: object;
  readonly now: object;
  readonly counts: boolean;
}[] = [
  { name: 'a spec that stays', old: { spec: { a: 1 } }, now: { spec: { a: 1 } }, counts: false },
  { name: 'a spec that changes', old: { spec: { a: 1 } }, now: { spec: { a: 2 } }, counts: true },
  { name: 'an empty object in place of none', old: { spec: { a: 1 } }, now: { spec: { a: 1, b: {} } }, counts: true },
  { name: 'another field', old: { spec: {} }, now: { spec: {}, data: {} }, counts: true },
  { name: 'a status that has a part of its own', old: { status: { a: 1 } }, now: { status: { a: 2 } }, counts: false },
  {
    name: 'a status that has none',
    kind: { ...widget, subresources: {} },
    old: { status: { a: 1 } },
    now: { status: { a: 2 } },
    counts: true,
  },
];

for (const { name, kind = widget, old, now, counts } of rows) {
  test(`of a custom resource, generation ${counts ? 'counts' : 'does not count'} ${name}`, () => {
    const whole = (fields: object): KubeObject => ({
      apiVersion: 'a/v1',
      kind: 'Widget',
      metadata: { name: 'x', generation: 4 },
      ...fields,
    });
    assert.equal(wholeObject.join(whole(now), whole(old), kind, { nowMs: 0 }).metadata.generation, counts ? 5 : 4);
  });
}
