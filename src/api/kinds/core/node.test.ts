/** Node: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in status.daemonEndpoints.kubeletEndpoint.Port, status.nodeInfo.machineID and 9 more',
    given: { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } },
    has: {
      'status.daemonEndpoints.kubeletEndpoint.Port': 0,
      'status.nodeInfo.machineID': '',
      'status.nodeInfo.systemUUID': '',
      'status.nodeInfo.bootID': '',
      'status.nodeInfo.kernelVersion': '',
      'status.nodeInfo.osImage': '',
      'status.nodeInfo.containerRuntimeVersion': '',
      'status.nodeInfo.kubeletVersion': '',
      'status.nodeInfo.kubeProxyVersion': '',
      'status.nodeInfo.operatingSystem': '',
      'status.nodeInfo.architecture': '',
    },
  },
  {
    name: 'fills in spec.podCIDRs, status.capacity.cpu and 14 more',
    given: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n1' },
      spec: { podCIDR: '10.0.0.0/24', taints: [{ key: 'a', effect: 'NoSchedule' }] },
      status: { capacity: { cpu: 2, memory: '1024Mi' } },
    },
    has: {
      'spec.podCIDRs': ['10.0.0.0/24'],
      'status.capacity.cpu': '2',
      'status.capacity.memory': '1Gi',
      'status.allocatable.cpu': '2',
      'status.allocatable.memory': '1Gi',
      'status.daemonEndpoints.kubeletEndpoint.Port': 0,
      'status.nodeInfo.machineID': '',
      'status.nodeInfo.systemUUID': '',
      'status.nodeInfo.bootID': '',
      'status.nodeInfo.kernelVersion': '',
      'status.nodeInfo.osImage': '',
      'status.nodeInfo.containerRuntimeVersion': '',
      'status.nodeInfo.kubeletVersion': '',
      'status.nodeInfo.kubeProxyVersion': '',
      'status.nodeInfo.operatingSystem': '',
      'status.nodeInfo.architecture': '',
    },
  },
  {
    name: 'warns of spec.externalID and 1 more',
    given: { apiVersion: 'v1', kind: 'Node', spec: { externalID: 'x', podCIDRs: ['2001:DB8::/64'] } },
    has: {
      'spec.podCIDR': '2001:DB8::/64',
      'status.daemonEndpoints.kubeletEndpoint.Port': 0,
      'status.nodeInfo.machineID': '',
      'status.nodeInfo.systemUUID': '',
      'status.nodeInfo.bootID': '',
      'status.nodeInfo.kernelVersion': '',
      'status.nodeInfo.osImage': '',
      'status.nodeInfo.containerRuntimeVersion': '',
      'status.nodeInfo.kubeletVersion': '',
      'status.nodeInfo.kubeProxyVersion': '',
      'status.nodeInfo.operatingSystem': '',
      'status.nodeInfo.architecture': '',
    },
    warnings: [
      'spec.externalID: this field is deprecated, and is unused by Kubernetes',
      'spec.podCIDRs[0]: IPv6 CIDR value "2001:DB8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")',
    ],
  },
]);

testUpdates({ apiVersion: 'v1', kind: 'Node', spec: { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'], providerID: 'a' } }, [
  {
    name: 'update: refuses spec.podCIDRs',
    change: { spec: { podCIDR: '10.2.0.0/24', podCIDRs: ['10.2.0.0/24'] } },
    errors: ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'],
  },
  {
    name: 'update: refuses spec.providerID',
    change: { spec: { providerID: 'b' } },
    errors: ['spec.providerID: Forbidden: node updates may not change providerID except from "" to valid'],
  },
  { name: 'update: takes spec.taints', change: { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } } },
  { name: 'update: takes spec.unschedulable', change: { spec: { unschedulable: true } } },
  {
    name: 'status: refuses status.capacity.foo and 1 more',
    change: { status: { capacity: { cpu: 1, foo: -1 }, conditions: [{ type: 'Ready', status: 'True' }] } },
    subresource: 'status',
    errors: [
      'status.capacity.foo: Invalid value: "-1": must be greater than or equal to 0',
      'status.allocatable.foo: Invalid value: "-1": must be greater than or equal to 0',
    ],
  },
]);

testCells([
  {
    name: 'shows Unknown,SchedulingDisabled, a,control-plane,q, 27h',
    object: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        labels: { 'node-role.kubernetes.io/control-plane': '', 'node-role.kubernetes.io/a': '', 'kubernetes.io/role': 'q' },
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
      spec: { unschedulable: true },
    },
    cells: ['x', 'Unknown,SchedulingDisabled', 'a,control-plane,q', '27h', '', '<none>', '<none>', '<unknown>', '<unknown>', '<unknown>'],
  },
  {
    name: 'shows Ready,SchedulingDisabled, a,control-plane,q, 27h',
    object: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        labels: { 'node-role.kubernetes.io/control-plane': '', 'node-role.kubernetes.io/a': '', 'kubernetes.io/role': 'q' },
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [
          { type: 'InternalIP', address: '1.2.3.4' },
          { type: 'ExternalIP', address: '2.3.4.5' },
        ],
        nodeInfo: {
          osImage: 'Foo',
          kernelVersion: '5',
          containerRuntimeVersion: 'containerd://2',
          kubeletVersion: 'v1.36',
          architecture: 'a',
          bootID: 'a',
          kubeProxyVersion: 'a',
          machineID: 'a',
          operatingSystem: 'a',
          systemUUID: 'a',
        },
      },
    },
    cells: ['x', 'Ready,SchedulingDisabled', 'a,control-plane,q', '27h', 'v1.36', '1.2.3.4', '2.3.4.5', 'Foo', '5 (a)', 'containerd://2'],
  },
  {
    name: 'shows NotReady,SchedulingDisabled, a,control-plane,q, 27h',
    object: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        labels: { 'node-role.kubernetes.io/control-plane': '', 'node-role.kubernetes.io/a': '', 'kubernetes.io/role': 'q' },
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
      spec: { unschedulable: true },
      status: { conditions: [{ type: 'Ready', status: 'Unknown' }] },
    },
    cells: ['x', 'NotReady,SchedulingDisabled', 'a,control-plane,q', '27h', '', '<none>', '<none>', '<unknown>', '<unknown>', '<unknown>'],
  },
]);
