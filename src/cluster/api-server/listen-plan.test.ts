import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ListenInput, type ListenPlan, planIngress, planListening } from './listen-plan.ts';

const machineAddresses = ['127.0.0.1', '::1', '169.254.7.7', '192.168.1.5', 'fe80::1', '2001:db8::5', '10.244.0.1'];
const nodeAddress = '172.31.250.1';
const service = '10.96.0.1';

const rows: readonly { readonly name: string; readonly given: Partial<ListenInput>; readonly want: ListenPlan }[] = [
  {
    name: 'loopback',
    given: { host: '127.0.0.1' },
    want: { hosts: ['127.0.0.1'], ipAddresses: ['127.0.0.1', service], dnsNames: [], urlHost: '127.0.0.1', advertised: undefined },
  },
  {
    name: 'loopback, with a real node',
    given: { host: '127.0.0.1', nodeAddress },
    want: {
      hosts: ['127.0.0.1', nodeAddress],
      ipAddresses: ['127.0.0.1', service, nodeAddress],
      dnsNames: [],
      urlHost: '127.0.0.1',
      advertised: nodeAddress,
    },
  },
  {
    name: 'everywhere',
    given: { host: '0.0.0.0' },
    want: {
      hosts: ['0.0.0.0'],
      ipAddresses: ['127.0.0.1', '169.254.7.7', '192.168.1.5', service],
      dnsNames: [],
      urlHost: '127.0.0.1',
      advertised: '192.168.1.5',
    },
  },
  {
    name: 'everywhere, with a real node, whose address is among them',
    given: { host: '0.0.0.0', nodeAddress },
    want: {
      hosts: ['0.0.0.0'],
      ipAddresses: ['127.0.0.1', '169.254.7.7', '192.168.1.5', service, nodeAddress],
      dnsNames: [],
      urlHost: '127.0.0.1',
      advertised: nodeAddress,
    },
  },
  {
    name: 'everywhere, in both families',
    given: { host: '::' },
    want: {
      hosts: ['::'],
      ipAddresses: ['127.0.0.1', '::1', '169.254.7.7', '192.168.1.5', 'fe80::1', '2001:db8::5', service],
      dnsNames: [],
      urlHost: '127.0.0.1',
      advertised: '192.168.1.5',
    },
  },
  {
    name: 'everywhere, on a machine without a network',
    given: { host: '0.0.0.0', machineAddresses: ['127.0.0.1'] },
    want: { hosts: ['0.0.0.0'], ipAddresses: ['127.0.0.1', service], dnsNames: [], urlHost: '127.0.0.1', advertised: undefined },
  },
  {
    name: 'one address',
    given: { host: '192.168.1.5', nodeAddress },
    want: {
      hosts: ['192.168.1.5', nodeAddress],
      ipAddresses: ['127.0.0.1', '192.168.1.5', service, nodeAddress],
      dnsNames: [],
      urlHost: '192.168.1.5',
      advertised: nodeAddress,
    },
  },
  {
    name: 'the node’s own',
    given: { host: nodeAddress, nodeAddress },
    want: {
      hosts: [nodeAddress],
      ipAddresses: ['127.0.0.1', nodeAddress, service],
      dnsNames: [],
      urlHost: nodeAddress,
      advertised: nodeAddress,
    },
  },
  {
    name: 'loopback of the other family',
    given: { host: '::1' },
    want: { hosts: ['::1'], ipAddresses: ['127.0.0.1', '::1', service], dnsNames: [], urlHost: '[::1]', advertised: undefined },
  },
  {
    name: 'a name',
    given: { host: 'cluster.example' },
    want: {
      hosts: ['cluster.example'],
      ipAddresses: ['127.0.0.1', service],
      dnsNames: ['cluster.example'],
      urlHost: 'cluster.example',
      advertised: undefined,
    },
  },
];
for (const { name, given, want } of rows) {
  test(`where the API server listens: ${name}`, () => {
    const usual = { host: '127.0.0.1', apiServiceIP: service, podCIDR: '10.244.0.0/16', machineAddresses };
    assert.deepEqual(planListening({ ...usual, ...given }), want);
  });
}

for (const [host, hosts, published] of [
  ['127.0.0.1', ['127.0.0.1', '::1', nodeAddress], [nodeAddress]],
  ['0.0.0.0', ['0.0.0.0'], [nodeAddress]],
  ['192.168.1.5', ['127.0.0.1', '::1', '192.168.1.5', nodeAddress], [nodeAddress, '192.168.1.5']],
  ['cluster.example', ['127.0.0.1', '::1', 'cluster.example', nodeAddress], [nodeAddress]],
] as const)
  test(`where Ingresses are served: ${host}`, () => assert.deepEqual(planIngress({ host, nodeAddress }), { hosts, published }));
