/** That the part of a new object is the same, whether or not one like it was made before. Which fields those are is in api/apply. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManagerName } from '../../../api/apply/managers.ts';
import { builtInKinds } from '../../../api/kinds/all.ts';
import { withDefaults } from '../../../api/kinds/write-steps.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { takeSteps } from '../../../api/meta/steps.ts';
import { ownMade } from './own.ts';

type Json = Readonly<Record<string, unknown>>;

const kindOf = (wanted: string): Kind => {
  const kind = builtInKinds.find(({ kind: name, version }) => name === wanted && version === 'v1');
  assert.ok(kind);
  return kind;
};

const pod = (name: string, spec: Json = {}, metadata: Json = {}): Json => ({
  metadata: { name, labels: { app: name }, ...metadata },
  spec: { containers: [{ name: 'c', image: name, ports: [{ containerPort: 80 }] }], ...spec },
});
const by: ManagerName = { manager: 'a', operation: 'Update', apiVersion: 'v1', subresource: '' };
/** `asBefore`: its fields are those of an object before it, which is made at another time. */
const rows: readonly { name: string; kind: string; object: Json; by?: Partial<ManagerName>; asBefore?: boolean }[] = [
  { name: 'a pod', kind: 'Pod', object: pod('a') },
  { name: 'one like it', kind: 'Pod', object: pod('b'), asBefore: true },
  { name: 'with another label', kind: 'Pod', object: pod('c', {}, { labels: { tier: 'x' } }) },
  { name: 'with another container', kind: 'Pod', object: pod('d', { containers: [{ name: 'd', image: 'x' }] }) },
  { name: 'by another', kind: 'Pod', object: pod('a'), by: { manager: 'b' } },
  { name: 'by another, one like it', kind: 'Pod', object: pod('b'), by: { manager: 'b' }, asBefore: true },
  { name: 'one like the first', kind: 'Pod', object: pod('e'), asBefore: true },
  { name: 'of a fifth sort', kind: 'Pod', object: pod('f', { hostname: 'x' }) },
  { name: 'with a generated name', kind: 'Pod', object: pod('g', {}, { name: undefined, generateName: 'g-' }) },
  { name: 'a map of one key', kind: 'ConfigMap', object: { metadata: { name: 'a' }, data: { a: '1' } } },
  { name: 'a map of another key', kind: 'ConfigMap', object: { metadata: { name: 'a' }, data: { b: '1' } } },
  { name: 'a map of no keys', kind: 'ConfigMap', object: { metadata: { name: 'a' }, data: {} } },
  { name: 'a map of the first key', kind: 'ConfigMap', object: { metadata: { name: 'a' }, data: { a: '2' } }, asBefore: true },
];

test('the part of a new object is as if it were the first of its kind', () => {
  const seen = new Set<string>();
  for (const [i, { name, kind: kindName, object: given, by: more, asBefore = false }] of rows.entries()) {
    const kind = kindOf(kindName);
    const named = { kind: kindName, apiVersion: 'v1', ...given } as KubeObject;
    const write = { by: { ...by, ...more }, object: takeSteps(withDefaults(kind, named)) };
    const clock = { now: () => i * 1000 };
    const part = String(takeSteps(ownMade(clock, { kind, ...write })));
    assert.equal(part, String(takeSteps(ownMade(clock, { kind: { ...kind }, ...write }))), name);
    const timeless = `${kindName} ${part.replace(/"time":"[^"]*"/, '')}`;
    assert.equal(seen.has(timeless), asBefore, name);
    seen.add(timeless);
  }
});
