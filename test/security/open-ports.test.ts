/**
 * What a cluster listens on: its API server and its DNS, on loopback, and nothing else. So nobody reaches a store by an API of
 * its own (etcd GHSA-q8m4: members and leases without authentication; CVE-2026-44283: values past the rules), a read-only
 * port (CVE-2025-0426), or a socket that the machine's other programs find.
 * What real nodes add (kubelet, DNS, service proxy) is in docs/security.md.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { it } from 'node:test';
import { Pod } from '../../src/api/generated/kinds.ts';
import { startCluster } from '../../src/index.ts';

const listening = { tcp: '0A', udp: '07', unix: '00010000' } as const;

/** What this process has open for others, as the kernel tells it: `tcp 127.0.0.1:6443`, `unix /run/x.sock`. */
function openPorts(): readonly string[] {
  const own = new Set(
    readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? ''];
      } catch {
        return []; // closed in the meantime
      }
    }),
  );
  const rows = (table: string): readonly (readonly string[])[] =>
    readFileSync(`/proc/self/net/${table}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/));
  const ip = (['tcp', 'tcp6', 'udp', 'udp6'] as const).flatMap((table) => {
    const state = table.startsWith('tcp') ? listening.tcp : listening.udp;
    return rows(table)
      .filter((row) => row[3] === state && own.has(row[9] ?? ''))
      .map((row) => `${table} ${describe(row[1] ?? '')}`);
  });
  const unix = rows('unix').filter((row) => row[3] === listening.unix && own.has(row[6] ?? ''));
  return [...ip, ...unix.map((row) => `unix ${row[7] ?? 'without a name'}`)];
}

/** `0100007F:1F90` → `127.0.0.1:8080`; longer ones stay. */
function describe(address: string): string {
  const [host = '', port = ''] = address.split(':');
  const bytes = host.length === 8 ? [...Buffer.from(host, 'hex')].reverse().join('.') : host;
  return `${bytes}:${Number.parseInt(port, 16)}`;
}

it('a cluster opens the API server’s port and that of DNS, on loopback', {
  skip: process.platform !== 'linux' && 'the kernel tells it on Linux alone',
}, async () => {
  const before = openPorts();
  await using cluster = await startCluster({ simulated: 2 });
  const containers = [{ name: 'main', image: 'busybox' }];
  await cluster.client.create(Pod, { metadata: { name: 'p', namespace: 'default' }, spec: { containers } });
  for await (const { object } of cluster.client.watch(Pod, { namespace: 'default' })) if ((object as Pod).status.phase === 'Running') break;
  const { port } = new URL(/server: (\S+)/.exec(cluster.kubeconfig)?.[1] ?? '');
  const opened = openPorts().filter((each) => !before.includes(each));
  const dns = opened.find((each) => each.startsWith('udp'))?.split(':')[1];
  assert.deepEqual([...opened].sort(), [`tcp 127.0.0.1:${port}`, `tcp 127.0.0.1:${dns}`, `udp 127.0.0.1:${dns}`].sort());
});
