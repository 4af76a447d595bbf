/** Traffic policies by a kernel that has the proxy's rules: real connections between namespaces of the test's own. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { networkTools } from '../../src/node/network/network-tools.ts';
import { renderDifference, renderWhole } from '../../src/node/nft/ruleset.ts';
import { planRuleset, servicesTable } from '../../src/node/proxy/ruleset.ts';
import {
  type Client,
  clients,
  destinations,
  endpointIPs,
  endpointPort,
  expected,
  node,
  type Outcome,
  podCidr,
  serviceRows,
} from '../kit/traffic-table.ts';
import { askAll, joinNeighbours, serveIn } from './node-and-neighbours.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const table = servicesTable({ name: 'timonier-traffic-test', podCidr });
const { nft } = networkTools();
const homes: Readonly<Record<Client, string | undefined>> = {
  'a pod here': 'pod-here',
  'a pod elsewhere': 'pod-there',
  'the host': undefined,
  outside: 'outside',
};

function outcomeOf(answer: string, client: Client, wanted: Outcome): Outcome {
  if (answer === 'silent') return 'dropped';
  if (answer === 'ECONNREFUSED') return 'refused';
  const [to = '', source = ''] = answer.split(' ');
  if (!/^\d/.test(to)) return assert.fail(answer);
  // The host's own address is what masquerading takes, too.
  const isKept = source === clients[client] && client !== 'the host';
  const isWanted = typeof wanted === 'object' && wanted.to.includes(to);
  return { to: isWanted ? wanted.to : [to], source: isKept ? 'kept' : 'masqueraded' };
}

if (inOwnNamespaces(import.meta.url)) {
  describe('traffic policies in a kernel', () => {
    const servers: Disposable[] = [];
    const ruleset = planRuleset(serviceRows.flatMap(({ ports }) => ports));

    before(async () => {
      joinNeighbours(node.address, {
        here: { addresses: [endpointIPs.here], gateway: '10.244.0.1' },
        there: { addresses: [endpointIPs.there], gateway: '172.31.0.2' },
        'pod-here': { addresses: [clients['a pod here']], gateway: '10.244.0.1' },
        'pod-there': { addresses: [clients['a pod elsewhere']], gateway: '172.31.0.2' },
        outside: { addresses: [clients.outside], gateway: '198.51.100.1' },
      });
      for (const [name, address] of Object.entries(endpointIPs))
        servers.push(await serveIn(name, { addresses: [address], ports: [endpointPort] }));
      await nft(renderWhole(table, ruleset));
    });
    after(() => {
      for (const server of servers) server[Symbol.dispose]();
    });

    for (const client of Object.keys(clients) as Client[]) {
      it(`holds for ${client}`, async () => {
        const rows = serviceRows.flatMap((row) => destinations.map((destination) => ({ row, destination })));
        const from = client === 'the host' ? {} : { from: clients[client] };
        const answers = await askAll(
          homes[client],
          rows.map(({ row, destination }) => ({ ...row.addresses[destination], ...from })),
        );
        const wrong = rows.flatMap(({ row, destination }, i) => {
          const want = expected(row, destination, client);
          const got = outcomeOf(answers[i] ?? '', client, want);
          return JSON.stringify(got) === JSON.stringify(want) ? [] : [{ row: row.name, destination, got, want }];
        });
        assert.deepEqual(wrong, []);
      });
    }

    it('holds for a pod that is led to itself', async () => {
      const row = serviceRows.find(({ name }) => name.startsWith('ready here, internal Local, external Local')) ?? assert.fail();
      const asks = (['clusterIP', 'nodePort', 'externalIP'] as const).map((name) => ({ ...row.addresses[name], from: endpointIPs.here }));
      for (const answer of await askAll('here', asks)) assert.equal(answer, `${endpointIPs.here} 10.244.0.1`);
    });

    it('lets a node that has a load balancer’s address as its own in by its own address', async () => {
      const row = serviceRows.find(({ name }) => name.startsWith('ready here, internal Cluster, external Cluster')) ?? assert.fail();
      const { ip } = row.addresses.guarded;
      execFileSync('ip', ['address', 'add', `${ip}/32`, 'dev', 'lo']);
      assert.deepEqual(await askAll(undefined, [row.addresses.guarded]), ['silent']);
      const letIn = row.ports.map((port) => (port.guarded ? { ...port, guarded: { ips: [ip], ranges: ['172.31.0.0/24', ip] } } : port));
      const changed = planRuleset(serviceRows.flatMap((each) => (each === row ? letIn : each.ports)));
      await nft(renderDifference(table, ruleset, changed));
      assert.match((await askAll(undefined, [row.addresses.guarded]))[0] ?? '', /^10\.244\.0\.2 /);
      await nft(renderDifference(table, changed, ruleset));
    });
  });
}
