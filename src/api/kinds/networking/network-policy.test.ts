/** NetworkPolicy: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.policyTypes',
    given: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', spec: { podSelector: {} } },
    has: { 'spec.policyTypes': ['Ingress'] },
  },
  {
    name: 'fills in spec.egress[0].ports[0].protocol, spec.egress[0].ports[2].protocol and 1 more',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      spec: {
        podSelector: { matchLabels: { a: 'b' } },
        egress: [{ to: [{ podSelector: {} }], ports: [{ port: 80 }, { port: 'http', protocol: 'UDP' }, { port: 80, endPort: 90 }] }],
      },
    },
    has: {
      'spec.egress[0].ports[0].protocol': 'TCP',
      'spec.egress[0].ports[2].protocol': 'TCP',
      'spec.policyTypes': ['Ingress', 'Egress'],
    },
  },
  {
    name: 'fills in spec.policyTypes (2)',
    given: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', spec: { podSelector: {}, egress: [{}] } },
    has: { 'spec.policyTypes': ['Ingress', 'Egress'] },
  },
  {
    name: 'refuses spec.podSelector.matchLabels and 16 more',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      spec: {
        podSelector: { matchLabels: { 'a b': 'c d' } },
        policyTypes: ['Ingress', 'Foo'],
        ingress: [
          {
            from: [
              {},
              { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '11.0.0.0/8', '10.0.0.0/8', 'x'] } },
              { ipBlock: { cidr: '10.0.0.1/8' }, podSelector: {} },
              { ipBlock: {} },
            ],
            ports: [
              { protocol: 'FOO', port: 0 },
              { port: -1, endPort: -2 },
              { port: 'FOO_bar' },
              { endPort: 5 },
              { port: 'a', endPort: 5 },
              { port: 90, endPort: 80 },
            ],
          },
        ],
      },
    },
    errors: [
      "spec.podSelector.matchLabels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      "spec.podSelector.matchLabels: Invalid value: \"c d\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      'spec.ingress[0].ports[0].protocol: Unsupported value: "FOO": supported values: "TCP", "UDP", "SCTP"',
      'spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.ingress[0].ports[1].port: Invalid value: -1: must be between 1 and 65535, inclusive',
      'spec.ingress[0].ports[1].endPort: Invalid value: -1: must be greater than or equal to `port`',
      'spec.ingress[0].ports[1].endPort: Invalid value: -2: must be between 1 and 65535, inclusive',
      'spec.ingress[0].ports[2].port: Invalid value: "FOO_bar": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'spec.ingress[0].ports[3].endPort: Invalid value: 5: may not be specified when `port` is not specified',
      'spec.ingress[0].ports[4].endPort: Invalid value: 5: may not be specified when `port` is non-numeric',
      'spec.ingress[0].ports[5].endPort: Invalid value: 90: must be greater than or equal to `port`',
      'spec.ingress[0].from[0]: Required value: must specify a peer',
      'spec.ingress[0].from[1].ipBlock.except[1]: Invalid value: "11.0.0.0/8": must be a strict subset of `cidr`',
      'spec.ingress[0].from[1].ipBlock.except[2]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
      'spec.ingress[0].from[1].ipBlock.except[3]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      'spec.ingress[0].from[2].ipBlock.cidr: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
      'spec.ingress[0].from[2]: Forbidden: may not specify both ipBlock and another peer',
      'spec.ingress[0].from[3].ipBlock.cidr: Required value',
      'spec.policyTypes[1]: Unsupported value: "Foo": supported values: "Ingress", "Egress"',
    ],
  },
  {
    name: 'refuses spec.policyTypes',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress', 'Ingress'] },
    },
    errors: ['spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes'],
  },
]);
