/** CSIDriver: what is filled in, and what is refused. */
import { testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.attachRequired, spec.podInfoOnMount and 5 more',
    given: { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', spec: {} },
    has: {
      'spec.attachRequired': true,
      'spec.podInfoOnMount': false,
      'spec.volumeLifecycleModes': ['Persistent'],
      'spec.storageCapacity': false,
      'spec.fsGroupPolicy': 'ReadWriteOnceWithFSType',
      'spec.requiresRepublish': false,
      'spec.seLinuxMount': false,
    },
  },
  {
    name: 'fills in spec.attachRequired, spec.podInfoOnMount and 5 more (2)',
    given: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      spec: {
        tokenRequests: [{ audience: 'a' }, { audience: '' }],
        preventPodSchedulingIfMissing: true,
        serviceAccountTokenInSecrets: true,
        nodeAllocatableUpdatePeriodSeconds: 20,
      },
    },
    has: {
      'spec.attachRequired': true,
      'spec.podInfoOnMount': false,
      'spec.volumeLifecycleModes': ['Persistent'],
      'spec.storageCapacity': false,
      'spec.fsGroupPolicy': 'ReadWriteOnceWithFSType',
      'spec.requiresRepublish': false,
      'spec.seLinuxMount': false,
    },
  },
  {
    name: 'refuses spec.fsGroupPolicy and 5 more',
    given: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      spec: {
        fsGroupPolicy: 'Foo',
        volumeLifecycleModes: ['Foo'],
        tokenRequests: [{ audience: 'a', expirationSeconds: 5 }, { audience: 'a' }, { audience: 'b', expirationSeconds: 5294967297 }],
        nodeAllocatableUpdatePeriodSeconds: 2,
      },
    },
    errors: [
      'spec.fsGroupPolicy: Unsupported value: "Foo": supported values: "File", "None", "ReadWriteOnceWithFSType"',
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
      'spec.tokenRequests[1].audience: Duplicate value: "a"',
      'spec.tokenRequests[2].expirationSeconds: Invalid value: 5294967297: may not specify a duration larger than 2^32 seconds',
      'spec.volumeLifecycleModes: Unsupported value: "Foo": supported values: "Persistent", "Ephemeral"',
      'spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 2: must be greater than or equal to 10 seconds',
    ],
  },
  {
    name: 'refuses spec.serviceAccountTokenInSecrets',
    given: { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', spec: { serviceAccountTokenInSecrets: true } },
    errors: [
      'spec.serviceAccountTokenInSecrets: Invalid value: true: serviceAccountTokenInSecrets is set but no tokenRequests are specified',
    ],
  },
]);

testUpdates({ apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', spec: {} }, [
  {
    name: 'update: refuses spec.attachedRequired',
    change: { spec: { attachRequired: false } },
    errors: ['spec.attachedRequired: Invalid value: false: field is immutable'],
  },
  {
    name: 'update: refuses spec.volumeLifecycleModes',
    change: { spec: { volumeLifecycleModes: ['Ephemeral'] } },
    errors: ['spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable'],
  },
  { name: 'update: takes spec.podInfoOnMount', change: { spec: { podInfoOnMount: true } } },
]);
