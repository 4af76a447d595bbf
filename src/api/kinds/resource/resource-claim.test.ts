/** ResourceClaim: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.devices.requests[0].exactly.allocationMode, spec.devices.requests[0].exactly.count and 1 more',
    given: {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaim',
      spec: { devices: { requests: [{ name: 'a', exactly: { deviceClassName: 'x' } }] } },
    },
    has: { 'spec.devices.requests[0].exactly.allocationMode': 'ExactCount', 'spec.devices.requests[0].exactly.count': 1, status: {} },
  },
  {
    name: 'fills in spec.devices.requests[0].firstAvailable[0].allocationMode, spec.devices.requests[0].firstAvailable[0].count and 1 more',
    given: {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaim',
      spec: {
        devices: {
          requests: [
            {
              name: 'a',
              firstAvailable: [
                { name: 'b', deviceClassName: 'x' },
                { name: 'c', deviceClassName: 'x', allocationMode: 'All' },
              ],
            },
          ],
        },
      },
    },
    has: {
      'spec.devices.requests[0].firstAvailable[0].allocationMode': 'ExactCount',
      'spec.devices.requests[0].firstAvailable[0].count': 1,
      status: {},
    },
  },
  { name: 'fills in status', given: { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', spec: {} }, has: { status: {} } },
  {
    name: 'asks for one device in the oldest version too',
    given: {
      apiVersion: 'resource.k8s.io/v1beta1',
      kind: 'ResourceClaim',
      spec: { devices: { requests: [{ name: 'r', deviceClassName: 'c' }] } },
    },
    has: { 'spec.devices.requests[0].allocationMode': 'ExactCount', 'spec.devices.requests[0].count': 1 },
  },
  {
    name: 'refuses spec.devices.requests[0].name and 9 more',
    given: {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaim',
      spec: {
        devices: {
          requests: [
            { name: 'A' },
            { name: 'a', exactly: { deviceClassName: '', allocationMode: 'Foo' } },
            { name: 'a', exactly: { deviceClassName: 'A b', count: -1 } },
            { name: 'b', exactly: { deviceClassName: 'a', allocationMode: 'All', count: 3, selectors: [{}] } },
            { name: 'c', exactly: { deviceClassName: 'a' }, firstAvailable: [{ name: 'a', deviceClassName: 'b' }] },
          ],
        },
      },
    },
    errors: [
      "spec.devices.requests[0].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      'spec.devices.requests[2]: Duplicate value: "a"',
      'spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required',
      'spec.devices.requests[1].exactly.deviceClassName: Required value',
      'spec.devices.requests[1].exactly.allocationMode: Unsupported value: "Foo": supported values: "All", "ExactCount"',
      "spec.devices.requests[2].exactly.deviceClassName: Invalid value: \"A b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.devices.requests[2].exactly.count: Invalid value: -1: must be greater than zero',
      'spec.devices.requests[3].exactly.selectors[0].cel: Required value',
      "spec.devices.requests[3].exactly.count: Invalid value: 3: must not be specified when allocationMode is 'All'",
      'spec.devices.requests[4]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set',
    ],
  },
]);
