/** An API server over real sockets on loopback, in memory, and those who talk to it: by a good client, or by hand. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHTTP2 } from 'node:http2';
import { connect as connectTLS, type TLSSocket } from 'node:tls';
import { Agent, request } from 'undici';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import { type Clock, realClock, seededRandom } from '../../src/client/clock.ts';
import type { Log } from '../../src/client/log.ts';
import { silentLog } from '../../src/client/log.ts';
import { type ApiServer, createApiServer, type ServerContext, type ServerParts } from '../../src/control-plane/api-server/api-server.ts';
import { type Authority, createAuthority, type KeyedCertificate } from '../../src/control-plane/pki/authority.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';

export const everybody: ServerParts = { authenticators: [{ authenticate: () => ({ name: 'tester', groups: ['system:masters'] }) }] };
const authority = createAuthority({ commonName: 'kubernetes', clock: realClock });

export interface Answer {
  readonly code: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly bytes: Buffer;
  readonly text: string;
  json<T = Record<string, unknown>>(): T;
}
export interface Ask {
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
}
export interface Listening extends AsyncDisposable {
  readonly server: ApiServer;
  readonly port: number;
  readonly authority: Authority;
  ask(path: string, given?: Ask): Promise<Answer>;
  agent(certificate?: KeyedCertificate): Agent;
  /** A connection over which bytes go as they are. */
  raw(alpn?: string): Promise<TLSSocket>;
  http2(): ClientHttp2Session;
}

export async function listen(
  parts: ServerParts | ((context: ServerContext) => ServerParts) = everybody,
  clock: Clock = realClock,
  log: Log = silentLog,
): Promise<Listening> {
  const stack = new AsyncDisposableStack();
  const storage = stack.use(openMemoryStore({ clock }));
  const ca = await authority;
  const leaf = await ca.issue({ commonName: 'kube-apiserver', ipAddresses: ['127.0.0.1'], usages: ['server'] });
  const server = await createApiServer({
    storage,
    registry: builtInRegistry(),
    clock,
    wireClock: clock,
    random: seededRandom(1),
    log,
    parts: (context) => (typeof parts === 'function' ? parts(context) : parts),
  });
  stack.use(server);
  const { port } = await server.listen({ host: '127.0.0.1', port: 0, tls: { cert: leaf.certPem, key: leaf.keyPem, clientCA: ca.certPem } });
  const agent = (certificate?: KeyedCertificate): Agent => {
    const made = new Agent({ connect: { ca: ca.certPem, ...(certificate && { cert: certificate.certPem, key: certificate.keyPem }) } });
    stack.defer(() => made.destroy());
    return made;
  };
  const dispatcher = agent();
  return {
    server,
    port,
    authority: ca,
    agent,
    raw: async (alpn) => {
      const socket = connectTLS({ host: '127.0.0.1', port, ca: ca.certPem, ...(alpn && { ALPNProtocols: [alpn] }) });
      stack.defer(() => {
        socket.destroy();
      });
      await once(socket, 'secureConnect');
      return socket.on('error', () => undefined); // the server may hang up in the middle
    },
    http2: () => {
      const session = connectHTTP2(`https://127.0.0.1:${port}`, { ca: ca.certPem, maxSendHeaderBlockLength: 8 * 1024 * 1024 });
      stack.defer(() => session.destroy());
      return session.on('error', () => undefined);
    },
    ask: (path, given) => ask(`https://127.0.0.1:${port}${path}`, { dispatcher, ...given }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export async function ask(
  url: string,
  { method = 'GET', body, headers, dispatcher }: Ask & { readonly dispatcher: Agent },
): Promise<Answer> {
  const given = { 'content-type': 'application/json', ...headers };
  const answer = await request(url, { method: method as 'GET', dispatcher, ...(body !== undefined && { body }), headers: given });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const text = bytes.toString();
  return { code: answer.statusCode, headers: answer.headers, bytes, text, json: <T>() => JSON.parse(text) as T };
}
