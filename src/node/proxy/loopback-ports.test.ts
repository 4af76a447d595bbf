/** Endpoints are on other addresses of this machine's loopback, which the planner itself never gives. */
import assert from 'node:assert/strict';
import { createSocket, type Socket as UDPSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { realClock } from '../../client/clock.ts';
import { silentLog } from '../../client/log.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { type LoopbackPort, LoopbackPorts, loopbackPortsMax, planLoopbackPorts } from './loopback-ports.ts';
import { connectionsMax, halfClosedIdleMs, idleMs } from './relays.ts';
import type { ServicePort } from './service-ports.ts';

const endpointAt = (ip: string) => ({ ip, port: 8080 });
const [here, there] = [endpointAt('10.244.0.2'), endpointAt('10.244.1.2')];
const service: ServicePort = {
  id: 'shop/web:http/TCP',
  protocol: 'tcp',
  clusterIP: '10.96.0.1',
  port: 80,
  nodePort: 30_080,
  externalIPs: [],
  guarded: { ips: ['192.0.2.1'], ranges: ['198.51.100.0/24'] },
  affinitySeconds: 0,
  internalPolicy: 'Local',
  externalPolicy: 'Cluster',
  clusterEndpoints: [here, there],
  localEndpoints: [here],
};
const planned = [
  { name: 'external policy Cluster: all endpoints', given: {}, want: [here, there] },
  { name: 'external policy Local: those of the node', given: { externalPolicy: 'Local' }, want: [here] },
  { name: 'none of them on the node', given: { externalPolicy: 'Local', localEndpoints: [] }, want: undefined },
  { name: 'no endpoints', given: { clusterEndpoints: [], localEndpoints: [] }, want: undefined },
  { name: 'no node port', given: { nodePort: 0 }, want: undefined },
  { name: 'SCTP', given: { protocol: 'sctp' }, want: undefined },
  {
    name: 'addresses that would lead back to the node, or to no pod',
    given: { clusterEndpoints: ['127.0.0.1', '0.0.0.0', '169.254.169.254', '224.0.0.1', '255.255.255.255', '10.0.0.127'].map(endpointAt) },
    want: [endpointAt('10.0.0.127')],
  },
] satisfies { name: string; given: Partial<ServicePort>; want: unknown }[];
for (const { name, given, want } of planned) {
  test(name, () => assert.deepEqual([...planLoopbackPorts([{ ...service, ...given }]).values()][0]?.endpoints, want));
}
test('not more than the bound', () => {
  const many = Array.from({ length: loopbackPortsMax + 1 }, (_, i) => ({ ...service, nodePort: 30_000 + i }));
  assert.equal(planLoopbackPorts(many).size, loopbackPortsMax);
});

const failing = { refused: (_: LoopbackPort, error: unknown): void => assert.ifError(error) };
const listenTCP = async (ip: string, port: number, onConnection: (socket: Socket) => void): Promise<Server> => {
  const server = createServer({ allowHalfOpen: true }, onConnection).listen(port, ip);
  await once(server, 'listening');
  return server;
};
/** A server on each address that says which one it is. */
async function serve(...ips: string[]) {
  const servers: Server[] = [];
  let port = 0;
  for (const ip of ips) {
    const server = await listenTCP(ip, port, (socket) => socket.end(ip));
    port = (server.address() as AddressInfo).port;
    servers.push(server);
  }
  return {
    endpoints: ips.map((ip) => ({ ip, port })),
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) await new Promise((resolve) => server.close(resolve));
    },
  };
}
async function freePort(): Promise<number> {
  const server = await listenTCP('127.0.0.1', 0, () => undefined);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
const say = async (port: number): Promise<string> => {
  const socket = connect({ host: '127.0.0.1', port }).setEncoding('utf8');
  const chunks: string[] = [];
  socket.on('data', (text: string) => chunks.push(text));
  await once(socket, 'close');
  return chunks.join('');
};
const portsOf = (...ports: Omit<LoopbackPort, 'service'>[]) =>
  new Map(ports.map((port) => [`${port.protocol}/${port.port}`, { ...port, service: 'shop/web' }]));

test('connections go to the endpoints in turn, and to the ones that are there', async () => {
  await using served = await serve('127.0.0.2', '127.0.0.3');
  await using ports = new LoopbackPorts({ clock: realClock, log: silentLog, ...failing });
  const tcp = { protocol: 'tcp', port: await freePort(), endpoints: served.endpoints, affinitySeconds: 0 } as const;
  await ports.set(portsOf(tcp));
  assert.deepEqual([await say(tcp.port), await say(tcp.port), await say(tcp.port)], ['127.0.0.2', '127.0.0.3', '127.0.0.2']);
  await ports.set(portsOf({ ...tcp, endpoints: served.endpoints.slice(1) }));
  assert.deepEqual([await say(tcp.port), await say(tcp.port)], ['127.0.0.3', '127.0.0.3']);
  await ports.set(new Map());
  await assert.rejects(say(tcp.port), { code: 'ECONNREFUSED' });
});

test('session affinity lasts as long as it is used', async () => {
  await using served = await serve('127.0.0.2', '127.0.0.3');
  const clock = new VirtualClock();
  await using ports = new LoopbackPorts({ clock, log: silentLog, ...failing });
  const tcp = { protocol: 'tcp', port: await freePort(), endpoints: served.endpoints, affinitySeconds: 10 } as const;
  await ports.set(portsOf(tcp));
  const first = await say(tcp.port);
  await clock.advance(9000);
  assert.equal(await say(tcp.port), first);
  await clock.advance(9000);
  assert.equal(await say(tcp.port), first);
  await clock.advance(10_000);
  assert.notEqual(await say(tcp.port), first);
});

test('each side ends when it wants; what was begun goes on when the port closes, and ends with everything', async () => {
  const echo = await listenTCP('127.0.0.2', 0, (socket) => socket.pipe(socket));
  const { port: echoPort } = echo.address() as AddressInfo;
  const ports = new LoopbackPorts({ clock: realClock, log: silentLog, ...failing });
  const tcp = { protocol: 'tcp', port: await freePort(), endpoints: [{ ip: '127.0.0.2', port: echoPort }], affinitySeconds: 0 } as const;
  await ports.set(portsOf(tcp));
  const [ending, staying] = [1, 2].map(() => connect({ host: '127.0.0.1', port: tcp.port, allowHalfOpen: true }).setEncoding('utf8'));
  assert.ok(ending && staying);
  staying.write('a');
  assert.deepEqual(await once(staying, 'data'), ['a']);
  ending.end('the last word');
  assert.deepEqual(await once(ending, 'data'), ['the last word']);
  await once(ending, 'close');
  await ports.set(new Map());
  staying.write('b');
  assert.deepEqual(await once(staying, 'data'), ['b']);
  const ended = once(staying, 'end');
  await ports[Symbol.asyncDispose]();
  await ended;
  staying.destroy();
  await new Promise((resolve) => echo.close(resolve));
});

test('one port that holds every connection leaves room for another', async () => {
  await using served = await serve('127.0.0.2');
  const holding = await listenTCP('127.0.0.3', 0, (socket) => socket.on('error', () => undefined));
  const { port: held } = holding.address() as AddressInfo;
  await using ports = new LoopbackPorts({ clock: realClock, log: silentLog, ...failing });
  const base = { protocol: 'tcp', affinitySeconds: 0 } as const;
  const [greedy, other] = [await freePort(), await freePort()];
  await ports.set(
    portsOf({ ...base, port: greedy, endpoints: [{ ip: '127.0.0.3', port: held }] }, { ...base, port: other, endpoints: served.endpoints }),
  );
  const clients: Socket[] = [];
  while (clients.length < connectionsMax) {
    const arrived = once(holding, 'connection');
    clients.push(connect({ host: '127.0.0.1', port: greedy }).on('error', () => undefined));
    await arrived;
  }
  const reset = once(clients.at(-1) ?? assert.fail(), 'error');
  assert.equal(await say(other), '127.0.0.2');
  assert.match(String(await reset), /ECONNRESET/);
  for (const each of clients) each.destroy();
  holding.close();
});

for (const { name, isHalfClosed, afterMs } of [
  { name: 'silent', isHalfClosed: false, afterMs: idleMs },
  { name: 'half closed and silent', isHalfClosed: true, afterMs: halfClosedIdleMs },
]) {
  test(`a connection that is ${name} ends, not before its time`, async () => {
    const silent = await listenTCP('127.0.0.2', 0, (socket) => socket.resume());
    const { port: endpointPort } = silent.address() as AddressInfo;
    const clock = new VirtualClock();
    await using ports = new LoopbackPorts({ clock, log: silentLog, ...failing });
    const tcp = {
      protocol: 'tcp',
      port: await freePort(),
      endpoints: [{ ip: '127.0.0.2', port: endpointPort }],
      affinitySeconds: 0,
    } as const;
    await ports.set(portsOf(tcp));
    const arrived = once(silent, 'connection') as Promise<[Socket]>;
    const client = connect({ host: '127.0.0.1', port: tcp.port, allowHalfOpen: true });
    const [server] = await arrived;
    if (isHalfClosed) {
      client.end('the last word');
      await once(server, 'end');
    }
    let closed = false;
    const ended = once(client, 'close').catch(() => undefined);
    client
      .on('error', () => undefined)
      .once('close', () => {
        closed = true;
      });
    server.on('error', () => undefined);
    await clock.advance(afterMs - 1);
    assert.equal(closed, false);
    await clock.advance(2 * halfClosedIdleMs);
    await ended;
    silent.close();
  });
}

test('an endpoint that refuses is told as a reset', async () => {
  const nobody = { ip: '127.0.0.2', port: await freePort() };
  await using ports = new LoopbackPorts({ clock: realClock, log: silentLog, ...failing });
  const tcp = { protocol: 'tcp', port: await freePort(), endpoints: [nobody], affinitySeconds: 0 } as const;
  await ports.set(portsOf(tcp));
  await assert.rejects(say(tcp.port), { code: 'ECONNRESET' });
});

test('a port that another program has stays its own, and is told once', async () => {
  const other = await listenTCP('0.0.0.0', 0, (socket) => socket.end('other'));
  const { port } = other.address() as AddressInfo;
  const refused: string[] = [];
  await using ports = new LoopbackPorts({ clock: realClock, log: silentLog, refused: ({ service }) => refused.push(service) });
  const wanted = portsOf({ protocol: 'tcp', port, endpoints: [endpointAt('127.0.0.2')], affinitySeconds: 0 });
  for (let times = 0; times < 3; times++) await ports.set(wanted);
  assert.deepEqual(refused, ['shop/web']);
  assert.equal(await say(port), 'other');
  await new Promise((resolve) => other.close(resolve));
});

async function serveUDP(ip: string, port: number): Promise<UDPSocket> {
  const socket = createSocket('udp4');
  socket.on('message', (message, client) => socket.send(`${ip} ${message}`, client.port, client.address));
  socket.bind(port, ip);
  await once(socket, 'listening');
  return socket;
}

test('datagrams go to one endpoint per client while it is there, and come back', async () => {
  const first = await serveUDP('127.0.0.2', 0);
  const { port: endpointPort } = first.address();
  const servers = [first, await serveUDP('127.0.0.3', endpointPort)];
  const endpoints = ['127.0.0.2', '127.0.0.3'].map((ip) => ({ ip, port: endpointPort }));
  const clock = new VirtualClock();
  await using ports = new LoopbackPorts({ clock, log: silentLog, ...failing });
  const udp = { protocol: 'udp', port: await freePort(), endpoints, affinitySeconds: 0 } as const;
  await ports.set(portsOf(udp));
  const clients = [createSocket('udp4'), createSocket('udp4')];
  const ask = async (client: UDPSocket | undefined, text: string): Promise<string> => {
    client?.send(text, udp.port, '127.0.0.1');
    const [answer] = (await once(client ?? assert.fail(), 'message')) as [Buffer];
    return String(answer);
  };
  assert.equal(await ask(clients[0], 'a'), '127.0.0.2 a');
  assert.equal(await ask(clients[1], 'b'), '127.0.0.3 b');
  assert.equal(await ask(clients[0], 'c'), '127.0.0.2 c');
  await ports.set(portsOf({ ...udp, endpoints: endpoints.slice(1) }));
  assert.equal(await ask(clients[0], 'd'), '127.0.0.3 d');
  await ports.set(portsOf(udp));
  await clock.advance(120_000);
  assert.equal(await ask(clients[1], 'e'), '127.0.0.2 e', 'an idle flow is forgotten');
  for (const socket of [...clients, ...servers]) socket.close();
});
