/** The service proxy when nft fails: it goes on trying, writes everything anew, and is never wrong for long. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { EndpointSlice, Namespace, Service } from '../../src/api/generated/kinds.ts';
import type { EventRecorder } from '../../src/client/events/event-recorder.ts';
import { silentLog } from '../../src/client/log.ts';
import { ServiceProxy } from '../../src/node/proxy/proxy.ts';
import { FakeNft } from '../kit/fake-nft.ts';
import { startControlPlane } from './control-plane.ts';

test('what nft refuses is written anew, until it takes it', async () => {
  await using plane = await startControlPlane([]);
  const { client, clock } = plane;
  await client.create(Namespace, { metadata: { name: 'n' }, spec: {} });
  const nft = new FakeNft();
  const { scripts } = nft;
  await using _ = await ServiceProxy.start({
    client,
    clock,
    log: silentLog,
    nodeName: 'a',
    table: 't',
    podCidr: '10.244.0.0/16',
    tools: nft,
  });
  assert.equal(scripts.length, 1);
  nft.failures = 3;
  await client.create(Service, {
    metadata: { namespace: 'n', name: 's' },
    spec: { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'], ports: [{ port: 80 }] },
  });
  await client.create(EndpointSlice, {
    metadata: { namespace: 'n', name: 's', labels: { 'kubernetes.io/service-name': 's' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: [{ addresses: ['10.244.0.5'], conditions: { ready: true } }],
  });
  await plane.tick(5);
  assert.equal(nft.failures, -1);
  const isWhole = scripts.map((script) => script.includes('delete table ip t'));
  assert.deepEqual(isWhole.slice(1), [false, true, true, true], 'a change, then everything');
  assert.match(scripts.at(-1) ?? '', /10\.96\.0\.9.*10\.244\.0\.5/s);
});

test('a port that another program has is told as an event of its Service, and left to it', async () => {
  await using plane = await startControlPlane([]);
  const { client, clock } = plane;
  await client.create(Namespace, { metadata: { name: 'n' }, spec: {} });
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port: nodePort } = other.address() as AddressInfo;
  const told: string[] = [];
  const event: EventRecorder['event'] = (about, type, reason, message) => {
    told.push(`${about.kind}/${about.metadata.name} ${type} ${reason}: ${message}`);
  };
  const service = { metadata: { namespace: 'n', name: 's' }, spec: { clusterIP: '10.96.0.9', ports: [{ port: 80, nodePort }] } };
  const made = await client.create(Service, { ...service, spec: { ...service.spec, type: 'NodePort', clusterIPs: ['10.96.0.9'] } });
  await client.create(EndpointSlice, {
    metadata: { namespace: 'n', name: 's', labels: { 'kubernetes.io/service-name': 's' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: [{ addresses: ['10.244.0.5'], conditions: { ready: true } }],
  });
  await using _ = await ServiceProxy.start({
    client,
    clock,
    log: silentLog,
    nodeName: 'a',
    table: 't',
    podCidr: '10.244.0.0/16',
    tools: new FakeNft(),
    events: { event },
    listen: { address: '127.0.0.6' },
  });
  assert.equal(made.spec.ports?.[0]?.nodePort, nodePort);
  const reason = 'node a failed to start node port on loopback "n/s" on port';
  assert.deepEqual(told, [
    `Service/s Warning FailedToStartLoopbackNodePort: ${reason} ${nodePort}: listen EADDRINUSE: address already in use 127.0.0.1:${nodePort}`,
  ]);
  const health = await fetch('http://127.0.0.6:10256/healthz');
  assert.equal(health.status, 503, 'there is no node "a"');
  await new Promise((resolve) => other.close(resolve));
});
