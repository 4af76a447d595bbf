/** APIService: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.service.port, status',
    given: {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1.a.b' },
      spec: { group: 'a.b', version: 'v1', groupPriorityMinimum: 5, versionPriority: 5, service: { namespace: 'a', name: 'b' } },
    },
    has: { 'spec.service.port': 443, status: {} },
  },
  {
    name: 'fills in status.conditions[0].type, status.conditions[0].status and 2 more',
    given: {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1.a.b' },
      spec: { group: 'a.b', version: 'v1', groupPriorityMinimum: 5, versionPriority: 5 },
    },
    has: {
      'status.conditions[0].type': 'Available',
      'status.conditions[0].status': 'True',
      'status.conditions[0].reason': 'Local',
      'status.conditions[0].message': 'Local APIServices are always available',
    },
  },
  {
    name: 'refuses metadata.name and 8 more',
    given: {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1.a.b' },
      spec: {
        group: 'a b',
        version: 'V 1',
        groupPriorityMinimum: 50000,
        insecureSkipTLSVerify: true,
        caBundle: 'YWJj',
        service: { port: 99999 },
      },
    },
    errors: [
      'metadata.name: Invalid value: "v1.a.b": must be `spec.version+"."+spec.group`: "V 1.a b"',
      "spec.group: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      "spec.version: Invalid value: \"V 1\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
      'spec.groupPriorityMinimum: Invalid value: 50000: must be positive and less than 20000',
      'spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
      'spec.service.namespace: Required value',
      'spec.service.name: Required value',
      'spec.service.port: Invalid value: 99999: port is not valid: must be between 1 and 65535, inclusive',
      'spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present',
    ],
  },
  {
    name: 'refuses metadata.name and 5 more',
    given: {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v2.a.b' },
      spec: { version: 'v2', groupPriorityMinimum: 50000, insecureSkipTLSVerify: true, caBundle: 'YWJj' },
    },
    errors: [
      'metadata.name: Invalid value: "v2.a.b": must be `spec.version+"."+spec.group`: "v2."',
      'spec.group: Required value: only v1 may have an empty group and it better be legacy kube',
      'spec.groupPriorityMinimum: Invalid value: 50000: must be positive and less than 20000',
      'spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
      'spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle',
      'spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify',
    ],
  },
]);
