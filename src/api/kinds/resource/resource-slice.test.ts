/** ResourceSlice: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.pool.generation',
    given: {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceSlice',
      spec: { driver: 'a.b', nodeName: 'x', pool: { name: 'x', resourceSliceCount: 1 }, devices: [{ name: 'a' }] },
    },
    has: { 'spec.pool.generation': 0 },
  },
  {
    name: 'refuses spec.driver and 8 more',
    given: {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceSlice',
      spec: {
        driver: 'a b',
        nodeName: '',
        pool: { name: 'A/b', generation: -1 },
        allNodes: false,
        devices: [{ name: 'A' }, { name: 'a' }, { name: 'a' }],
      },
    },
    errors: [
      "spec.driver: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      "spec.pool.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
      'spec.pool.generation: Invalid value: -1: must be greater than or equal to zero',
      'spec.nodeName: Invalid value: "": must be either unset or set to a non-empty string',
      'spec.allNodes: Invalid value: false: must be either unset or set to true',
      'spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
      "spec.devices[0].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      'spec.devices[2]: Duplicate value: "a"',
    ],
  },
  {
    name: 'refuses spec.driver and 4 more',
    given: {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceSlice',
      spec: { nodeName: 'x', allNodes: true, nodeSelector: { nodeSelectorTerms: [] } },
    },
    errors: [
      'spec.driver: Required value',
      'spec.pool.name: Required value',
      'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
      'spec.nodeSelector.nodeSelectorTerms: Required value: must have at least one node selector term',
      'spec.nodeSelector.nodeSelectorTerms: Invalid value: []: must have exactly one node selector term',
      'spec: Invalid value: "{`nodeName`, `nodeSelector`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
    ],
  },
  {
    name: 'refuses spec.driver and 3 more',
    given: { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceSlice', spec: {} },
    errors: [
      'spec.driver: Required value',
      'spec.pool.name: Required value',
      'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
      'spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
    ],
  },
]);
