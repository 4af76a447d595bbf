/** CSINode: what is filled in, and what is refused. */
import { testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'takes what is complete',
    given: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      spec: { drivers: [{ name: 'a', nodeID: 'b', allocatable: { count: 5 }, topologyKeys: ['x/y'] }] },
    },
  },
  { name: 'takes what is complete (2)', given: { apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', spec: { drivers: [] } } },
  {
    name: 'refuses spec.drivers[0].name and 4 more',
    given: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      spec: {
        drivers: [
          { name: '', nodeID: '', allocatable: { count: -5 }, topologyKeys: ['x y', '', 'x', 'x'] },
          { name: 'a', nodeID: 'b' },
          { name: 'a', nodeID: 'b' },
        ],
      },
    },
    errors: [
      'spec.drivers[0].name: Required value',
      'spec.drivers[0].nodeID: Required value',
      'spec.drivers[0].allocatable.count: Invalid value: -5: must be greater than or equal to 0',
      "spec.drivers[0]: Invalid value: \"x y\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.drivers[0]: Required value',
      'spec.drivers[0]: Invalid value: "": name part must be non-empty',
      "spec.drivers[0]: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.drivers[0]: Duplicate value: "x"',
      'spec.drivers[2].name: Duplicate value: "a"',
    ],
  },
]);

testUpdates({ apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', spec: { drivers: [{ name: 'a', nodeID: 'b' }] } }, [
  {
    name: 'update: refuses spec.drivers',
    change: { spec: { drivers: [{ name: 'a', nodeID: 'c' }] } },
    errors: ['spec.drivers: Invalid value: {"Name":"a","NodeID":"c","TopologyKeys":null,"Allocatable":null}: field is immutable'],
  },
  { name: 'update: takes spec.drivers', change: { spec: { drivers: [{ name: 'a', nodeID: 'b', allocatable: { count: 4 } }] } } },
]);
