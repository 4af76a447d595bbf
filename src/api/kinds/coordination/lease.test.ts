/** Lease: what is filled in, and what is refused. */
import { testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'takes what is complete',
    given: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: { holderIdentity: 'x', leaseDurationSeconds: 3 } },
  },
  {
    name: 'refuses spec.leaseDurationSeconds and 1 more',
    given: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      spec: { holderIdentity: 'x', leaseDurationSeconds: 0, leaseTransitions: -1, strategy: 'foo', preferredHolder: 'x' },
    },
    errors: [
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
    ],
  },
  { name: 'fills in spec', given: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: { strategy: 'a/b c' } }, has: { spec: {} } },
  {
    name: 'fills in spec (2)',
    given: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: { preferredHolder: 'x' } },
    has: { spec: {} },
  },
]);

testUpdates({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: { holderIdentity: 'a' } }, [
  { name: 'update: takes spec.strategy', change: { spec: { strategy: 'OldestEmulationVersion' } } },
  {
    name: 'update: refuses spec.leaseDurationSeconds',
    change: { spec: { leaseDurationSeconds: -1 } },
    errors: ['spec.leaseDurationSeconds: Invalid value: -1: must be greater than 0'],
  },
]);
