/** ServiceCIDR: what is filled in, and what is refused. */
import { testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in status',
    given: { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', spec: { cidrs: ['10.1.0.0/16', '2001:db8::/64'] } },
    has: { status: {} },
  },
  {
    name: 'refuses spec.cidrs',
    given: { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', spec: {} },
    errors: ['spec.cidrs: Required value: at least one CIDR required'],
  },
  {
    name: 'refuses spec.cidrs (2)',
    given: { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', spec: { cidrs: ['a', 'b', 'c'] } },
    errors: ['spec.cidrs: Invalid value: {"CIDRs":["a","b","c"]}: may only hold up to 2 values'],
  },
  {
    name: 'refuses spec.cidrs[1] and 1 more',
    given: { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', spec: { cidrs: ['10.1.0.0/16', '10.2.0.1/16'] } },
    errors: [
      'spec.cidrs[1]: Invalid value: "10.2.0.1/16": must not have bits set beyond the prefix length',
      'spec.cidrs: Invalid value: ["10.1.0.0/16","10.2.0.1/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  },
  {
    name: 'refuses spec.cidrs (3)',
    given: { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', spec: { cidrs: ['10.1.0.0/16', '10.2.0.0/16'] } },
    errors: [
      'spec.cidrs: Invalid value: ["10.1.0.0/16","10.2.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  },
  ...[
    { cidr: '10.0.0.0/33', want: 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)' },
    { cidr: '010.0.0.0/8', want: 'must not have leading 0s in IP or prefix length' },
    { cidr: '2001:DB8::/64', want: 'must be in canonical form ("2001:db8::/64")' },
    { cidr: '::ffff:1.2.3.0/120', want: 'must not have an IPv4-mapped IPv6 address' },
    { cidr: '', want: 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)' },
  ].map(({ cidr, want }) => ({
    name: `refuses the CIDR "${cidr}"`,
    given: { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', spec: { cidrs: [cidr] } },
    errors: [`spec.cidrs[0]: Invalid value: ${JSON.stringify(cidr)}: ${want}`],
  })),
  {
    name: 'forgets a status that comes along',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      spec: { cidrs: ['10.1.0.0/16'] },
      status: { conditions: [{ type: 'Ready', status: 'True', reason: '', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
    },
    has: { status: {} },
  },
]);

testUpdates({ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', spec: { cidrs: ['10.200.0.0/16'] } }, [
  { name: 'update: takes spec.cidrs', change: { spec: { cidrs: ['10.200.0.0/16', '2001:db8::/64'] } } },
  {
    name: 'update: refuses spec.cidrs[0]',
    change: { spec: { cidrs: ['10.201.0.0/16'] } },
    errors: ['spec.cidrs[0]: Invalid value: "10.201.0.0/16": field is immutable'],
  },
  { name: 'update: refuses spec.cidrs', change: { spec: { cidrs: [] } }, errors: ['spec.cidrs: Invalid value: []: field is immutable'] },
]);
