/** 200 policies and 1,000 pods of both families in a real kernel: nft takes their rules whole and as differences, and says how long that took. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { NetworkPolicySpec } from '../../src/api/generated/networking-v1.ts';
import { realClock } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { networkTools } from '../../src/node/network/network-tools.ts';
import { KeptTable } from '../../src/node/nft/kept-table.ts';
import type { PolicyPod } from '../../src/node/policy/policy-pod.ts';
import { type PolicySide, sidesOf } from '../../src/node/policy/policy-rules.ts';
import { PolicyPlanner, policyTable } from '../../src/node/policy/ruleset.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const families = ['IPv4', 'IPv6'] as const;
const apps = ['web', 'api', 'db', 'cache', 'queue'] as const;
const namespaces = Array.from({ length: 20 }, (_, i) => ({ name: `ns-${i}`, labels: { team: `t${i % 5}` } }));
const namespaceOf = (i: number) => namespaces[i % namespaces.length] ?? assert.fail();

function pod(i: number): PolicyPod {
  const { name, labels } = namespaceOf(i);
  return {
    namespace: name,
    namespaceLabels: labels,
    labels: { app: apps[(i >> 2) % apps.length] ?? '' },
    ips: [`10.244.${i >> 8}.${i & 255}`, `fd00::${i.toString(16)}`],
    namedPorts: { 'tcp/http': 8080 },
    isLocal: i % 9 === 0,
  };
}

function policy(i: number): PolicySide[] {
  const spec: NetworkPolicySpec = {
    podSelector: { matchLabels: { app: apps[i % apps.length] ?? '' } },
    policyTypes: i % 3 === 0 ? ['Ingress', 'Egress'] : ['Ingress'],
    ingress: [
      {
        from: [
          { podSelector: { matchLabels: { app: apps[(i + 1) % apps.length] ?? '' } } },
          { namespaceSelector: { matchLabels: { team: `t${i % 5}` } } },
        ],
        ports: [{ port: 8080 }, { port: 'http' }, { protocol: 'SCTP', port: 9000, endPort: 9010 }],
      },
    ],
    egress: [{ to: ['0.0.0.0/0', '::/0'].map((cidr, n) => ({ ipBlock: { cidr, except: [n === 0 ? '10.0.0.0/8' : 'fd00::/8'] } })) }],
  };
  const metadata = {
    name: `p-${i}`,
    namespace: namespaceOf(i).name,
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  return sidesOf({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec });
}

if (inOwnNamespaces(import.meta.url))
  it('200 policies and 1,000 pods, then one more or less of each', async (t) => {
    const planner = new PolicyPlanner(families);
    const servers = families.map((_, i) => ({
      pod: { namespace: 'kube-system', namespaceLabels: {}, labels: {} },
      ip: ['172.31.0.1', 'fd01::1'][i] ?? '',
      protocol: 'udp' as const,
      port: 53,
      portName: 'dns',
      nodePort: 5353,
    }));
    const pods = new Map(Array.from({ length: 1000 }, (_, i) => [i, pod(i)]));
    let sides = Array.from({ length: 200 }, (_, i) => policy(i)).flat();
    const plan = () => planner.plan({ sides, pods: pods.values(), servers });
    const table = policyTable('timonier-test-policy', families);
    await using kept = new KeptTable({ table, tools: networkTools(), clock: realClock, log: silentLog, plan });
    const settle = async (what: string): Promise<void> => {
      const start = performance.now();
      kept.changed();
      await kept.settled();
      t.diagnostic(`${what}: ${(performance.now() - start).toFixed(0)} ms`);
    };
    await settle('all');
    for (const i of [1008, 1017, 1026]) {
      pods.set(i, pod(i));
      await settle('a pod more');
    }
    for (const i of [0, 9, 18]) {
      pods.delete(i);
      await settle('a pod less');
    }
    for (const i of [1, 2, 3]) {
      sides = sides.filter(({ id }) => id !== `ns-${i}.p-${i}`);
      await settle('a policy less');
    }
    for (const i of [201, 202, 203]) {
      sides = [...sides, ...policy(i)];
      await settle('a policy more');
    }
    sides = sidesOf({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'large', namespace: 'ns-0', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: {
        podSelector: {},
        ingress: [
          {
            from: [
              { ipBlock: { cidr: '0.0.0.0/0', except: ['0.0.0.0/8', '255.0.0.0/8'] } },
              { ipBlock: { cidr: '::/0', except: ['fd00::/8'] } },
              { podSelector: {} },
            ],
            ports: [{ port: 80 }],
          },
          {
            from: Array.from({ length: 3000 }, (_, i) => ({ ipBlock: { cidr: `20.${i >> 8}.${i & 255}.0/25` } })),
            ports: [
              ...Array.from({ length: 1000 }, (_, i) => ({ port: 2 * i + 1 })),
              ...Array.from({ length: 1000 }, (_, i) => ({ port: `p${i}` })),
            ],
          },
        ],
      },
    });
    await settle('3,000 blocks with 2,000 ports');
    assert.ok(kept.ruleset.chains.has('in.ns-0.large'));
    sides = [];
    await settle('none');
    assert.equal(kept.ruleset.chains.size, 0);
  });
