import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { EndpointPort, EndpointSubset } from '../../../api/generated/core-v1.ts';
import type { EndpointSlice, Endpoints } from '../../../api/generated/kinds.ts';
import { planMirror } from './endpoint-slice-mirroring.ts';

const metadata = { name: 'db', namespace: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const endpoints = (subsets: readonly EndpointSubset[]): Endpoints => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { ...metadata, labels: { app: 'db' }, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'x' } },
  subsets,
});
const port = (number: number): EndpointPort => ({ port: number, protocol: 'TCP' });

/** What the plan makes of nothing, as if it had been written. */
function written(subsets: readonly EndpointSubset[]): EndpointSlice[] {
  return planMirror(endpoints(subsets), []).create.map((slice, i) => ({
    ...slice,
    metadata: { ...metadata, ...slice.metadata, name: `db-${i}` },
  })) as EndpointSlice[];
}

const one: readonly EndpointSubset[] = [{ addresses: [{ ip: '10.1.2.3' }], ports: [port(80)] }];
const other: readonly EndpointSubset[] = [{ addresses: [{ ip: '10.1.2.3' }], ports: [port(81)] }];
const two: readonly EndpointSubset[] = [
  { addresses: [{ ip: '10.1.2.3' }, { ip: 'fd00::1' }], notReadyAddresses: [{ ip: '10.1.2.4' }], ports: [port(80)] },
];
const many: readonly EndpointSubset[] = [
  { addresses: Array.from({ length: 1001 }, (_, i) => ({ ip: `10.1.${i >> 8}.${i & 255}` })), ports: [port(80)] },
];

const cases: readonly { name: string; given: [readonly EndpointSubset[], readonly EndpointSlice[]]; want: Record<string, number> }[] = [
  { name: 'new', given: [one, []], want: { create: 1 } },
  { name: 'a slice for each family', given: [two, []], want: { create: 2 } },
  { name: 'nothing changed', given: [two, written(two)], want: {} },
  { name: 'an address more', given: [two, written(one)], want: { create: 1, update: 1 } },
  { name: 'an address less', given: [one, written(two)], want: { update: 1, remove: 1 } },
  { name: 'other ports take up the old slice', given: [other, written(one)], want: { update: 1 } },
  { name: 'emptied', given: [[], written(two)], want: { remove: 2 } },
  { name: 'no address', given: [[{ addresses: [{ ip: 'db.example' }] }], []], want: { invalid: 1 } },
  { name: 'more than a slice takes', given: [many, []], want: { create: 1, skipped: 1 } },
];

suite('mirrored Endpoints', () => {
  for (const { name, given, want } of cases) {
    test(name, () => {
      const { create, update, remove, invalid, skipped } = planMirror(endpoints(given[0]), given[1]);
      const counts = { create: create.length, update: update.length, remove: remove.length, invalid, skipped };
      assert.deepEqual(counts, { create: 0, update: 0, remove: 0, invalid: 0, skipped: 0, ...want });
    });
  }

  test('what a slice carries', () => {
    const [slice] = written(two);
    assert.deepEqual(slice?.metadata.labels, {
      app: 'db',
      'kubernetes.io/service-name': 'db',
      'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
    });
    assert.deepEqual(slice?.metadata.annotations, { note: 'x' });
    assert.deepEqual(slice?.endpoints, [
      { addresses: ['10.1.2.3'], conditions: { ready: true } },
      { addresses: ['10.1.2.4'], conditions: { ready: false } },
    ]);
  });
});
