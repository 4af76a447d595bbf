/** Traffic policies by the planned rules, which are read here as nftables reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Client,
  clients,
  type Destination,
  destinations,
  expected,
  node,
  type Outcome,
  type ServiceRow,
  serviceRows,
} from '../../../test/kit/traffic-table.ts';
import type { Ruleset } from '../nft/ruleset.ts';
import { planRuleset } from './ruleset.ts';

const mark = /meta mark set meta mark or 0x4000/;
type Packet = { readonly client: Client; readonly ip: string; readonly port: number };
interface Led {
  readonly to: Set<string>;
  masqueraded: boolean;
}

/** Follows a chain until a rule decides; true when one did. */
function follow({ chains }: Ruleset, chain: string, packet: Packet, led: Led): void {
  for (const rule of chains.get(chain) ?? assert.fail(`no chain ${chain}`)) {
    if (rule.startsWith('ip saddr @aff-') || rule.startsWith('update @aff-')) continue; // a client that is not known yet
    if (rule.startsWith('ip saddr @pods') && !packet.client.includes('pod')) continue;
    if (rule.startsWith('fib saddr type local') && packet.client !== 'the host') continue;
    if (mark.test(rule)) led.masqueraded = true;
    for (const [, ip = ''] of rule.matchAll(/(?:dnat to |\d : )(\d+\.\d+\.\d+\.\d+)/g)) led.to.add(ip);
    const next = [...rule.matchAll(/goto (\S+?)(?=[ ,]|$)/g)].map(([, name = '']) => name);
    for (const name of next) follow({ chains } as Ruleset, name, packet, led);
    if (next.length > 0 || rule.includes('dnat')) return;
  }
}

function judge(ruleset: Ruleset, packet: Packet): Outcome {
  const { elements, chains } = ruleset;
  const element = (name: Parameters<typeof elements.get>[0], key: string): string | undefined => elements.get(name)?.get(key);
  const address = `${packet.ip} . tcp . ${packet.port}`;
  const nodePort = packet.ip === node.address ? `tcp . ${packet.port}` : '';
  const guard = element('guarded-ips', address);
  if (guard) {
    const ranges = chains.get(guard.replace('goto ', '')) ?? [];
    const isIn = ranges.some((rule) => rule === `ip saddr ${clients[packet.client].replace(/\d+$/, '0/24')} return`);
    if (!isIn) return 'dropped';
  }
  const isClusterIP = element('cluster-ips', packet.ip) !== undefined;
  const led: Led = { to: new Set(), masqueraded: isClusterIP && !packet.client.includes('pod') };
  const verdict = element('service-ips', address) ?? element('node-ports', nodePort);
  if (verdict) follow(ruleset, verdict.replace('goto ', ''), packet, led);
  if (led.to.size > 0) return { to: [...led.to].sort(), source: led.masqueraded ? 'masqueraded' : 'kept' };
  const unserved = element('unserved-node-ports', nodePort) ?? element('unserved-ips', address);
  return unserved === 'drop' ? 'dropped' : 'refused';
}

const ruleset = planRuleset(serviceRows.flatMap(({ ports }) => ports));
const each = function* (): Generator<[ServiceRow, Destination, Client]> {
  for (const row of serviceRows)
    for (const destination of destinations) for (const client of Object.keys(clients) as Client[]) yield [row, destination, client];
};

test('every service, address and client', () => {
  for (const [row, destination, client] of each()) {
    const got = judge(ruleset, { client, ...row.addresses[destination] });
    assert.deepEqual(got, expected(row, destination, client), `${row.name}: ${client} asks ${destination}`);
  }
});

const find = (name: string): ServiceRow => serviceRows.find((row) => row.name === `${name}, affinity None`) ?? assert.fail(name);
const there = ['10.244.1.2'];
const examples = [
  { row: 'ready elsewhere, internal Local, external Cluster', client: 'a pod here', destination: 'clusterIP', want: 'dropped' },
  {
    row: 'ready elsewhere, internal Local, external Local',
    client: 'a pod here',
    destination: 'nodePort',
    want: { to: there, source: 'kept' },
  },
  {
    row: 'ready elsewhere, internal Local, external Local',
    client: 'the host',
    destination: 'externalIP',
    want: { to: there, source: 'masqueraded' },
  },
  { row: 'ready elsewhere, internal Local, external Local', client: 'outside', destination: 'nodePort', want: 'dropped' },
  { row: 'ended here, internal Local, external Local', client: 'outside', destination: 'nodePort', want: 'refused' },
] as const;
for (const { row, client, destination, want } of examples) {
  test(`${row}: ${client} asks ${destination}`, () => {
    const service = find(row);
    assert.deepEqual(judge(ruleset, { client, ...service.addresses[destination] }), want);
    assert.deepEqual(expected(service, destination, client), want);
  });
}
