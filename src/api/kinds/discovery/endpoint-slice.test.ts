/** EndpointSlice: what is filled in, and what is refused. */
import { testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in endpoints[0].conditions, ports[0].name and 1 more',
    given: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.1.2.3'], deprecatedTopology: { 'kubernetes.io/hostname': 'x' } }],
      ports: [{ port: 80 }],
    },
    has: { 'endpoints[0].conditions': {}, 'ports[0].name': '', 'ports[0].protocol': 'TCP' },
  },
  { name: 'takes what is complete', given: { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' } },
  {
    name: 'fills in endpoints[0].conditions, ports[0].protocol',
    given: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      addressType: 'IPv6',
      endpoints: [{ addresses: ['2001:db8::1'], hints: { forZones: [{ name: 'a' }] } }],
      ports: [{ name: 'a', appProtocol: 'x/y' }],
    },
    has: { 'endpoints[0].conditions': {}, 'ports[0].protocol': 'TCP' },
  },
  {
    name: 'warns of spec.addressType',
    given: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      addressType: 'FQDN',
      endpoints: [{ addresses: ['a.b'] }],
      ports: [{ name: 'a', appProtocol: 'x/y' }],
    },
    has: { 'endpoints[0].conditions': {}, 'ports[0].protocol': 'TCP' },
    warnings: ['spec.addressType: FQDN endpoints are deprecated'],
  },
  {
    name: 'refuses addressType and 11 more',
    given: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      addressType: 'Foo',
      endpoints: [
        { addresses: [] },
        {
          addresses: ['x'],
          hostname: 'A B',
          nodeName: 'A B',
          hints: { forZones: [{ name: 'a' }, { name: 'a' }, { name: 'a b' }], forNodes: [{ name: 'A' }, { name: 'A' }] },
        },
      ],
      ports: [{ name: 'A_B', protocol: 'FOO', appProtocol: 'x y' }, { name: 'a' }, { name: 'a' }],
    },
    errors: [
      'addressType: Unsupported value: "Foo": supported values: "FQDN", "IPv4", "IPv6"',
      "ports[0].name: Invalid value: \"A_B\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      'ports[0].protocol: Unsupported value: "FOO": supported values: "SCTP", "TCP", "UDP"',
      "ports[0].appProtocol: Invalid value: \"x y\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'ports[2].name: Duplicate value: "a"',
      'endpoints[0].addresses: Required value: must contain at least 1 address',
      "endpoints[1].nodeName: Invalid value: \"A B\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      "endpoints[1].hostname: Invalid value: \"A B\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      'endpoints[1].hints.forZones[1].name: Duplicate value: "a"',
      "endpoints[1].hints.forZones[2].name: Invalid value: \"a b\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      "endpoints[1].hints.forNodes[0].name: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'endpoints[1].hints.forNodes[1].name: Duplicate value: "A"',
      "endpoints[1].hints.forNodes[1].name: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  },
  {
    name: 'refuses endpoints[0].addresses[0] and 4 more',
    given: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.1', '::1', 'foo', '010.1.1.1'] }],
    },
    errors: [
      'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'endpoints[0].addresses: Invalid value: "::1": must be an IPv4 address',
      'endpoints[0].addresses[1]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'endpoints[0].addresses[2]: Invalid value: "foo": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'endpoints[0].addresses[3]: Invalid value: "010.1.1.1": must not have leading 0s',
    ],
  },
  {
    name: 'refuses endpoints[0].addresses and 4 more',
    given: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      addressType: 'IPv6',
      endpoints: [{ addresses: ['127.0.0.1', '::1', 'foo', '2001:DB8::1'] }],
    },
    errors: [
      'endpoints[0].addresses: Invalid value: "127.0.0.1": must be an IPv6 address',
      'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'endpoints[0].addresses[1]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'endpoints[0].addresses[2]: Invalid value: "foo": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'endpoints[0].addresses[3]: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")',
    ],
  },
  {
    name: 'refuses endpoints[0].addresses[0] and 2 more',
    given: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      addressType: 'FQDN',
      endpoints: [{ addresses: ['a', 'a.b.', 'A.b', ''] }],
    },
    errors: [
      'endpoints[0].addresses[0]: Invalid value: "a": should be a domain with at least two segments separated by dots',
      "endpoints[0].addresses[2]: Invalid value: \"A.b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'endpoints[0].addresses[3]: Required value',
    ],
  },
  {
    name: 'refuses addressType',
    given: { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
    errors: ['addressType: Required value'],
  },
]);

testUpdates(
  { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', endpoints: [{ addresses: ['10.1.2.3'] }], ports: [] },
  [
    {
      name: 'update: refuses addressType',
      change: { addressType: 'IPv6' },
      errors: ['addressType: Invalid value: "IPv6": field is immutable'],
    },
    { name: 'update: takes metadata.labels', change: { metadata: { labels: { a: 'b' } } } },
    { name: 'update: takes endpoints', change: { endpoints: [{ addresses: ['10.1.2.4'] }] } },
  ],
);
