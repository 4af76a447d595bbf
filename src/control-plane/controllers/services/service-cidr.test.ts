import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IPAddress, ServiceCIDR } from '../../../api/generated/kinds.ts';
import { isHeld } from './service-cidr.ts';

const cidr = (name: string, ...cidrs: readonly string[]): ServiceCIDR =>
  ({ metadata: { name, uid: name }, spec: { cidrs } }) as unknown as ServiceCIDR;
const address = (name: string, managedBy = 'ipallocator.k8s.io'): IPAddress =>
  ({ metadata: { name, labels: { 'ipaddress.kubernetes.io/managed-by': managedBy } } }) as unknown as IPAddress;

const own = cidr('own', '10.1.0.0/24', '2001:db8::/64');

const rows = [
  { name: 'nothing has an address', others: [], addresses: [], want: false },
  { name: 'a Service has one of it', others: [], addresses: [address('10.1.0.7')], want: true },
  { name: 'a Service has one of its second family', others: [], addresses: [address('2001:db8::7')], want: true },
  { name: 'a Service has one of another range', others: [], addresses: [address('10.2.0.7')], want: false },
  { name: 'somebody else keeps an address', others: [], addresses: [address('10.1.0.7', 'me')], want: false },
  {
    name: 'its network and broadcast addresses are nobody’s',
    others: [],
    addresses: [address('10.1.0.0'), address('10.1.0.255')],
    want: false,
  },
  { name: 'a wider one has all', others: [cidr('wide', '10.0.0.0/8', '2001:db8::/32')], addresses: [address('10.1.0.7')], want: false },
  { name: 'a wider one has one family only', others: [cidr('wide', '10.0.0.0/8')], addresses: [address('2001:db8::7')], want: true },
  { name: 'a twin has the same', others: [cidr('twin', '10.1.0.0/24')], addresses: [address('10.1.0.7')], want: false },
  { name: 'a smaller one has the address', others: [cidr('small', '10.1.0.0/28')], addresses: [address('10.1.0.7')], want: false },
  { name: 'a smaller one has another part', others: [cidr('small', '10.1.0.16/28')], addresses: [address('10.1.0.7')], want: true },
  { name: 'a smaller one does not give it out', others: [cidr('small', '10.1.0.0/29')], addresses: [address('10.1.0.7')], want: true },
  {
    name: 'two small ones have some of two',
    others: [cidr('a', '10.1.0.0/28'), cidr('b', '10.1.0.16/28')],
    addresses: [address('10.1.0.7'), address('10.1.0.20'), address('10.1.0.40')],
    want: true,
  },
];

for (const { name, others, addresses, want } of rows) {
  test(`a ServiceCIDR is ${want ? 'held' : 'free'}: ${name}`, () => assert.equal(isHeld(own, [own, ...others], addresses), want));
}
