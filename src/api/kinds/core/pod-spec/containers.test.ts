/** Containers of pods: what is filled in, and what is refused. */
import { testCreates } from '../../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.containers[0].ports[0].protocol',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', ports: [{ containerPort: 80 }, { containerPort: 81, name: 'http', protocol: 'UDP' }] }],
      },
    },
    has: { 'spec.containers[0].ports[0].protocol': 'TCP' },
  },
  {
    name: 'refuses spec.containers[0].ports[0].containerPort and 5 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'c',
            image: 'nginx',
            ports: [
              { containerPort: 0 },
              { containerPort: 70000, name: '-x-' },
              { containerPort: 1, hostPort: 70000 },
              { containerPort: 2, name: 'http' },
              { containerPort: 3, name: 'http' },
              { containerPort: 4, protocol: 'ICMP' },
            ],
          },
        ],
      },
    },
    errors: [
      'spec.containers[0].ports[0].containerPort: Required value',
      'spec.containers[0].ports[1].name: Invalid value: "-x-": must not begin or end with a hyphen',
      'spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      'spec.containers[0].ports[2].hostPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      'spec.containers[0].ports[4].name: Duplicate value: "http"',
      'spec.containers[0].ports[5].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
  },
  {
    name: 'refuses spec.containers[0].ports[1].hostPort',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'c',
            image: 'nginx',
            ports: [
              { containerPort: 80, hostPort: 80 },
              { containerPort: 81, hostPort: 80 },
            ],
          },
        ],
      },
    },
    errors: ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"'],
  },
  {
    name: 'fills in spec.containers[0].env[1].valueFrom.fieldRef.apiVersion, spec.containers[0].env[2].valueFrom.resourceFieldRef.divisor',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'c',
            image: 'nginx',
            env: [
              { name: 'A', value: 'b' },
              { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'C', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
              { name: 'D', valueFrom: { configMapKeyRef: { name: 'x', key: 'y' } } },
              { name: 'E', valueFrom: { secretKeyRef: { name: 'x', key: 'y', optional: true } } },
            ],
          },
        ],
      },
    },
    has: {
      'spec.containers[0].env[1].valueFrom.fieldRef.apiVersion': 'v1',
      'spec.containers[0].env[2].valueFrom.resourceFieldRef.divisor': '0',
    },
  },
  {
    name: 'refuses spec.containers[0].env[0].name and 18 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'c',
            image: 'nginx',
            env: [
              { name: '', value: 'b' },
              { name: 'a=b' },
              { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.foo' } } },
              { name: 'C', valueFrom: { fieldRef: { fieldPath: "metadata.labels['a b']" } } },
              { name: 'D', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } },
              { name: 'E', valueFrom: {} },
              { name: 'F', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'G', valueFrom: { fieldRef: { fieldPath: 'metadata.name' }, secretKeyRef: { name: 'x', key: 'y' } } },
              { name: 'H', valueFrom: { secretKeyRef: { name: '', key: '' } } },
              { name: 'I', valueFrom: { configMapKeyRef: { name: 'A_b', key: 'a b' } } },
              { name: 'J', valueFrom: { resourceFieldRef: { resource: 'limits.foo' } } },
              { name: 'K', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '10m' } } },
              { name: 'L', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '10m' } } },
              { name: 'M', valueFrom: { fieldRef: { apiVersion: 'v2', fieldPath: 'metadata.name' } } },
              { name: 'N', valueFrom: { fieldRef: { fieldPath: '' } } },
              { name: 'O', valueFrom: { fieldRef: { fieldPath: 'spec.restartPolicy' } } },
              { name: 'P', valueFrom: { fieldRef: { fieldPath: "spec.nodeName['a']" } } },
            ],
          },
        ],
      },
    },
    errors: [
      'spec.containers[0].env[0].name: Required value',
      'spec.containers[0].env[1].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than \'=\'',
      'spec.containers[0].env[2].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.foo": error converting fieldPath: field label not supported: metadata.foo',
      "spec.containers[0].env[3].valueFrom.fieldRef: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.containers[0].env[4].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
      'spec.containers[0].env[5].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      'spec.containers[0].env[6].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
      'spec.containers[0].env[7].valueFrom: Invalid value: "": may not have more than one field specified at a time',
      "spec.containers[0].env[8].valueFrom.secretKeyRef.name: Invalid value: \"\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.containers[0].env[8].valueFrom.secretKeyRef.key: Required value',
      "spec.containers[0].env[9].valueFrom.configMapKeyRef.name: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      "spec.containers[0].env[9].valueFrom.configMapKeyRef.key: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      'spec.containers[0].env[10].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.foo": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
      'spec.containers[0].env[11].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource',
      'spec.containers[0].env[12].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.memory": only divisor\'s values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource',
      'spec.containers[0].env[13].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2',
      'spec.containers[0].env[14].valueFrom.fieldRef.fieldPath: Required value',
      'spec.containers[0].env[15].valueFrom.fieldRef.fieldPath: Unsupported value: "spec.restartPolicy": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
      "spec.containers[0].env[16].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.nodeName['a']\": error converting fieldPath: field label does not support subscript: spec.nodeName['a']",
    ],
  },
  {
    name: 'takes what is complete',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', envFrom: [{ configMapRef: { name: 'x' } }, { secretRef: { name: 'y' }, prefix: 'P_' }] }],
      },
    },
  },
  {
    name: 'refuses spec.containers[0].envFrom[0].configMapRef.name and 3 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'c',
            image: 'nginx',
            envFrom: [
              { configMapRef: { name: '' } },
              { secretRef: { name: 'A B' }, prefix: '=' },
              { prefix: 'a' },
              { configMapRef: { name: 'x' }, secretRef: { name: 'y' } },
            ],
          },
        ],
      },
    },
    errors: [
      'spec.containers[0].envFrom[0].configMapRef.name: Required value',
      'spec.containers[0].envFrom[1].prefix: Invalid value: "=": a valid environment variable name must consist only of printable ASCII characters other than \'=\'',
      "spec.containers[0].envFrom[1].secretRef.name: Invalid value: \"A B\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
      'spec.containers[0].envFrom: Invalid value: "": may not have more than one field specified at a time',
    ],
  },
  {
    name: 'fills in spec.containers[0].livenessProbe.httpGet.path, spec.containers[0].livenessProbe.httpGet.scheme and 13 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'c',
            image: 'nginx',
            livenessProbe: { httpGet: { port: 80 } },
            readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 0 },
            startupProbe: { grpc: { port: 5 } },
          },
        ],
      },
    },
    has: {
      'spec.containers[0].livenessProbe.httpGet.path': '/',
      'spec.containers[0].livenessProbe.httpGet.scheme': 'HTTP',
      'spec.containers[0].livenessProbe.timeoutSeconds': 1,
      'spec.containers[0].livenessProbe.periodSeconds': 10,
      'spec.containers[0].livenessProbe.successThreshold': 1,
      'spec.containers[0].livenessProbe.failureThreshold': 3,
      'spec.containers[0].readinessProbe.timeoutSeconds': 1,
      'spec.containers[0].readinessProbe.periodSeconds': 10,
      'spec.containers[0].readinessProbe.successThreshold': 1,
      'spec.containers[0].readinessProbe.failureThreshold': 3,
      'spec.containers[0].startupProbe.grpc.service': '',
      'spec.containers[0].startupProbe.timeoutSeconds': 1,
      'spec.containers[0].startupProbe.periodSeconds': 10,
      'spec.containers[0].startupProbe.successThreshold': 1,
      'spec.containers[0].startupProbe.failureThreshold': 3,
    },
  },
  {
    name: 'fills in spec.containers[0].livenessProbe.timeoutSeconds, spec.containers[0].livenessProbe.periodSeconds and 2 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', livenessProbe: { exec: { command: ['ls'] }, initialDelaySeconds: 0 } }],
      },
    },
    has: {
      'spec.containers[0].livenessProbe.timeoutSeconds': 1,
      'spec.containers[0].livenessProbe.periodSeconds': 10,
      'spec.containers[0].livenessProbe.successThreshold': 1,
      'spec.containers[0].livenessProbe.failureThreshold': 3,
    },
  },
  {
    name: 'refuses spec.containers[0].livenessProbe.httpGet.port and 9 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'c',
            image: 'nginx',
            livenessProbe: { httpGet: { port: 0, scheme: 'FTP', httpHeaders: [{ name: 'a b', value: 'c' }] }, successThreshold: 2 },
            readinessProbe: { tcpSocket: { port: 'UPPER' }, terminationGracePeriodSeconds: 5 },
            startupProbe: { grpc: { port: 70000 }, exec: { command: [] }, periodSeconds: -1, terminationGracePeriodSeconds: 0 },
          },
        ],
      },
    },
    errors: [
      'spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.containers[0].livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
      "spec.containers[0].livenessProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
      'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
      'spec.containers[0].readinessProbe.tcpSocket.port: Invalid value: "UPPER": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'spec.containers[0].readinessProbe.tcpSocket.port: Invalid value: "UPPER": must contain at least one letter (a-z)',
      'spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes',
      'spec.containers[0].startupProbe.exec.command: Required value',
      'spec.containers[0].startupProbe.grpc: Forbidden: may not specify more than 1 handler type',
      'spec.containers[0].startupProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0',
      'spec.containers[0].startupProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0',
    ],
  },
  {
    name: 'refuses spec.containers[0].livenessProbe',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx', livenessProbe: {} }] },
    },
    errors: ['spec.containers[0].livenessProbe: Required value: must specify a handler type'],
  },
  {
    name: 'fills in spec.containers[0].lifecycle.postStart.httpGet.path, spec.containers[0].lifecycle.postStart.httpGet.scheme',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          { name: 'c', image: 'nginx', lifecycle: { postStart: { httpGet: { port: 80 } }, preStop: { sleep: { seconds: 5 } } } },
        ],
      },
    },
    has: { 'spec.containers[0].lifecycle.postStart.httpGet.path': '/', 'spec.containers[0].lifecycle.postStart.httpGet.scheme': 'HTTP' },
  },
  {
    name: 'refuses spec.containers[0].lifecycle.postStart and 1 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', lifecycle: { postStart: {}, preStop: { sleep: { seconds: 50 } } } }],
      },
    },
    errors: [
      'spec.containers[0].lifecycle.postStart: Required value: must specify a handler type',
      'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 50: must be non-negative and less than terminationGracePeriodSeconds (30)',
    ],
  },
  {
    name: 'takes what is complete (2)',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx', lifecycle: { stopSignal: 'SIGTERM' } }] },
    },
  },
  {
    name: 'fills in spec.containers[0].resources.limits.cpu, spec.containers[0].resources.limits.memory and 3 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', resources: { limits: { cpu: '1000m', memory: '1024Mi' } } }],
      },
    },
    has: {
      'spec.containers[0].resources.limits.cpu': '1',
      'spec.containers[0].resources.limits.memory': '1Gi',
      'spec.containers[0].resources.requests.cpu': '1',
      'spec.containers[0].resources.requests.memory': '1Gi',
      'status.qosClass': 'Guaranteed',
    },
  },
  {
    name: 'fills in spec.containers[0].resources.limits.cpu, spec.containers[0].resources.requests.memory and 1 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', resources: { limits: { cpu: '0.5', memory: '1Gi' }, requests: { cpu: '100m' } } }],
      },
    },
    has: {
      'spec.containers[0].resources.limits.cpu': '500m',
      'spec.containers[0].resources.requests.memory': '1Gi',
      'status.qosClass': 'Burstable',
    },
  },
  {
    name: 'fills in spec.containers[0].resources.limits.cpu, spec.containers[0].resources.requests.cpu and 2 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          { name: 'c', image: 'nginx', resources: { limits: { cpu: 1, memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } } },
        ],
      },
    },
    has: {
      'spec.containers[0].resources.limits.cpu': '1',
      'spec.containers[0].resources.requests.cpu': '1',
      'spec.containers[0].resources.requests.memory': '1Gi',
      'status.qosClass': 'Guaranteed',
    },
  },
  {
    name: 'refuses spec.containers[0].resources.limits[foo] and 10 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'c',
            image: 'nginx',
            resources: {
              limits: { cpu: 1, foo: 1, 'a b': 1, 'nvidia.com/gpu': '1500m', memory: -1 },
              requests: { cpu: 2, 'example.com/x': 1, 'hugepages-2Mi': '3Mi' },
            },
          },
        ],
      },
    },
    errors: [
      'spec.containers[0].resources.limits[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'spec.containers[0].resources.limits[foo]: Invalid value: "foo": must be a standard resource for containers',
      "spec.containers[0].resources.limits[a b]: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.containers[0].resources.limits[a b]: Invalid value: "a b": must be a standard resource for containers',
      'spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: "1500m": must be an integer',
      'spec.containers[0].resources.limits[memory]: Invalid value: "-1": must be greater than or equal to 0',
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
      'spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources',
      'spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources',
      'spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
      'spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers',
      "spec.containers[0].resources.requests[a b]: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.containers[0].resources.requests[a b]: Invalid value: "a b": must be a standard resource for containers',
      'spec.containers[0].resources.requests[nvidia.com/gpu]: Invalid value: "1500m": must be an integer',
      'spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0',
    ],
  },
  {
    name: 'refuses spec.containers[0].resources',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', resources: { limits: { 'hugepages-2Mi': '4Mi' } } }],
      },
    },
    errors: ['spec.containers[0].resources: Forbidden: HugePages require cpu or memory'],
  },
  {
    name: 'fills in spec.containers[0].resources.limits, spec.containers[0].resources.requests',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', resources: { limits: { 'nvidia.com/gpu': 1 } } }],
      },
    },
    has: {
      'spec.containers[0].resources.limits': { 'nvidia.com/gpu': '1' },
      'spec.containers[0].resources.requests': { 'nvidia.com/gpu': '1' },
    },
  },
  {
    name: 'refuses spec.containers[0].resources.requests',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', resources: { limits: { 'nvidia.com/gpu': 1 }, requests: { 'nvidia.com/gpu': 2 } } }],
      },
    },
    errors: ['spec.containers[0].resources.requests: Invalid value: "2": must be equal to nvidia.com/gpu limit of 1'],
  },
  {
    name: 'fills in spec.containers[0].resources.limits.cpu, spec.containers[0].resources.limits.memory and 3 more (2)',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', resources: { limits: { cpu: '100u', memory: 1 } } }],
      },
    },
    has: {
      'spec.containers[0].resources.limits.cpu': '1m',
      'spec.containers[0].resources.limits.memory': '1',
      'spec.containers[0].resources.requests.cpu': '1m',
      'spec.containers[0].resources.requests.memory': '1',
      'status.qosClass': 'Guaranteed',
    },
  },
  {
    name: 'refuses spec.containers[0].resizePolicy and 1 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'c',
            image: 'nginx',
            resizePolicy: [
              { resourceName: 'cpu', restartPolicy: 'NotRequired' },
              { resourceName: 'foo', restartPolicy: 'Bar' },
              { resourceName: 'cpu', restartPolicy: 'RestartContainer' },
            ],
          },
        ],
        restartPolicy: 'Never',
      },
    },
    errors: [
      'spec.containers[0].resizePolicy: Unsupported value: "foo": supported values: "cpu", "memory"',
      'spec.containers[0].resizePolicy: Unsupported value: "Bar": supported values: "NotRequired", "RestartContainer"',
      "spec.containers[0].resizePolicy: Invalid value: \"Bar\": must be 'NotRequired' when pod `restartPolicy` is 'Never'",
      'spec.containers[0].resizePolicy[2]: Duplicate value: "cpu"',
      "spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when pod `restartPolicy` is 'Never'",
    ],
  },
  {
    name: 'refuses spec.containers[0].restartPolicyRules[1].action and 2 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'c',
            image: 'nginx',
            restartPolicy: 'Never',
            restartPolicyRules: [
              { action: 'Restart', exitCodes: { operator: 'In', values: [1] } },
              { action: 'Foo' },
              { action: 'Restart', exitCodes: { operator: 'Bar' } },
            ],
          },
        ],
      },
    },
    errors: [
      'spec.containers[0].restartPolicyRules[1].action: Unsupported value: "Foo": supported values: "Restart", "RestartAllContainers"',
      'spec.containers[0].restartPolicyRules[1].exitCodes: Required value: must be specified',
      'spec.containers[0].restartPolicyRules[2].exitCodes.operator: Unsupported value: "Bar": supported values: "In", "NotIn"',
    ],
  },
  {
    name: 'refuses spec.containers[0].restartPolicy',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          { name: 'c', image: 'nginx', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }] },
        ],
      },
    },
    errors: ['spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used'],
  },
  {
    name: 'refuses spec.containers[0].terminationMessagePolicy and 1 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', terminationMessagePolicy: 'Foo', imagePullPolicy: 'Bar' }],
      },
    },
    errors: [
      'spec.containers[0].terminationMessagePolicy: Unsupported value: "Foo": supported values: "File", "FallbackToLogsOnError"',
      'spec.containers[0].imagePullPolicy: Unsupported value: "Bar": supported values: "Always", "IfNotPresent", "Never"',
    ],
  },
]);
