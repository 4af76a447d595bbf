/** DeviceClass: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  { name: 'takes what is complete', given: { apiVersion: 'resource.k8s.io/v1', kind: 'DeviceClass', spec: {} } },
  {
    name: 'refuses spec.selectors[0].cel',
    given: { apiVersion: 'resource.k8s.io/v1', kind: 'DeviceClass', spec: { selectors: [{}] } },
    errors: ['spec.selectors[0].cel: Required value'],
  },
]);
