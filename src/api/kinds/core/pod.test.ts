/** Pods as a whole: what is filled in, and what is refused. */
import { testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'refuses metadata.annotations.seccomp.security.alpha.kubernetes.io/pod',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { annotations: { 'scheduler.alpha.kubernetes.io/critical-pod': '', 'seccomp.security.alpha.kubernetes.io/pod': 'x' } },
      spec: {
        automountServiceAccountToken: false,
        nodeSelector: { 'beta.kubernetes.io/arch': 'amd64' },
        terminationGracePeriodSeconds: -1,
        imagePullSecrets: [{ name: 'a' }, { name: 'a' }],
        hostAliases: [
          { ip: '1.2.3.4', hostnames: ['a'] },
          { ip: '1.2.3.4', hostnames: ['b'] },
        ],
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'failure-domain.beta.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule' },
        ],
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a' }],
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: 'a' } }],
          },
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'beta.kubernetes.io/os', operator: 'Exists' }] }],
            },
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, preference: { matchExpressions: [{ key: 'a', operator: 'In', values: ['a b'] }] } },
            ],
          },
        },
        containers: [
          {
            name: 'a',
            image: 'x',
            resources: { limits: { memory: '100m' } },
            env: [
              { name: 'A', value: 'a' },
              { name: 'A', value: 'b' },
              { name: 'B', value: 'c' },
              { name: 'B', value: '$(B)c' },
            ],
            ports: [
              { containerPort: 80, name: 'x' },
              { containerPort: 80, hostIP: '1.2.3.4' },
            ],
          },
          { name: 'b', image: 'y', ports: [{ containerPort: 80, name: 'x' }] },
        ],
        volumes: [
          {
            name: 'v',
            configMap: {
              name: 'a',
              items: [
                { key: 'a', path: 'a/b' },
                { key: 'b', path: 'a' },
              ],
            },
          },
          { name: 'g', gitRepo: { repository: 'x' } },
          {
            name: 'p',
            projected: {
              sources: [
                { configMap: { name: 'a', items: [{ key: 'a', path: 'a/b' }] } },
                { downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'metadata.name' } }] } },
                {},
              ],
            },
          },
        ],
      },
    },
    errors: ['metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "x": must be a valid seccomp profile'],
  },
  {
    name: 'warns of metadata.name and 2 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a.b' },
      spec: {
        automountServiceAccountToken: false,
        dnsConfig: { nameservers: ['2001:DB8::1'] },
        dnsPolicy: 'None',
        containers: [
          {
            name: 'a',
            image: 'x',
            ports: [
              { containerPort: 80, hostPort: 80, hostIP: '1.2.3.4' },
              { containerPort: 80, hostPort: 80 },
            ],
          },
        ],
      },
    },
    has: { 'spec.containers[0].ports[0].protocol': 'TCP', 'spec.containers[0].ports[1].protocol': 'TCP' },
    warnings: [
      "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
      'spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]',
      'spec.dnsConfig.nameservers[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
    ],
  },
  {
    name: 'fills in spec.containers[0].resources, spec.containers[0].terminationMessagePath and 10 more',
    given: { apiVersion: 'v1', kind: 'Pod', spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx' }] } },
    has: {
      'spec.containers[0].resources': {},
      'spec.containers[0].terminationMessagePath': '/dev/termination-log',
      'spec.containers[0].terminationMessagePolicy': 'File',
      'spec.containers[0].imagePullPolicy': 'Always',
      'spec.restartPolicy': 'Always',
      'spec.terminationGracePeriodSeconds': 30,
      'spec.dnsPolicy': 'ClusterFirst',
      'spec.securityContext': {},
      'spec.schedulerName': 'default-scheduler',
      'spec.enableServiceLinks': true,
      'status.phase': 'Pending',
      'status.qosClass': 'BestEffort',
    },
  },
  {
    name: 'takes what is complete',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx:latest' }] },
    },
  },
  {
    name: 'fills in spec.containers[0].imagePullPolicy',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx:1.2' }] },
    },
    has: { 'spec.containers[0].imagePullPolicy': 'IfNotPresent' },
  },
  {
    name: 'fills in spec.containers[0].imagePullPolicy (2)',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'reg.io:5000/a/b@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' }],
      },
    },
    has: { 'spec.containers[0].imagePullPolicy': 'IfNotPresent' },
  },
  {
    name: 'fills in spec.containers[0].imagePullPolicy (3)',
    given: { apiVersion: 'v1', kind: 'Pod', spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'UPPER' }] } },
    has: { 'spec.containers[0].imagePullPolicy': 'IfNotPresent' },
  },
  {
    name: 'refuses spec.containers[0].image',
    given: { apiVersion: 'v1', kind: 'Pod', spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: '' }] } },
    errors: ['spec.containers[0].image: Required value'],
  },
  {
    name: 'refuses spec.containers[0].image (2)',
    given: { apiVersion: 'v1', kind: 'Pod', spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: ' nginx' }] } },
    errors: ['spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing whitespace'],
  },
  {
    name: 'refuses spec.containers[0].name',
    given: { apiVersion: 'v1', kind: 'Pod', spec: { automountServiceAccountToken: false, containers: [{ name: '', image: 'nginx' }] } },
    errors: ['spec.containers[0].name: Required value'],
  },
  {
    name: 'refuses spec.containers[0].name (2)',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { automountServiceAccountToken: false, containers: [{ name: 'Bad_Name', image: 'nginx' }] },
    },
    errors: [
      "spec.containers[0].name: Invalid value: \"Bad_Name\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ],
  },
  {
    name: 'refuses spec.containers[0].name (3)',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', image: 'nginx' }],
      },
    },
    errors: [
      'spec.containers[0].name: Invalid value: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": must be no more than 63 characters',
    ],
  },
  {
    name: 'fills in spec.containers[0].ports[0].hostPort, spec.containers[0].ports[0].protocol',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', ports: [{ containerPort: 80 }] }],
        hostNetwork: true,
      },
    },
    has: { 'spec.containers[0].ports[0].hostPort': 80, 'spec.containers[0].ports[0].protocol': 'TCP' },
  },
  {
    name: 'refuses spec.containers[0].ports[0].hostPort',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', ports: [{ containerPort: 80, hostPort: 81 }] }],
        hostNetwork: true,
      },
    },
    errors: ['spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true'],
  },
  {
    name: 'takes what is complete (2)',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx' }], hostNetwork: false, hostPID: false },
    },
  },
  {
    name: 'fills in spec.containers[0].env[0].valueFrom.fileKeyRef.optional',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          { name: 'c', image: 'nginx', env: [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'a', key: 'K' } } }] },
        ],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    },
    has: { 'spec.containers[0].env[0].valueFrom.fileKeyRef.optional': false },
  },
  {
    name: 'refuses spec.containers[0].env[0].valueFrom.fileKeyRef.path and 3 more',
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
              { name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: '../a', key: 'K' } } },
              { name: 'B', valueFrom: { fileKeyRef: { volumeName: 'w', path: 'a', key: '' } } },
            ],
          },
        ],
        volumes: [{ name: 'v', configMap: { name: 'x' } }],
      },
    },
    errors: [
      'spec.containers[0].env[0].valueFrom.fileKeyRef.path: Invalid value: "../a": must not contain \'..\'',
      'spec.containers[0].env[1].valueFrom.fileKeyRef.key: Required value',
      'spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Invalid value: "v": referenced volume must be of type emptyDir',
      'spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName: Not found: "w"',
    ],
  },
  {
    name: 'fills in spec.resources.limits.cpu, spec.resources.requests.cpu and 2 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        resources: { limits: { cpu: 2, memory: '1Gi' }, requests: { cpu: 1 } },
      },
    },
    has: {
      'spec.resources.limits.cpu': '2',
      'spec.resources.requests.cpu': '1',
      'spec.resources.requests.memory': '1Gi',
      'status.qosClass': 'Burstable',
    },
  },
  {
    name: 'fills in spec.containers[0].resources.requests.cpu, spec.resources.limits.cpu and 3 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', resources: { requests: { cpu: 1, memory: '10Mi' } } }],
        resources: { limits: { cpu: 2, memory: '1Gi' } },
      },
    },
    has: {
      'spec.containers[0].resources.requests.cpu': '1',
      'spec.resources.limits.cpu': '2',
      'spec.resources.requests.cpu': '1',
      'spec.resources.requests.memory': '10Mi',
      'status.qosClass': 'Burstable',
    },
  },
  {
    name: 'refuses spec.resources.limits[foo] and 2 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', resources: { requests: { cpu: 3 }, limits: { cpu: 4 } } }],
        resources: { limits: { cpu: 2, foo: 1 }, requests: { cpu: 1 } },
      },
    },
    errors: [
      'spec.resources.limits[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 3',
      'spec.resources.containers[0][cpu].limits: Invalid value: "4": must be less than or equal to pod limits of 2',
    ],
  },
  {
    name: 'takes what is complete (3)',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx', volumeMounts: [{ name: 'a', mountPath: '/x' }] }],
        volumes: [{ name: 'a', emptyDir: {} }],
      },
    },
  },
  {
    name: 'fills in spec.initContainers[0].resources, spec.initContainers[0].terminationMessagePath and 10 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        initContainers: [
          { name: 'i', image: 'a' },
          { name: 's', image: 'b', restartPolicy: 'Always', livenessProbe: { exec: { command: ['a'] } } },
        ],
      },
    },
    has: {
      'spec.initContainers[0].resources': {},
      'spec.initContainers[0].terminationMessagePath': '/dev/termination-log',
      'spec.initContainers[0].terminationMessagePolicy': 'File',
      'spec.initContainers[0].imagePullPolicy': 'Always',
      'spec.initContainers[1].resources': {},
      'spec.initContainers[1].livenessProbe.timeoutSeconds': 1,
      'spec.initContainers[1].livenessProbe.periodSeconds': 10,
      'spec.initContainers[1].livenessProbe.successThreshold': 1,
      'spec.initContainers[1].livenessProbe.failureThreshold': 3,
      'spec.initContainers[1].terminationMessagePath': '/dev/termination-log',
      'spec.initContainers[1].terminationMessagePolicy': 'File',
      'spec.initContainers[1].imagePullPolicy': 'Always',
    },
  },
  {
    name: 'refuses spec.initContainers[0].name and 5 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        initContainers: [
          { name: 'c', image: 'a', livenessProbe: { exec: { command: ['a'] } }, lifecycle: { preStop: { exec: { command: ['a'] } } } },
          { name: 's', image: 'b', restartPolicy: 'Foo' },
          { name: 's', image: 'b', resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] },
        ],
      },
    },
    errors: [
      'spec.initContainers[0].name: Duplicate value: "c"',
      'spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
      'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      'spec.initContainers[1].restartPolicy: Unsupported value: "Foo": supported values: "Always", "Never", "OnFailure"',
      'spec.initContainers[2].name: Duplicate value: "s"',
      'spec.initContainers[2].resizePolicy[0].restartPolicy: Invalid value: "RestartContainer": must not be set to \'RestartContainer\' for non-sidecar initContainers',
    ],
  },
  {
    name: 'refuses spec.ephemeralContainers',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        ephemeralContainers: [{ name: 'e', image: 'a' }],
      },
    },
    errors: ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
  },
  {
    name: 'refuses spec.containers[1].name',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [
          { name: 'a', image: 'b' },
          { name: 'a', image: 'c' },
        ],
      },
    },
    errors: ['spec.containers[1].name: Duplicate value: "a"'],
  },
  {
    name: 'refuses spec.containers',
    given: { apiVersion: 'v1', kind: 'Pod', spec: { automountServiceAccountToken: false, containers: [] } },
    errors: ['spec.containers: Required value'],
  },
  {
    name: 'refuses spec.restartPolicy and 1 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx' }], restartPolicy: 'Foo', dnsPolicy: 'Bar' },
    },
    errors: [
      'spec.restartPolicy: Unsupported value: "Foo": supported values: "Always", "OnFailure", "Never"',
      'spec.dnsPolicy: Unsupported value: "Bar": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
    ],
  },
  {
    name: 'refuses spec.dnsConfig',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx' }], dnsPolicy: 'None' },
    },
    errors: ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
  },
  {
    name: 'refuses spec.dnsConfig.nameservers',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        dnsPolicy: 'None',
        dnsConfig: { searches: ['a.b'] },
      },
    },
    errors: ['spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None'],
  },
  {
    name: 'refuses spec.dnsConfig.nameservers and 5 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        dnsConfig: {
          nameservers: ['1.2.3.4', 'foo', '01.2.3.4', '::ffff:1.2.3.4'],
          searches: ['a.b.', 'A B', '.'],
          options: [{ name: '' }, { name: 'ndots', value: '2' }],
        },
      },
    },
    errors: [
      'spec.dnsConfig.nameservers: Invalid value: ["1.2.3.4","foo","01.2.3.4","::ffff:1.2.3.4"]: must not have more than 3 nameservers',
      'spec.dnsConfig.nameservers[1]: Invalid value: "foo": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'spec.dnsConfig.nameservers[2]: Invalid value: "01.2.3.4": must not have leading 0s',
      'spec.dnsConfig.nameservers[3]: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address',
      "spec.dnsConfig.searches[1]: Invalid value: \"A B\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')",
      'spec.dnsConfig.options[0]: Required value: must not be empty',
    ],
  },
  {
    name: 'takes what is complete (4)',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        securityContext: {
          runAsUser: 1,
          fsGroup: 2,
          runAsNonRoot: true,
          sysctls: [{ name: 'net.a', value: 'b' }],
          seccompProfile: { type: 'RuntimeDefault' },
        },
      },
    },
  },
  {
    name: 'refuses spec.securityContext.fsGroup and 13 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        hostNetwork: true,
        hostPID: true,
        shareProcessNamespace: true,
        securityContext: {
          runAsUser: -1,
          fsGroup: -2,
          runAsGroup: 9999999999,
          supplementalGroups: [-1],
          sysctls: [
            { name: 'net.a', value: 'b' },
            { name: 'A', value: 'x' },
            { name: '', value: 'x' },
            { name: 'net.a', value: 'c' },
          ],
          seccompProfile: { type: 'Localhost' },
          fsGroupChangePolicy: 'X',
          supplementalGroupsPolicy: 'Y',
          seLinuxChangePolicy: 'MountOption',
          appArmorProfile: { type: 'Localhost', localhostProfile: ' x' },
        },
      },
    },
    errors: [
      'spec.securityContext.fsGroup: Invalid value: -2: must be between 0 and 2147483647, inclusive',
      'spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
      'spec.securityContext.runAsGroup: Invalid value: 9999999999: must be between 0 and 2147483647, inclusive',
      'spec.securityContext.supplementalGroups[0]: Invalid value: -1: must be between 0 and 2147483647, inclusive',
      'spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
      'spec.securityContext.sysctls[0].name: Invalid value: "net.a": may not be specified when \'hostNetwork\' is true',
      'spec.securityContext.sysctls[1].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
      'spec.securityContext.sysctls[2].name: Required value',
      'spec.securityContext.sysctls[3].name: Duplicate value: "net.a"',
      'spec.securityContext.sysctls[3].name: Invalid value: "net.a": may not be specified when \'hostNetwork\' is true',
      'spec.securityContext.fsGroupChangePolicy: Unsupported value: "X": supported values: "Always", "OnRootMismatch"',
      'spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
      'spec.securityContext.appArmorProfile.localhostProfile: Invalid value: " x": must not be padded with whitespace',
      'spec.securityContext.supplementalGroupsPolicy: Unsupported value: "Y": supported values: "Merge", "Strict"',
      'spec.securityContext.seLinuxChangePolicy: Unsupported value: "MountOption": supported values: "Recursive"',
    ],
  },
  {
    name: 'fills in spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].key, spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].operator and 1 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { labels: { app: 'x' } },
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }],
            },
          },
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'k', labelSelector: { matchLabels: { a: 'b' } }, matchLabelKeys: ['app'] },
            ],
          },
        },
      },
    },
    has: {
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].key': 'app',
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].operator': 'In',
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].values': ['x'],
    },
  },
  {
    name: 'refuses spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values and 16 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                {
                  matchExpressions: [
                    { key: 'a b', operator: 'In' },
                    { key: 'a', operator: 'Foo', values: ['b'] },
                    { key: 'a', operator: 'Gt', values: ['b', 'c'] },
                    { key: 'a', operator: 'Exists', values: ['b c'] },
                  ],
                  matchFields: [
                    { key: 'metadata.foo', operator: 'In', values: ['a'] },
                    { key: 'metadata.name', operator: 'Exists' },
                  ],
                },
              ],
            },
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 0, preference: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b c'] }] } },
            ],
          },
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: '' },
              { topologyKey: 'a', namespaces: ['A_'], matchLabelKeys: ['x'] },
              { topologyKey: 'a', labelSelector: { matchLabels: { a: 'b' } }, matchLabelKeys: ['a b', 'x'], mismatchLabelKeys: ['x'] },
            ],
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 101, podAffinityTerm: { topologyKey: '', labelSelector: { matchExpressions: [{ key: 'a', operator: 'X' }] } } },
            ],
          },
        },
      },
    },
    errors: [
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[1].operator: Invalid value: "Foo": not a valid selector operator',
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[2].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[3].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[3].values[0]: Invalid value: \"b c\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "metadata.foo": not a valid field selector key',
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[1].operator: Invalid value: "Exists": not a valid selector operator',
      'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100',
      'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty',
      'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty',
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[1].namespace: Invalid value: \"A_\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[1].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set',
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[2].matchLabelKeys[0]: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[2].matchLabelKeys[1]: Invalid value: "x": exists in both matchLabelKeys and mismatchLabelKeys',
      'spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
      'spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector.matchExpressions[0].operator: Invalid value: "X": not a valid selector operator',
      'spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Required value: can not be empty',
      'spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Invalid value: "": name part must be non-empty',
      "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ],
  },
  {
    name: 'refuses spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
      },
    },
    errors: [
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
    ],
  },
  {
    name: 'fills in spec.topologySpreadConstraints[0].labelSelector.matchExpressions[0].key, spec.topologySpreadConstraints[0].labelSelector.matchExpressions[0].operator and 1 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { labels: { v: '1' } },
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'a',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'x' } },
            matchLabelKeys: ['v'],
          },
        ],
      },
    },
    has: {
      'spec.topologySpreadConstraints[0].labelSelector.matchExpressions[0].key': 'v',
      'spec.topologySpreadConstraints[0].labelSelector.matchExpressions[0].operator': 'In',
      'spec.topologySpreadConstraints[0].labelSelector.matchExpressions[0].values': ['1'],
    },
  },
  {
    name: 'refuses spec.topologySpreadConstraints[0].maxSkew and 6 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        topologySpreadConstraints: [
          { maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'Foo' },
          { maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'ScheduleAnyway', minDomains: 0, nodeAffinityPolicy: 'X' },
          { maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'ScheduleAnyway', matchLabelKeys: ['a'] },
        ],
      },
    },
    errors: [
      'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
      'spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty',
      'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Foo": supported values: "DoNotSchedule", "ScheduleAnyway"',
      'spec.topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}: Duplicate value: "{a, ScheduleAnyway}"',
      'spec.topologySpreadConstraints[1].minDomains: Invalid value: 0: must be greater than zero',
      'spec.topologySpreadConstraints[1].minDomains: Invalid value: 0: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway',
      'spec.topologySpreadConstraints[1].nodeAffinityPolicy: Unsupported value: "X": supported values: "Honor", "Ignore"',
      'spec.topologySpreadConstraints[2].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set',
    ],
  },
  {
    name: 'takes what is complete (5)',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 0 }, { operator: 'Exists' }],
      },
    },
  },
  {
    name: 'refuses spec.tolerations[0].key and 6 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        tolerations: [
          { key: 'a b', operator: 'Foo' },
          { operator: 'Equal', value: 'x' },
          { key: 'a', operator: 'Exists', value: 'y' },
          { key: 'a', effect: 'Bar', tolerationSeconds: 5 },
          { key: 'a', operator: 'Gt', value: '5' },
          { key: 'a', value: 'b c' },
        ],
      },
    },
    errors: [
      "spec.tolerations[0].key: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.tolerations[0].operator: Unsupported value: "Foo": supported values: "Equal", "Exists"',
      'spec.tolerations[1].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      'spec.tolerations[2].operator: Invalid value: "y": value must be empty when `operator` is \'Exists\'',
      'spec.tolerations[3].effect: Invalid value: "Bar": effect must be \'NoExecute\' when `tolerationSeconds` is set',
      'spec.tolerations[3].effect: Unsupported value: "Bar": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      'spec.tolerations[4].operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", "Gt"',
      "spec.tolerations[5].operator: Invalid value: \"b c\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
  },
  {
    name: 'takes what is complete (6)',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx' }], hostnameOverride: 'abc.def' },
    },
  },
  {
    name: 'refuses spec.hostnameOverride',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        hostnameOverride: '',
        hostNetwork: true,
        setHostnameAsFQDN: true,
      },
    },
    errors: [
      'spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true',
      'spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true',
      "spec.hostnameOverride: Invalid value: \"\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  },
  {
    name: 'fills in status.conditions[0].type, status.conditions[0].status and 2 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx' }], schedulingGates: [{ name: 'a.b/c' }] },
    },
    has: {
      'status.conditions[0].type': 'PodScheduled',
      'status.conditions[0].status': 'False',
      'status.conditions[0].reason': 'SchedulingGated',
      'status.conditions[0].message': 'Scheduling is blocked due to non-empty scheduling gates',
    },
  },
  {
    name: 'refuses spec.schedulingGates[0] and 2 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        nodeName: 'n',
        schedulingGates: [{ name: 'a b' }, { name: 'x' }, { name: 'x' }],
      },
    },
    errors: [
      "spec.schedulingGates[0]: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.schedulingGates[2]: Duplicate value: "x"',
      'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
    ],
  },
  {
    name: 'refuses spec.readinessGates[1].conditionType',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        readinessGates: [{ conditionType: 'a/b' }, { conditionType: 'a b' }],
      },
    },
    errors: [
      "spec.readinessGates[1].conditionType: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ],
  },
  {
    name: 'refuses spec.securityContext.windowsOptions.runAsUserName and 1 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        os: { name: 'linux' },
        securityContext: { windowsOptions: { runAsUserName: 'a\\b\\c' } },
      },
    },
    errors: [
      'spec.securityContext.windowsOptions.runAsUserName: Invalid value: "a\\\\b\\\\c": runAsUserName cannot contain more than one backslash',
      'spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod',
    ],
  },
  {
    name: 'refuses spec.hostPID and 3 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'x', securityContext: { privileged: false } }],
        os: { name: 'windows' },
        hostPID: true,
        securityContext: { runAsUser: 1, fsGroup: 1 },
      },
    },
    errors: [
      'spec.hostPID: Forbidden: cannot be set for a windows pod',
      'spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod',
      'spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod',
      'spec.containers[0].securityContext.privileged: Forbidden: cannot be set for a windows pod',
    ],
  },
  {
    name: 'refuses spec.os',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx' }], os: { name: 'mac' } },
    },
    errors: ['spec.os: Unsupported value: "mac": supported values: "linux", "windows"'],
  },
  {
    name: 'refuses spec.os.name',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx' }], os: { name: '' } },
    },
    errors: ['spec.os.name: Required value'],
  },
  {
    name: 'refuses spec.hostNetwork and 1 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        hostUsers: false,
        hostNetwork: true,
        hostIPC: true,
      },
    },
    errors: ['spec.hostNetwork: Forbidden: when `hostUsers` is false', 'spec.HostIPC: Forbidden: when `hostUsers` is false'],
  },
  {
    name: 'takes what is complete (7)',
    given: { apiVersion: 'v1', kind: 'Pod', spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx' }] } },
  },
  {
    name: 'refuses spec.containers[0].resources.claims[1]',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'a', resources: { claims: [{ name: 'a' }, { name: 'b' }] } }],
        resourceClaims: [{ name: 'a', resourceClaimName: 'x' }],
      },
    },
    errors: ['spec.containers[0].resources.claims[1]: Not found: "b": must be one of the names in pod.spec.resourceClaims: a'],
  },
  {
    name: 'refuses metadata.annotations[controller.kubernetes.io/pod-deletion-cost] and 2 more',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        annotations: {
          'controller.kubernetes.io/pod-deletion-cost': 'abc',
          'container.apparmor.security.beta.kubernetes.io/zz': 'foo',
          'seccomp.security.alpha.kubernetes.io/pod': 'bar',
        },
      },
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx' }] },
    },
    errors: [
      'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "abc": must be a 32bit integer',
      'metadata.annotations[container.apparmor.security.beta.kubernetes.io/zz]: Invalid value: "zz": container not found',
      'metadata.annotations[container.apparmor.security.beta.kubernetes.io/zz]: Invalid value: "foo": invalid AppArmor profile name: "foo"',
      'metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "bar": must be a valid seccomp profile',
    ],
  },
  {
    name: 'refuses metadata.annotations[kubernetes.io/config.mirror]',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } },
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx' }] },
    },
    errors: [
      'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
    ],
  },
  {
    name: 'takes what is complete (8)',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        terminationGracePeriodSeconds: 0,
        activeDeadlineSeconds: 5,
      },
    },
  },
  {
    name: 'fills in spec.terminationGracePeriodSeconds',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx' }], terminationGracePeriodSeconds: -5 },
    },
    has: { 'spec.terminationGracePeriodSeconds': 1 },
  },
  {
    name: 'warns of spec.imagePullSecrets[0].name',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        imagePullSecrets: [{ name: '' }, { name: 'a' }],
      },
    },
    has: { 'spec.imagePullSecrets[0]': {} },
    warnings: ['spec.imagePullSecrets[0].name: invalid empty name ""'],
  },
  {
    name: 'takes what is complete (9)',
    given: { apiVersion: 'v1', kind: 'Pod', spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nginx' }] } },
  },
]);

