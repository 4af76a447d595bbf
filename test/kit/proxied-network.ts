/**
 * An API server whose proxies lead into a network on paper: each address and port of it is a small server on loopback
 * that says what it is told to. What was dialled, and what came, can be asked for.
 */
import type { ClientHttp2Session } from 'node:http2';
import { createServer, type Server, Socket, connect as tcpConnect } from 'node:net';
import { createServer as createTLSServer } from 'node:tls';
import { Endpoints, Namespace, Node, Pod, Service, ServiceAccount } from '../../src/api/generated/kinds.ts';
import { realClock } from '../../src/client/clock.ts';
import { Dialer } from '../../src/control-plane/api-server/streaming/dialer.ts';
import { podStreamEndpoints } from '../../src/control-plane/api-server/streaming/pod-streams.ts';
import { proxyEndpoints } from '../../src/control-plane/api-server/streaming/proxy-endpoints.ts';
import { type Authority, createAuthority, type KeyedCertificate } from '../../src/control-plane/pki/authority.ts';
import { everybody, listen } from './https-server.ts';

const loopback = '127.0.0.1';
/** From here no answer comes, not even a refusal. */
export const nobody = '10.255.0.1';

export interface ProxiedNetwork extends AsyncDisposable {
  /** of the kubelets */
  readonly authority: Authority;
  readonly port: number;
  /** places that were connected to, in order */
  readonly dialled: string[];
  /** what came at `address:port`, of all connections */
  received(place: string): string;
  /** What answers at `address:port`: its words when the first bytes have come. With a certificate it speaks TLS. */
  place(place: string, words: string | ((socket: Socket) => void), certificate?: KeyedCertificate): Promise<void>;
  /** What a name resolves to, each time it is asked for. */
  name(name: string, ...answers: readonly (readonly string[])[]): void;
  node(name: string, addresses: readonly { type: string; address: string }[], port?: number): Promise<void>;
  pod(name: string, options: { readonly ip?: string; readonly node?: string; readonly containerPort?: number }): Promise<void>;
  service(name: string, ports: readonly { name?: string; port: number }[]): Promise<void>;
  endpoints(name: string, subsets: unknown): Promise<void>;
  /** Sends these bytes over TLS, and takes what comes until the end. */
  say(text: string): Promise<string>;
  http2(): ClientHttp2Session;
  /** A certificate of this node's for this address. */
  servingOf(nodeName: string, address: string): Promise<KeyedCertificate>;
}

export async function startProxiedNetwork({ timeoutMs }: { readonly timeoutMs?: number } = {}): Promise<ProxiedNetwork> {
  const stack = new AsyncDisposableStack();
  const authority = await createAuthority({ commonName: 'kubernetes', clock: realClock });
  const kubeletClient = await authority.issue({ commonName: 'kube-apiserver-kubelet-client', usages: ['client'] });
  const places = new Map<string, { readonly port: number; received: string }>();
  const names = new Map<string, (readonly string[])[]>();
  const dialled: string[] = [];
  const dialer = new Dialer(
    { cert: kubeletClient.certPem, key: kubeletClient.keyPem, ca: authority.certPem },
    {
      resolve: async (name) => {
        const answers = names.get(name) ?? [];
        return (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
      },
      ...(timeoutMs !== undefined && { timeoutMs }),
      connect(address, port) {
        const place = `${address}:${port}`;
        dialled.push(place);
        if (address === nobody) return new Socket();
        // Nothing listens at port 1 of the machine that runs the tests.
        return tcpConnect({ host: loopback, port: places.get(place)?.port ?? 1 });
      },
    },
  );
  stack.use(dialer);
  const listening = stack.use(
    await listen(({ reader, random }) => ({
      ...everybody,
      connectEndpoints: [...podStreamEndpoints({ reader, dialer }), ...proxyEndpoints({ reader, dialer, random })],
    })),
  );
  const { server, port } = listening;
  const client = server.loopback;
  const namespace = 'default';
  await client.create(Namespace, { metadata: { name: namespace }, spec: {} });
  await client.create(ServiceAccount, { metadata: { namespace, name: 'default' } });
  const setStatus = { subresource: 'status' } as const;
  return {
    authority,
    port,
    dialled,
    received: (place) => places.get(place)?.received ?? '',
    async place(place, words, certificate) {
      const onSocket = (socket: Socket): void => {
        socket.on('error', () => undefined);
        socket.on('data', (chunk) => {
          const known = places.get(place);
          if (known) known.received += chunk.toString('latin1');
        });
        if (typeof words === 'function') words(socket);
        else socket.once('data', () => socket.end(words));
      };
      const listener: Server = certificate
        ? createTLSServer({ cert: certificate.certPem, key: certificate.keyPem, requestCert: true, rejectUnauthorized: false }, onSocket)
        : createServer(onSocket);
      const sockets = new Set<Socket>();
      listener.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
      listener.on('tlsClientError', () => undefined);
      await new Promise<void>((resolve) => listener.listen(0, loopback, resolve));
      places.set(place, { port: (listener.address() as { port: number }).port, received: '' });
      stack.defer(async () => {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => listener.close(resolve));
      });
    },
    name: (name, ...answers) => void names.set(name, [...answers]),
    async node(name, addresses, kubeletPort) {
      await client.create(Node, { metadata: { name }, spec: {} });
      const daemonEndpoints = kubeletPort === undefined ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } } };
      await client.patch(Node, { name }, { type: 'merge', body: { status: { addresses, ...daemonEndpoints } } }, setStatus);
    },
    async pod(name, { ip, node, containerPort }) {
      const ports = containerPort === undefined ? [] : [{ containerPort }];
      const containers = [{ name: 'main', image: 'image', ports }];
      await client.create(Pod, { metadata: { namespace, name }, spec: { containers, ...(node && { nodeName: node }) } });
      const body = { status: { podIP: ip, podIPs: [{ ip }] } };
      if (ip !== undefined) await client.patch(Pod, { namespace, name }, { type: 'merge', body }, setStatus);
    },
    async service(name, ports) {
      await client.create(Service, { metadata: { namespace, name }, spec: { ports } } as never);
    },
    async endpoints(name, subsets) {
      await client.create(Endpoints, { metadata: { namespace, name }, subsets } as never);
    },
    async say(text) {
      const socket = await listening.raw('http/1.1');
      socket.write(text);
      let answer = '';
      for await (const chunk of socket as AsyncIterable<Buffer>) answer += chunk.toString('latin1');
      return answer;
    },
    http2: () => listening.http2(),
    servingOf: (nodeName, address) =>
      authority.issue({
        commonName: `system:node:${nodeName}`,
        organizations: ['system:nodes'],
        ipAddresses: [address],
        usages: ['server'],
      }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export interface Answer {
  readonly code: number;
  readonly head: string;
  readonly body: string;
}

/** What was asked and how, in one request that ends its connection. */
export function request(
  path: string,
  { method = 'GET', headers = [], body = '' }: { method?: string; headers?: readonly string[]; body?: string } = {},
): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: server', ...headers];
  if (!headers.some((line) => /^connection:/i.test(line))) lines.push('Connection: close');
  if (body) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

export const upgradeHeaders = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

export function parseAnswer(text: string): Answer {
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end);
  return { code: Number(head.split(' ')[1]), head, body: text.slice(end + 4) };
}

/** The message of a Status, else the body. */
export function messageOf({ body }: Answer): string {
  try {
    return (JSON.parse(body) as { message: string }).message;
  } catch {
    return body;
  }
}
