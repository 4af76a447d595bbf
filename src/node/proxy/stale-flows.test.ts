import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServicePort } from './service-ports.ts';
import { planStaleFlows } from './stale-flows.ts';

const endpoint = { ip: '10.244.0.7', port: 5353 };
const port: ServicePort = {
  id: 'default/dns:/UDP',
  protocol: 'udp',
  clusterIP: '10.96.0.9',
  port: 53,
  nodePort: 30_053,
  externalIPs: ['192.0.2.9'],
  affinitySeconds: 0,
  internalPolicy: 'Cluster',
  externalPolicy: 'Cluster',
  clusterEndpoints: [endpoint],
  localEndpoints: [],
};
const flow = (to: string, answerer: string): string => {
  const [dst, dport] = to.split(':');
  const [ip, sport] = answerer.split(':');
  return `udp      17 29 src=10.244.1.2 dst=${dst} sport=4000 dport=${dport} [UNREPLIED] src=${ip} dst=10.244.1.2 sport=${sport} dport=4000 mark=0 use=1`;
};

const cases = [
  { name: 'to an endpoint that is there', to: '10.96.0.9:53', answerer: '10.244.0.7:5353', stale: false },
  { name: 'to an endpoint that is gone', to: '10.96.0.9:53', answerer: '10.244.0.8:5353', stale: true },
  { name: 'to an old port of an endpoint', to: '10.96.0.9:53', answerer: '10.244.0.7:53', stale: true },
  { name: 'from before the service had an endpoint', to: '10.96.0.9:53', answerer: '10.96.0.9:53', stale: true },
  { name: 'through an external address', to: '192.0.2.9:53', answerer: '10.244.0.8:5353', stale: true },
  { name: 'through a node port', to: '172.31.0.1:30053', answerer: '10.244.0.8:5353', stale: true },
  { name: 'to the same port of another machine', to: '198.51.100.1:30053', answerer: '198.51.100.1:30053', stale: false },
  { name: 'to something else', to: '198.51.100.1:53', answerer: '198.51.100.1:53', stale: false },
];
for (const { name, to, answerer, stale } of cases) {
  test(`a flow ${name}`, () => {
    const [dst = '', dport = ''] = to.split(':');
    const want = stale ? [['--src', '10.244.1.2', '--dst', dst, '--sport', '4000', '--dport', dport]] : [];
    assert.deepEqual(planStaleFlows(`${flow(to, answerer)}\n`, [port, { ...port, protocol: 'tcp', clusterEndpoints: [] }]), want);
  });
}
