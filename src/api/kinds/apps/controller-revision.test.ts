/** ControllerRevision: what is filled in, and what is refused. */
import { testCells, testCreates } from '../cases.test.ts';

testCreates([
  { name: 'takes what is complete', given: { apiVersion: 'apps/v1', kind: 'ControllerRevision', revision: 1, data: { a: 'b' } } },
  {
    name: 'refuses revision and 1 more',
    given: { apiVersion: 'apps/v1', kind: 'ControllerRevision', revision: -1 },
    errors: ['revision: Invalid value: -1: must be greater than or equal to 0', 'data: Required value: data is mandatory'],
  },
]);

testCells([
  {
    name: 'shows daemonset.apps/x, 3, 27h',
    object: {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'x', uid: 'y', controller: true }],
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
      revision: 3,
    },
    cells: ['x', 'daemonset.apps/x', 3, '27h'],
  },
]);
