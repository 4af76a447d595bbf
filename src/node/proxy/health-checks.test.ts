import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { EndpointSlice, Service } from '../../api/generated/kinds.ts';
import { HealthChecks, planHealthCheck } from './health-checks.ts';

const metadata = { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const service = (spec: Service['spec'] = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 31_000, ...spec },
  status: {},
});
const endpoint = (address: string, nodeName: string, ready: boolean) => ({ addresses: [address], nodeName, conditions: { ready } });
const slice: EndpointSlice = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata,
  addressType: 'IPv4',
  endpoints: [endpoint('10.0.0.1', 'a', true), endpoint('10.0.0.2', 'b', true), endpoint('10.0.0.3', 'a', false)],
  ports: [],
};

const cases = [
  { name: 'ready endpoints of this node count', spec: {}, slices: [slice], want: 1 },
  { name: 'an address counts once', spec: {}, slices: [slice, slice], want: 1 },
  { name: 'there may be none', spec: {}, slices: [], want: 0 },
  { name: 'not with the policy Cluster', spec: { externalTrafficPolicy: 'Cluster' }, slices: [slice], want: undefined },
] as const;
for (const { name, spec, slices, want } of cases) {
  test(name, () => assert.equal(planHealthCheck(service(spec), slices, 'a')?.localEndpoints, want));
}

/** One that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a load balancer is told, until the check goes', async () => {
  let serviceProxyHealthy = true;
  const isProxyHealthy = () => serviceProxyHealthy;
  await using checks = new HealthChecks({ isProxyHealthy, refused: (_, error) => assert.ifError(error) });
  const port = await freePort();
  const check = { port, service: { namespace: 'shop', name: 'web' }, localEndpoints: 2 };
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
    return { status: answer.status, weight: answer.headers.get('x-load-balancing-endpoint-weight'), body: await answer.json() };
  };
  await checks.set([check]);
  const told = { service: check.service, serviceProxyHealthy };
  assert.deepEqual(await ask(), { status: 200, weight: '2', body: { ...told, localEndpoints: 2 } });
  serviceProxyHealthy = false;
  assert.deepEqual(await ask(), { status: 503, weight: '2', body: { ...told, localEndpoints: 2, serviceProxyHealthy } });
  serviceProxyHealthy = true;
  await checks.set([{ ...check, localEndpoints: 0 }]);
  assert.deepEqual(await ask(), { status: 503, weight: '0', body: { ...told, localEndpoints: 0 } });
  await checks.set([]);
  await assert.rejects(ask());
});

test('a port of another program stays its own, is told once, and is taken when it is free', async () => {
  const port = await freePort();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, resolve));
  const refused: unknown[] = [];
  await using checks = new HealthChecks({ isProxyHealthy: () => true, refused: ({ service }) => refused.push(service.name) });
  const check = { port, service: { namespace: 'shop', name: 'web' }, localEndpoints: 1 };
  for (let times = 0; times < 2; times++) await checks.set([check]);
  assert.deepEqual(refused, ['web']);
  await new Promise((resolve) => other.close(resolve));
  await checks.set([check]);
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
});
