/** A DNS server with a few names behind it, and clients of its streams. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ClusterZone, type ZoneSource } from '../../src/addons/dns/cluster-zone.ts';
import { DNSServer } from '../../src/addons/dns/dns-server.ts';
import { Forwarder } from '../../src/addons/dns/forwarder.ts';
import { encodeDNSMessage, recordTypes } from '../../src/addons/dns/message.ts';
import { unframe } from '../../src/addons/dns/stream-frame.ts';
import type { EndpointSlice, Service } from '../../src/api/generated/kinds.ts';
import { realClock, seededRandom } from '../../src/client/clock.ts';
import { type Log, silentLog } from '../../src/client/log.ts';
import { type Described, describeMessage } from './dns-messages.ts';

const metadata = (name: string) => ({ name, namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' });
const service = (name: string, spec: Service['spec']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(name),
  spec,
  status: {},
});
const services: Record<string, Service> = {
  web: service('web', { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'], ports: [{ port: 80 }] }),
  big: service('big', { clusterIP: 'None', clusterIPs: ['None'] }),
  outside: service('outside', { type: 'ExternalName', externalName: 'example.org' }),
};
const slice: EndpointSlice = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: metadata('big-x'),
  addressType: 'IPv4',
  endpoints: Array.from({ length: 100 }, (_, i) => ({ addresses: [`10.244.0.${i}`], conditions: { ready: true } })),
  ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
};
const source: ZoneSource = {
  service: (_namespace, name) => services[name],
  hasNamespace: (namespace) => namespace === 'shop',
  slices: (_namespace, name) => (name === 'big' ? [slice] : []),
  serviceByIP: () => undefined,
  slicesByIP: () => [],
  changedAt: () => 1,
};
/** `web` has an address, `big` 100 endpoints, `outside` is an alias of example.org; all in the namespace `shop`. */
export const smallZone = new ClusterZone({
  domain: 'cluster.local',
  source,
  nameServer: { namespace: 'shop', name: 'dns', address: '127.0.0.1' },
});

/** Answers every question for another domain with as many addresses, in what space there is. */
export class FakeForwarder extends Forwarder {
  constructor(count: number, bytesMax = 65_535) {
    super([], realClock);
    this.ask = async ({ question }, via) => {
      const answers = Array.from({ length: count }, (_, i) => ({
        name: question.name,
        type: recordTypes.A,
        ttl: 9,
        data: [Uint8Array.of(192, 0, 2, i)],
      }));
      // an upstream that spells the question in its own way
      const asked = { ...question, name: question.name.map((label) => label.toLowerCase()) };
      return encodeDNSMessage({ id: 99, flags: 0x8180, question: asked, answers }, via === 'tcp' ? 65_535 : bytesMax);
    };
  }
}
export const listenDNS = (log: Log = silentLog, forwarder: Forwarder = new Forwarder([], realClock)) =>
  DNSServer.listen({ address: '127.0.0.1', port: 0, zone: smallZone, forwarder, random: seededRandom(1), log });

export async function connectTo(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** All that comes until `count` messages are there, or the server has ended. The connection stays. */
export async function receive(socket: Socket, count: number): Promise<Described[]> {
  let received: Buffer = Buffer.alloc(0);
  const got: Described[] = [];
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    const { messages, rest } = unframe(Buffer.concat([received, chunk as Buffer]), 65_535);
    got.push(...(messages ?? []).map(describeMessage));
    received = rest;
    if (got.length >= count) break;
  }
  return got;
}
