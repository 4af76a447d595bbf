/** Ingress: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'refuses spec',
    given: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', spec: {} },
    errors: ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified'],
  },
  {
    name: 'fills in status.loadBalancer',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      spec: {
        ingressClassName: 'nginx',
        tls: [{ hosts: ['a.b'], secretName: 'x' }],
        rules: [
          { host: 'a.b', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'x', port: { number: 80 } } } }] } },
        ],
      },
    },
    has: { 'status.loadBalancer': {} },
  },
  {
    name: 'warns of annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { annotations: { 'kubernetes.io/ingress.class': 'x' } },
      spec: { defaultBackend: { service: { name: '1x', port: { name: 'http' } } } },
    },
    has: { 'status.loadBalancer': {} },
    warnings: ['annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead'],
  },
  {
    name: 'refuses annotations.kubernetes.io/ingress.class',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { annotations: { 'kubernetes.io/ingress.class': 'x' } },
      spec: { ingressClassName: 'y', defaultBackend: { service: { name: 'x', port: { name: 'http' } } } },
    },
    errors: ['annotations.kubernetes.io/ingress.class: Invalid value: "x": must match `ingressClassName` when both are specified'],
  },
  {
    name: 'refuses spec.defaultBackend.resource.kind and 21 more',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      spec: {
        ingressClassName: 'a b',
        tls: [{ hosts: ['*.*', 'a b', '*.x'], secretName: 'x y' }],
        defaultBackend: { resource: { kind: 'a/b', name: '' } },
        rules: [
          { host: '1.2.3.4' },
          { host: '*.a.*', http: { paths: [] } },
          {
            host: 'A',
            http: {
              paths: [
                { path: 'x//y', pathType: 'Exact', backend: {} },
                { path: '/a/..', pathType: 'Foo', backend: { service: { name: '', port: { name: 'a', number: 2 } } } },
                {
                  path: 'x',
                  pathType: 'ImplementationSpecific',
                  backend: { service: { name: 'A_b', port: { name: 'A B' } }, resource: { kind: 'a', name: 'b' } },
                },
                { backend: { service: { name: 'A_b', port: { number: 77777 } } } },
                { path: '', pathType: 'Prefix', backend: { service: { name: 'a', port: { number: 77777 } } } },
                { path: '/%2f/', pathType: 'Prefix', backend: { service: { name: 'a' } } },
              ],
            },
          },
        ],
      },
    },
    errors: [
      'spec.defaultBackend.resource.kind: Invalid value: "a/b": may not contain \'/\'',
      'spec.defaultBackend.resource.name: Required value',
      'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
      "spec.rules[1].host: Invalid value: \"*.a.*\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.rules[1].http.paths: Required value',
      "spec.rules[2].host: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.rules[2].http.paths[0].path: Invalid value: "x//y": must be an absolute path',
      'spec.rules[2].http.paths[0].path: Invalid value: "x//y": must not contain \'//\'',
      'spec.rules[2].http.paths[0].backend: Invalid value: "": resource or service backend is required',
      'spec.rules[2].http.paths[1].pathType: Unsupported value: "Foo": supported values: "Exact", "ImplementationSpecific", "Prefix"',
      'spec.rules[2].http.paths[1].backend.service.name: Required value',
      'spec.rules[2].http.paths[1].backend: Invalid value: "": cannot set both port name & port number',
      'spec.rules[2].http.paths[2].path: Invalid value: "x": must be an absolute path',
      'spec.rules[2].http.paths[2].backend: Invalid value: "": cannot set both resource and service backends',
      'spec.rules[2].http.paths[3].pathType: Required value: pathType must be specified',
      'spec.rules[2].http.paths[4].path: Invalid value: "": must be an absolute path',
      'spec.rules[2].http.paths[4].backend.service.port.number: Invalid value: 77777: must be between 1 and 65535, inclusive',
      'spec.rules[2].http.paths[5].path: Invalid value: "/%2f/": must not contain \'%2f\'',
      'spec.rules[2].http.paths[5].backend: Required value: port name or number is required',
      "spec.tls[0].hosts[0]: Invalid value: \"*.*\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      "spec.tls[0].hosts[1]: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      "spec.tls[0].secretName: Invalid value: \"x y\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      "spec.ingressClassName: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  },
]);

testUpdates(
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', spec: { defaultBackend: { service: { name: 'a', port: { number: 80 } } } } },
  [
    {
      name: 'status: refuses status.loadBalancer.ingress[0].ip and 2 more',
      change: { status: { loadBalancer: { ingress: [{ ip: 'x' }, { hostname: '1.2.3.4' }, { hostname: 'a b' }] } } },
      subresource: 'status',
      errors: [
        'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'status.loadBalancer.ingress[1].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
        "status.loadBalancer.ingress[2].hostname: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    },
    {
      name: 'status: takes status.loadBalancer',
      change: { status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } },
      subresource: 'status',
    },
  ],
);

testCells([
  {
    name: 'shows x, a,b,c + 1 more..., ',
    object: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      spec: { ingressClassName: 'x', tls: [{}], rules: [{ host: 'a' }, { host: 'b' }, { host: 'c' }, { host: 'd' }] },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    },
    cells: ['x', 'x', 'a,b,c + 1 more...', '', '80, 443', '27h'],
  },
  {
    name: 'shows x, a,b,c + 1 more..., 1.2.3.4,very.long.example.com',
    object: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      spec: { ingressClassName: 'x', tls: [{}], rules: [{ host: 'a' }, { host: 'b' }, { host: 'c' }, { host: 'd' }] },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { hostname: 'very.long.example.com' }] } },
    },
    cells: ['x', 'x', 'a,b,c + 1 more...', '1.2.3.4,very.long.example.com', '80, 443', '27h'],
  },
]);
