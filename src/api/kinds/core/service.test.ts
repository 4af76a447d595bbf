/** Service: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.sessionAffinity, status.loadBalancer',
    given: { apiVersion: 'v1', kind: 'Service', spec: { type: 'ExternalName', externalName: 'foo.bar.' } },
    has: { 'spec.sessionAffinity': 'None', 'status.loadBalancer': {} },
  },
  {
    name: 'refuses spec.externalName',
    given: { apiVersion: 'v1', kind: 'Service', spec: { type: 'ExternalName' } },
    errors: ['spec.externalName: Required value'],
  },
]);

testUpdates(
  {
    apiVersion: 'v1',
    kind: 'Service',
    spec: {
      ports: [{ port: 80 }],
      selector: { a: 'b' },
      clusterIP: '10.96.0.5',
      clusterIPs: ['10.96.0.5'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    },
  },
  [
    { name: 'update: takes spec.type and spec.externalName', change: { spec: { type: 'ExternalName', externalName: 'a.b' } } },
    { name: 'update: takes spec.type', change: { spec: { type: 'NodePort' } } },
    {
      name: 'update: refuses spec.clusterIPs[0]',
      change: { spec: { clusterIP: '10.96.1.2', clusterIPs: ['10.96.1.2'] } },
      errors: ['spec.clusterIPs[0]: Invalid value: ["10.96.1.2"]: may not change once set'],
    },
    { name: 'update: takes spec.ports', change: { spec: { ports: [{ port: 81, name: 'a', protocol: 'TCP', targetPort: 80 }] } } },
    { name: 'update: refuses spec.ports', change: { spec: { ports: [] } }, errors: ['spec.ports: Required value'] },
    {
      name: 'status: refuses status.loadBalancer.ingress',
      change: { status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } },
      subresource: 'status',
      errors: ["status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"],
    },
  ],
);

testUpdates(
  {
    apiVersion: 'v1',
    kind: 'Service',
    spec: {
      type: 'LoadBalancer',
      loadBalancerClass: 'a/b',
      externalTrafficPolicy: 'Local',
      ports: [{ port: 80, nodePort: 30000 }],
      selector: { a: 'b' },
      clusterIP: '10.96.0.5',
      clusterIPs: ['10.96.0.5'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      healthCheckNodePort: 30001,
    },
  },
  [
    { name: 'update: takes spec.type', change: { spec: { type: 'ClusterIP' } } },
    {
      name: 'update: refuses spec.loadBalancerClass',
      change: { spec: { loadBalancerClass: 'c/d' } },
      errors: ['spec.loadBalancerClass: Invalid value: "c/d": may not change once set'],
    },
    {
      name: 'status: refuses status.loadBalancer.ingress[1].hostname',
      change: { status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { hostname: 'a b' }, {}] } } },
      subresource: 'status',
      errors: [
        "status.loadBalancer.ingress[1].hostname: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    },
  ],
);

testCells([
  {
    name: 'shows LoadBalancer, <none>, 5.6.7.8',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      spec: {
        type: 'LoadBalancer',
        externalIPs: ['5.6.7.8'],
        ports: [
          { port: 80, name: 'a' },
          { port: 90, name: 'b', protocol: 'UDP' },
        ],
        selector: { a: 'b' },
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    },
    cells: ['x', 'LoadBalancer', '<none>', '5.6.7.8', '80/TCP,90/UDP', '27h', 'a=b'],
  },
  {
    name: 'shows LoadBalancer, <none>, 1.2.3.4,very.long.example.com,5.6.7.8',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      spec: {
        type: 'LoadBalancer',
        externalIPs: ['5.6.7.8'],
        ports: [
          { port: 80, name: 'a' },
          { port: 90, name: 'b', protocol: 'UDP' },
        ],
        selector: { a: 'b' },
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { hostname: 'very.long.example.com' }] } },
    },
    cells: ['x', 'LoadBalancer', '<none>', '1.2.3.4,very.long.example.com,5.6.7.8', '80/TCP,90/UDP', '27h', 'a=b'],
  },
]);