testUpdates(
  {
    apiVersion: 'v1',
    kind: 'Pod',
    spec: {
      automountServiceAccountToken: false,
      activeDeadlineSeconds: 100,
      containers: [{ name: 'a', image: 'x', resources: { requests: { cpu: '100m' }, limits: { cpu: '200m' } } }],
      tolerations: [{ key: 'a', operator: 'Exists' }],
      schedulingGates: [{ name: 'x/y' }],
      nodeSelector: { a: 'b' },
    },
  },
  [
    {
      name: 'update: takes spec.containers',
      change: {
        spec: {
          containers: [
            {
              name: 'a',
              image: 'y',
              terminationMessagePath: '/dev/termination-log',
              terminationMessagePolicy: 'File',
              imagePullPolicy: 'Always',
              resources: { requests: { cpu: '100m' }, limits: { cpu: '200m' } },
            },
          ],
        },
      },
    },
    { name: 'update: takes metadata.labels', change: { metadata: { labels: { a: 'b' } } } },
    {
      name: 'update: refuses spec',
      change: { spec: { restartPolicy: 'Never' } },
      errors: [
        'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      ],
    },
    {
      name: 'update: refuses spec.activeDeadlineSeconds',
      change: { spec: { activeDeadlineSeconds: 200 } },
      errors: ['spec.activeDeadlineSeconds: Invalid value: 200: must be less than or equal to previous value'],
    },
    { name: 'update: takes spec.activeDeadlineSeconds', change: { spec: { activeDeadlineSeconds: 50 } } },
    {
      name: 'update: refuses spec.activeDeadlineSeconds',
      change: { spec: { activeDeadlineSeconds: null } },
      errors: ['spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value'],
    },
    {
      name: 'update: refuses spec.tolerations',
      change: { spec: { tolerations: [{ key: 'b', operator: 'Exists' }] } },
      errors: ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
    },
    { name: 'update: takes spec.schedulingGates', change: { spec: { schedulingGates: null } } },
    {
      name: 'update: refuses spec.schedulingGates[1].name',
      change: { spec: { schedulingGates: [{ name: 'x/y' }, { name: 'x/z' }] } },
      errors: ["spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'x/z'"],
    },
    { name: 'update: takes spec.nodeSelector', change: { spec: { nodeSelector: { a: 'b', c: 'd' } } } },
    {
      name: 'update: refuses spec.nodeSelector',
      change: { spec: { nodeSelector: { a: 'c' } } },
      errors: ['spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)'],
    },
    {
      name: 'update: refuses spec.containers',
      change: {
        spec: {
          containers: [
            { name: 'a', image: 'x' },
            { name: 'b', image: 'y' },
          ],
        },
      },
      errors: ['spec.containers: Forbidden: pod updates may not add or remove containers'],
    },
    {
      name: 'update: refuses spec',
      change: { spec: { containers: [{ name: 'b', image: 'x' }] } },
      errors: [
        'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      ],
    },
    {
      name: 'resize: takes spec.containers',
      change: { spec: { containers: [{ name: 'a', image: 'x', resources: { requests: { cpu: '150m' }, limits: { cpu: '200m' } } }] } },
      subresource: 'resize',
    },
    {
      name: 'resize: refuses spec.containers[0].resources.limits',
      change: { spec: { containers: [{ name: 'a', image: 'x', resources: { requests: { cpu: '150m' } } }] } },
      subresource: 'resize',
      errors: ['spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed'],
    },
    {
      name: 'resize: refuses spec',
      change: {
        spec: {
          containers: [
            { name: 'a', image: 'x', resources: { requests: { cpu: '200m', memory: '1Gi' }, limits: { cpu: '200m', memory: '1Gi' } } },
          ],
        },
      },
      subresource: 'resize',
      errors: ['spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing'],
    },
    {
      name: 'resize: refuses spec',
      change: {
        spec: {
          containers: [
            {
              name: 'a',
              image: 'z',
              resources: { requests: { cpu: '100m', 'example.com/a': 1 }, limits: { cpu: '200m', 'example.com/a': 1 } },
            },
          ],
        },
      },
      subresource: 'resize',
      errors: ['spec: Forbidden: only cpu and memory resources are mutable'],
    },
    {
      name: 'resize: refuses spec and 1 more',
      change: {
        spec: {
          containers: [
            { name: 'a', image: 'z' },
            { name: 'b', image: 'z' },
          ],
        },
      },
      subresource: 'resize',
      errors: [
        'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
        'spec.containers: Forbidden: containers may not be added or removed on resize',
      ],
    },
    {
      name: 'resize: refuses spec and 1 more',
      change: { spec: { containers: [{ name: 'b', image: 'z' }] } },
      subresource: 'resize',
      errors: [
        'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
        'spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize',
      ],
    },
    {
      name: 'ephemeralcontainers: takes spec.ephemeralContainers',
      change: { spec: { ephemeralContainers: [{ name: 'd', image: 'busybox' }] } },
      subresource: 'ephemeralcontainers',
    },
    {
      name: 'ephemeralcontainers: refuses spec.ephemeralContainers[0].name and 3 more',
      change: {
        spec: {
          ephemeralContainers: [
            { name: 'a', image: 'busybox', targetContainerName: 'q', ports: [{ containerPort: 80 }], resources: { requests: { cpu: 1 } } },
          ],
        },
      },
      subresource: 'ephemeralcontainers',
      errors: [
        'spec.ephemeralContainers[0].name: Duplicate value: "a"',
        'spec.ephemeralContainers[0].targetContainerName: Not found: "q"',
        'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
        'spec.ephemeralContainers[0].resources: Forbidden: cannot be set for an Ephemeral Container',
      ],
    },
    {
      name: 'status: refuses status.nominatedNodeName and 1 more',
      change: {
        status: {
          phase: 'Running',
          podIP: 'x',
          nominatedNodeName: 'A B',
          containerStatuses: [{ name: 'q', image: 'a', imageID: 'b', ready: true, restartCount: 0 }],
        },
      },
      subresource: 'status',
      errors: [
        "status.nominatedNodeName: Invalid value: \"A B\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        'status.podIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    },
  ],
);
