import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { silentLog } from '../../client/log.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { ProxyHealth } from './proxy-health.ts';
import { createProxyMetrics } from './proxy-metrics.ts';
import { ProxyServer } from './proxy-server.ts';

const freePort = async (host: string): Promise<number> => {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : assert.fail();
};

async function serve(address: string, ports: { health: number; status: number }, warned: object[] = []) {
  const clock = new VirtualClock();
  const health = new ProxyHealth(clock);
  const registry = new Registry();
  const withoutLocalEndpoints = () => ({ internal: 2, external: 1 });
  const metrics = await createProxyMetrics(registry, { times: () => health.times, withoutLocalEndpoints });
  const log = {
    ...silentLog,
    warn: (fields: object) => {
      warned.push(fields);
    },
  };
  const server = new ProxyServer({ address, health, metrics, registry, log, ports });
  await server.listen();
  return server;
}
const ask = async (url: string) => {
  const answer = await fetch(url);
  return { status: answer.status, text: await answer.text() };
};

test('what each port answers', async () => {
  const ports = { health: await freePort('127.0.0.4'), status: await freePort('127.0.0.1') };
  await using _ = await serve('127.0.0.4', ports);
  for (const host of ['127.0.0.4', '127.0.0.1']) {
    const healthz = await ask(`http://${host}:${ports.health}/healthz`);
    assert.equal(healthz.status, 503, 'no node');
    assert.match(healthz.text, /"nodeEligible":false/);
    assert.equal((await ask(`http://${host}:${ports.health}/livez?verbose`)).status, 200);
    assert.equal((await ask(`http://${host}:${ports.health}/metrics`)).status, 404);
  }
  const status = `http://127.0.0.1:${ports.status}`;
  assert.deepEqual(await ask(`${status}/healthz`), { status: 200, text: 'ok' });
  assert.deepEqual(await ask(`${status}/proxyMode`), { status: 200, text: 'nftables' });
  assert.equal((await ask(`${status}/`)).status, 404);
  const { text } = await ask(`${status}/metrics`);
  assert.match(text, /^kubeproxy_proxy_healthz_total\{code="503"\} 2$/m);
  assert.match(text, /^kubeproxy_sync_proxy_rules_no_local_endpoints_total\{traffic_policy="internal",ip_family="IPv4"\} 2$/m);
  assert.match(text, /^kubeproxy_sync_proxy_rules_last_timestamp_seconds\{ip_family="IPv4"\} \d+$/m);
  await assert.rejects(ask(`http://127.0.0.4:${ports.status}/metrics`), 'on loopback alone');
});

test('two clusters on one machine: the second has its own node’s address, and says once what it has not', async () => {
  const ports = { health: await freePort('127.0.0.4'), status: await freePort('127.0.0.1') };
  const warned: object[] = [];
  const first = await serve('127.0.0.4', ports);
  await using second = await serve('127.0.0.5', ports, warned);
  await second.listen();
  assert.deepEqual(
    warned.map((fields) => 'address' in fields && fields.address),
    [`127.0.0.1:${ports.health}`, `127.0.0.1:${ports.status}`],
  );
  for (const host of ['127.0.0.4', '127.0.0.5', '127.0.0.1']) assert.equal((await ask(`http://${host}:${ports.health}/livez`)).status, 200);
  await first[Symbol.asyncDispose]();
  await second.listen();
  assert.equal((await ask(`http://127.0.0.1:${ports.health}/livez`)).status, 200);
});
