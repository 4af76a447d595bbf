/** ResourceClaimTemplate: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.metadata, spec.spec.devices.requests[0].exactly.allocationMode and 1 more',
    given: {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaimTemplate',
      spec: { spec: { devices: { requests: [{ name: 'a', exactly: { deviceClassName: 'x' } }] } } },
    },
    has: {
      'spec.metadata': {},
      'spec.spec.devices.requests[0].exactly.allocationMode': 'ExactCount',
      'spec.spec.devices.requests[0].exactly.count': 1,
    },
  },
]);
