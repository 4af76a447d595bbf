/** Endpoints: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in subsets[0].ports[0].protocol',
    given: { apiVersion: 'v1', kind: 'Endpoints', subsets: [{ addresses: [{ ip: '1.2.3.4' }], ports: [{ port: 80 }] }] },
    has: { 'subsets[0].ports[0].protocol': 'TCP' },
  },
  {
    name: 'refuses subsets[0] and 16 more',
    given: {
      apiVersion: 'v1',
      kind: 'Endpoints',
      subsets: [
        { ports: [{ port: 80 }] },
        {
          addresses: [
            { ip: '127.0.0.1', hostname: 'A', nodeName: 'B C' },
            { ip: 'x' },
            { ip: '0.0.0.0' },
            { ip: '169.254.0.1' },
            { ip: '224.0.0.1' },
            { ip: '010.0.0.1' },
            { ip: 'fe80::1' },
            { ip: '::1' },
            { ip: '::' },
          ],
          ports: [
            { port: 0, protocol: 'X' },
            { port: 80, name: 'A', appProtocol: 'a b' },
          ],
        },
      ],
    },
    errors: [
      'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`',
      "subsets[1].addresses[0].hostname: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      "subsets[1].addresses[0].nodeName: Invalid value: \"B C\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'subsets[1].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'subsets[1].addresses[1].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'subsets[1].addresses[1].ip: Invalid value: "x": must be a valid IP address',
      'subsets[1].addresses[2].ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
      'subsets[1].addresses[3].ip: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
      'subsets[1].addresses[4].ip: Invalid value: "224.0.0.1": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
      'subsets[1].addresses[5].ip: Invalid value: "010.0.0.1": must not have leading 0s',
      'subsets[1].addresses[6].ip: Invalid value: "fe80::1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
      'subsets[1].addresses[7].ip: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'subsets[1].addresses[8].ip: Invalid value: "::": may not be unspecified (::)',
      'subsets[1].ports[0].name: Required value',
      'subsets[1].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'subsets[1].ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
      "subsets[1].ports[1].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      "subsets[1].ports[1].appProtocol: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ],
  },
  {
    name: 'warns of subsets[0].addresses[0].ip',
    given: { apiVersion: 'v1', kind: 'Endpoints', subsets: [{ addresses: [{ ip: '2001:DB8::1' }] }] },
    warnings: ['subsets[0].addresses[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")'],
  },
]);
