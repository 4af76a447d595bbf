/** DeviceClass: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'what only the tags of its types say',
    given: {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'DeviceClass',
      spec: {
        extendedResourceName: 'a',
        config: Array.from({ length: 33 }, () => ({ opaque: { driver: 'a', parameters: {} } })),
      },
    },
    errors: [
      'spec.config: Too many: 33: must have at most 32 items',
      'spec.extendedResourceName: Invalid value: "a": must be a valid extended resource name',
    ],
  },
  { name: 'takes what is complete', given: { apiVersion: 'resource.k8s.io/v1', kind: 'DeviceClass', spec: {} } },
  {
    name: 'refuses spec.selectors[0].cel',
    given: { apiVersion: 'resource.k8s.io/v1', kind: 'DeviceClass', spec: { selectors: [{}] } },
    errors: ['spec.selectors[0].cel: Required value'],
  },
]);
