import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planRuleset } from './ruleset.ts';
import type { ServicePort } from './service-ports.ts';

const here = { ip: '10.244.0.2', port: 8080 };
const there = { ip: '10.244.1.2', port: 8080 };
const local: ServicePort = {
  id: 'shop/web:/TCP',
  protocol: 'tcp',
  clusterIP: '10.96.0.1',
  port: 80,
  nodePort: 30_080,
  externalIPs: [],
  affinitySeconds: 0,
  internalPolicy: 'Cluster',
  externalPolicy: 'Local',
  clusterEndpoints: [here, there],
  localEndpoints: [here],
};
const inside = ['ip saddr @pods goto svc-…', 'fib saddr type local meta mark set meta mark or 0x4000 goto svc-…'];
const cases = [
  { name: 'from outside to the node’s own endpoints', given: local, want: [...inside, 'goto loc-…'], refused: [] },
  {
    name: 'without one of its own: dropped from outside, led on from inside',
    given: { ...local, clusterEndpoints: [there], localEndpoints: [] },
    want: inside,
    refused: ['tcp . 30080 -> drop'],
  },
  {
    name: 'without any: refused',
    given: { ...local, clusterEndpoints: [], localEndpoints: [] },
    want: undefined,
    refused: ['tcp . 30080 -> goto refuse'],
  },
];
for (const { name, given, want, refused } of cases) {
  test(`externalTrafficPolicy Local, ${name}`, () => {
    const { chains, elements } = planRuleset([given]);
    const external = [...chains].find(([chain]) => chain.startsWith('ext-'))?.[1];
    assert.deepEqual(
      external?.map((rule) => rule.replace(/[0-9a-f]{16}/, '…')),
      want,
    );
    assert.deepEqual(
      [...(elements.get('unserved-node-ports') ?? [])].map(([key, value]) => `${key} -> ${value}`),
      refused,
    );
  });
}

test('a load balancer lets in its ranges only', () => {
  const guarded = { ips: ['192.0.2.9'], ranges: ['198.51.100.0/24'] };
  const { chains, elements } = planRuleset([{ ...local, externalIPs: ['192.0.2.9'], guarded }]);
  const [[key, verdict] = []] = [...(elements.get('guarded-ips') ?? [])];
  assert.equal(key, '192.0.2.9 . tcp . 80');
  assert.deepEqual(chains.get(verdict?.replace('goto ', '') ?? ''), ['ip saddr 198.51.100.0/24 return', 'drop']);
});
