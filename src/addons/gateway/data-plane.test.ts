/** The proxy on loopback: real clients, real back ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request as sendHTTP } from 'node:http';
import { connect as connectHTTP2, constants } from 'node:http2';
import { createServer as createHTTPS, request as sendHTTPS } from 'node:https';
import { connect, createServer as createTCPServer, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { connect as connectTLS, createSecureContext } from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { IngressProxy } from '../../../test/kit/ingress-proxy.ts';
import { readAnnotations } from './annotations.ts';
import { makeSelfSigned } from './certificates.ts';
import { openUpstream } from './open-upstream.ts';
import type { BackendProtocol } from './route-policy.ts';

interface Asked {
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

describe('the data plane', () => {
  let proxy: IngressProxy;
  before(async () => {
    proxy = await IngressProxy.start();
  });
  after(() => proxy[Symbol.asyncDispose]());

  let count = 0;
  /** A host of the test's own. */
  const newHost = (): string => `t${count++}.test`;

  function open({ host = 'a.test', path = '/', method = 'GET', headers = {}, agent }: Asked) {
    return sendHTTP({ host: '127.0.0.1', port: proxy.http, path, method, headers: { host, ...headers }, agent: agent ?? false });
  }
  async function ask(asked: Asked): Promise<{ status: number; headers: IncomingHttpHeaders; body: string; trailers: NodeJS.Dict<string> }> {
    const request = open(asked);
    request.end(asked.body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = await text(response);
    return { status: response.statusCode ?? 0, headers: response.headers, body, trailers: response.trailers };
  }
  /** What comes for bytes of one's own. */
  async function say(bytes: string): Promise<string> {
    const socket = connect(proxy.http, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(bytes);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'close');
    return Buffer.concat(chunks).toString('latin1');
  }
  const upgradeOf = (host: string): string =>
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
  const policyOf = (annotations: Record<string, string>) =>
    readAnnotations(Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value])))
      .policy;

  it('carries a request and its answer', async () => {
    const host = newHost();
    const server = await proxy.serve(async (request, response) => {
      response.writeHead(201, { 'x-a': ['1', '2'], 'set-cookie': ['a=1', 'b=2'] });
      response.end(`${request.method} ${request.url} ${await text(request)}`);
    });
    proxy.route({ host, ports: [server.port] });
    const { status, headers, body } = await ask({ host, path: '/x?y=%2f', method: 'POST', body: 'hello' });
    assert.deepEqual([status, headers['x-a'], headers['set-cookie'], body], [201, '1, 2', ['a=1', 'b=2'], 'POST /x?y=%2f hello']);
  });

  it('says who asks, whatever a client says of that', async () => {
    const host = newHost();
    const server = await proxy.serve((request, response) => response.end(JSON.stringify(request.rawHeaders)));
    proxy.route({ host, ports: [server.port] });
    const lies = {
      'x-forwarded-for': '6.6.6.6',
      X_Forwarded_For: '6.6.6.6',
      'X-Real-IP': '6.6.6.6',
      forwarded: 'for=6.6.6.6',
      'x-forwarded-proto': 'https',
      'x-original-url': '/x',
      'X-Original-Forwarded-For': '6.6.6.6',
      'X-Rewrite-URL': '/x',
      'X-Scheme': 'https',
      'True-Client-IP': '6.6.6.6',
      'X-Client-IP': '6.6.6.6',
      X_Cluster_Client_IP: '6.6.6.6',
      'CF-Connecting-IP': '6.6.6.6',
    };
    const raw = JSON.parse(
      (
        await ask({
          host: `${host}:8080`,
          headers: { ...lies, connection: 'x-secret, close', 'x-secret': 'y', te: 'gzip', 'proxy-connection': 'x' },
        })
      ).body,
    ) as string[];
    const fields = raw.flatMap((name, i) => (i % 2 === 0 ? [`${name.toLowerCase()}: ${raw[i + 1]}`] : []));
    assert.deepEqual(fields.sort(), [
      'connection: keep-alive',
      `host: ${host}:8080`,
      'x-forwarded-for: 127.0.0.1',
      `x-forwarded-host: ${host}:8080`,
      `x-forwarded-port: ${proxy.http}`,
      'x-forwarded-proto: http',
      'x-real-ip: 127.0.0.1',
    ]);
  });

  it('answers by itself where it leads nowhere', async () => {
    const host = newHost();
    proxy.route({ host, match: { type: 'prefix', path: '/x' }, ports: [] });
    const closed = await proxy.serve(() => undefined);
    proxy.route({ host, match: { type: 'prefix', path: '/refused' }, ports: [closed.port] });
    closed.close();
    await once(closed, 'close');
    assert.deepEqual(
      await Promise.all(['/', '/x', '/refused', '/x/%zz'].map(async (path) => (await ask({ host, path })).status)),
      [404, 503, 502, 400],
    );
    assert.equal((await ask({ host: 'nobody.test' })).body, '404: no route for this host and path\n');
  });

  it('asks patterns only of paths that are short enough', async () => {
    const host = newHost();
    const server = await proxy.serve((_, response) => response.end());
    proxy.route({ host, match: { type: 'pattern', path: '/(?:(?:a?){49}){2}b' }, ports: [server.port] });
    const statuses = ['/ab', `/${'a'.repeat(500)}`, `/${'a'.repeat(50_000)}`].map(async (path) => (await ask({ host, path })).status);
    assert.deepEqual(await Promise.all(statuses), [200, 404, 414]);
  });

  it('rewrites a path', async () => {
    const host = newHost();
    const server = await proxy.serve((request, response) => response.end(request.url));
    proxy.route({ host, match: { type: 'pattern', path: '/api(/|$)(.*)' }, policy: { rewrite: '/$2' }, ports: [server.port] });
    const got = await Promise.all(['/api/x/y?z=1', '/api', '/api/a%20b'].map(async (path) => (await ask({ host, path })).body));
    assert.deepEqual(got, ['/x/y?z=1', '/', '/a%20b']);
  });

  it('carries answers that have no body', async () => {
    const host = newHost();
    const server = await proxy.serve((request, response) =>
      response
        .writeHead(request.url === '/304' ? 304 : 204, { etag: 'x', ...(request.method === 'HEAD' && { 'content-length': '9' }) })
        .end(),
    );
    proxy.route({ host, ports: [server.port] });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const got = [];
    for (const [path, method] of [
      ['/304', 'GET'],
      ['/204', 'GET'],
      ['/', 'HEAD'],
      ['/', 'DELETE'],
    ] as const) {
      const { status, headers, body } = await ask({ host, path, method, agent });
      got.push([status, headers.etag, body]);
    }
    agent.destroy();
    assert.deepEqual(got, [
      [304, 'x', ''],
      [204, 'x', ''],
      [204, 'x', ''],
      [204, 'x', ''],
    ]);
  });

  it('goes through TLS where it is told to', async () => {
    const host = newHost();
    proxy.route({ host, policy: { redirectsToTLS: true }, ports: [1] });
    const { status, headers } = await ask({ host: `${host}:80`, path: '/x?y' });
    assert.deepEqual([status, headers.location], [308, `https://${host}:${proxy.https}/x?y`]);
  });

  it('lets in who may, by his real address', async () => {
    const host = newHost();
    proxy.route({ host, policy: policyOf({ 'whitelist-source-range': '10.0.0.0/8' }), ports: [1] });
    assert.equal((await ask({ host, headers: { 'x-forwarded-for': '10.0.0.1' } })).status, 403);
    const open = newHost();
    const server = await proxy.serve((_, response) => response.end('in'));
    proxy.route({ host: open, policy: policyOf({ 'whitelist-source-range': '127.0.0.0/8' }), ports: [server.port] });
    assert.equal((await ask({ host: open })).body, 'in');
  });

  it('answers preflights and marks answers for origins', async () => {
    const host = newHost();
    const server = await proxy.serve((_, response) =>
      response.writeHead(200, ['Access-Control-Allow-Origin', '*', 'access-control-allow-credentials', 'false']).end('x'),
    );
    proxy.route({ host, policy: policyOf({ 'enable-cors': 'true', 'cors-allow-origin': 'https://*.shop.test' }), ports: [server.port] });
    const preflight = await ask({ host, method: 'OPTIONS', headers: { origin: 'https://a.shop.test' } });
    assert.deepEqual(
      [preflight.status, preflight.headers['access-control-allow-origin'], preflight.headers['access-control-max-age']],
      [204, 'https://a.shop.test', '1728000'],
    );
    const origins = ['https://a.shop.test', 'https://evil.test', 'https://a.b.shop.test', 'https://a.shop.test.evil.test'];
    const allowed = await Promise.all(
      origins.map(async (origin) => (await ask({ host, headers: { origin } })).headers['access-control-allow-origin']),
    );
    assert.deepEqual(allowed, ['https://a.shop.test', '*', '*', '*']);
  });

  it('keeps a client at its endpoint by a cookie, while that is there', async () => {
    const host = newHost();
    const servers = await Promise.all(['a', 'b', 'c'].map((name) => proxy.serve((_, response) => response.end(name))));
    const set = proxy.route({ host, policy: policyOf({ affinity: 'cookie' }), ports: servers.map(({ port }) => port) });
    const first = await ask({ host });
    const cookie = first.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    assert.match(cookie, /^INGRESSCOOKIE=[0-9a-f]{32}$/);
    for (let i = 0; i < 6; i++) {
      const again = await ask({ host, headers: { cookie: `x=y; ${cookie}` } });
      assert.deepEqual([again.body, again.headers['set-cookie']], [first.body, undefined]);
    }
    set(servers.filter((_, i) => ['a', 'b', 'c'][i] !== first.body).map(({ port }) => port));
    const moved = await ask({ host, headers: { cookie } });
    assert.ok(moved.body !== first.body && moved.headers['set-cookie']);
  });

  it('shares requests among endpoints', async () => {
    const host = newHost();
    const servers = await Promise.all(['a', 'b'].map((name) => proxy.serve((_, response) => response.end(name))));
    proxy.route({ host, ports: servers.map(({ port }) => port) });
    const got = [];
    for (let i = 0; i < 6; i++) got.push((await ask({ host })).body);
    assert.deepEqual(got.sort(), ['a', 'a', 'a', 'b', 'b', 'b']);
  });

  describe('bodies', () => {
    it('that say they are too large are refused before they are read, others when they are', async () => {
      const host = newHost();
      let reached = 0;
      const server = await proxy.serve(async (request, response) => {
        reached++;
        response.end(String((await buffer(request).catch(() => Buffer.alloc(0))).length));
      });
      proxy.route({ host, policy: { bodyBytesMax: 1000 }, ports: [server.port] });
      assert.equal((await ask({ host, method: 'POST', body: Buffer.alloc(1001) })).status, 413);
      assert.equal(reached, 0);
      assert.equal((await ask({ host, method: 'POST', body: Buffer.alloc(1000) })).body, '1000');
      const request = open({ host, method: 'POST', headers: { 'transfer-encoding': 'chunked' } });
      request.on('error', () => undefined);
      const answered = once(request, 'response') as Promise<[IncomingMessage]>;
      for (let i = 0; i < 20; i++) request.write(Buffer.alloc(100));
      assert.equal((await answered)[0].statusCode, 413);
    });

    it('go through in pieces, both ways, and are not gathered', async () => {
      const host = newHost();
      const server = await proxy.serve((request, response) => {
        request.pipe(response);
      });
      proxy.route({ host, ports: [server.port] });
      const request = open({ host, method: 'POST', headers: { 'transfer-encoding': 'chunked' } });
      request.write('one');
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      assert.equal(String((await once(response, 'data'))[0]), 'one');
      request.write('two');
      assert.equal(String((await once(response, 'data'))[0]), 'two');
      request.end();
      await once(response, 'end');
    });

    it('that are large arrive whole', async () => {
      const host = newHost();
      const server = await proxy.serve((request, response) => {
        request.pipe(response);
      });
      proxy.route({ host, ports: [server.port] });
      const body = Buffer.alloc(5_000_000, 'abcdefg');
      assert.equal((await ask({ host, method: 'PUT', body })).body, body.toString());
    });

    it('that nobody reads hold their sender back', async () => {
      const host = newHost();
      const [got] = [Promise.withResolvers<IncomingMessage>()];
      const server = await proxy.serve((request, response) => {
        got.resolve(request);
        request.once('end', () => response.end()).pause();
      });
      proxy.route({ host, ports: [server.port] });
      const request = open({ host, method: 'POST', headers: { 'transfer-encoding': 'chunked' } });
      request.on('error', () => undefined);
      let isHeld = false;
      for (let i = 0; i < 2000 && !isHeld; i++) {
        isHeld = !request.write(Buffer.alloc(65_536)) && request.writableLength > 1_000_000;
        await new Promise(setImmediate);
      }
      assert.ok(isHeld);
      (await got.promise).resume();
      await once(request, 'drain');
      request.destroy();
    });
  });

  it('sends events as they come', async () => {
    const host = newHost();
    const more = Promise.withResolvers<() => void>();
    const server = await proxy.serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      more.resolve(() => response.write('data: x\n\n'));
    });
    proxy.route({ host, ports: [server.port] });
    const request = open({ host }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    assert.equal(response.headers['content-type'], 'text/event-stream'); // before the first event
    (await more.promise)();
    assert.equal(String((await once(response, 'data'))[0]), 'data: x\n\n');
    request.destroy();
  });

  it('tells the back end that a client has gone', async () => {
    const host = newHost();
    const gone = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const server = await proxy.serve((_, response) => {
      response.once('close', () => gone.resolve());
      asked.resolve();
    });
    proxy.route({ host, ports: [server.port] });
    const request = open({ host }).end();
    request.on('error', () => undefined);
    await asked.promise;
    request.destroy();
    await gone.promise;
  });

  it('breaks an answer off that its back end breaks off', async () => {
    const host = newHost();
    const server = await proxy.serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    proxy.route({ host, ports: [server.port] });
    await assert.rejects(ask({ host }), { code: 'ECONNRESET' });
  });

  describe('endpoints that fail', () => {
    it('that refuse a connection are passed over, with the body', async () => {
      const host = newHost();
      const gone = await proxy.serve(() => undefined);
      const server = await proxy.serve(async (request, response) => response.end(await text(request)));
      proxy.route({ host, ports: [gone.port, server.port] });
      gone.close();
      await once(gone, 'close');
      for (let i = 0; i < 4; i++) assert.equal((await ask({ host, method: 'POST', body: `hello ${i}` })).body, `hello ${i}`);
    });

    it('that break a connection before they answer are asked again only for what may be repeated', async () => {
      const host = newHost();
      let asked = 0;
      const broken = await proxy.use(
        createTCPServer((socket) => {
          socket
            .on('error', () => undefined)
            .once('data', () => {
              asked++;
              socket.destroy();
            });
        }),
      );
      const server = await proxy.serve((_, response) => response.end('good'));
      proxy.route({ host, match: { type: 'prefix', path: '/get' }, ports: [broken.port, server.port] });
      proxy.route({ host, match: { type: 'prefix', path: '/post' }, ports: [broken.port] });
      assert.deepEqual([(await ask({ host, path: '/get' })).body, asked], ['good', 1]);
      assert.deepEqual([(await ask({ host, path: '/post', method: 'POST', body: 'x' })).status, asked], [502, 2]);
    });

    it('that do not answer in time are 504', async () => {
      const host = newHost();
      const server = await proxy.serve(() => undefined);
      proxy.route({ host, policy: { readMs: 1000 }, ports: [server.port] });
      assert.equal((await ask({ host })).status, 504);
    });

    it('that answer what is no HTTP are 502', async () => {
      const host = newHost();
      const server = await proxy.use(createTCPServer((socket) => socket.on('error', () => undefined).end('SSH-2.0\r\n')));
      proxy.route({ host, ports: [server.port] });
      assert.equal((await ask({ host })).status, 502);
    });
  });

  it('fails no request while endpoints come and go', async () => {
    const host = newHost();
    const listener = (name: string) => proxy.serve((_, response) => setImmediate(() => response.end(name)));
    let servers = await Promise.all(['0', '1', '2'].map(listener));
    const set = proxy.route({ host, ports: servers.map(({ port }) => port) });
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    let isOver = false;
    const statuses: number[] = [];
    const stream = async (): Promise<void> => {
      while (!isOver)
        statuses.push(
          (await ask({ host, agent, method: statuses.length % 3 === 0 ? 'POST' : 'GET', ...(statuses.length % 3 === 0 && { body: 'x' }) }))
            .status,
        );
    };
    const streams = Array.from({ length: 8 }, stream);
    for (let round = 0; round < 8; round++) {
      const next = await listener(String(round));
      const [old, ...rest] = servers;
      servers = [...rest, next];
      const before = statuses.length;
      set(servers.map(({ port }) => port)); // the endpoint goes, then the server takes no more connections, then it ends
      while (statuses.length < before + 50) await new Promise(setImmediate);
      old?.close();
    }
    isOver = true;
    await Promise.all(streams);
    agent.destroy();
    assert.deepEqual([...new Set(statuses)], [200]);
    assert.ok(statuses.length >= 400, `${statuses.length} requests`);
  });

  it('fails no request that may be repeated when a server ends before its endpoint goes', async () => {
    const host = newHost();
    const servers = await Promise.all(['a', 'b'].map((name) => proxy.serve((_, response) => response.end(name))));
    const set = proxy.route({ host, ports: servers.map(({ port }) => port) });
    const [a, b] = servers;
    for (let i = 0; i < 10; i++) await ask({ host });
    a?.close();
    a?.closeAllConnections();
    const got = await Promise.all(Array.from({ length: 20 }, async () => (await ask({ host })).body));
    assert.deepEqual(new Set(got), new Set(['b']));
    set([b?.port ?? 0]);
    assert.equal((await ask({ host })).body, 'b');
  });

  describe('WebSockets', () => {
    it('are carried, both ways', async () => {
      const host = newHost();
      const server = await proxy.serve(() => undefined);
      const sockets = new WebSocketServer({ server });
      sockets.on('connection', (socket, request) => {
        socket.send(`${request.url} ${request.headers['x-forwarded-for']}`);
        socket.on('message', (data) => socket.send(`echo ${String(data)}`));
      });
      proxy.route({ host, ports: [server.port] });
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.http}/chat`, { headers: { host, 'x-forwarded-for': '6.6.6.6' } });
      assert.equal(String((await once(socket, 'message'))[0]), '/chat 127.0.0.1');
      socket.send('hi');
      assert.equal(String((await once(socket, 'message'))[0]), 'echo hi');
      socket.close();
      await once(socket, 'close');
      sockets.close();
    });

    it('that are refused are refused with the answer of the back end', async () => {
      const host = newHost();
      const server = await proxy.serve((_, response) => response.writeHead(401).end('no'));
      proxy.route({ host, ports: [server.port] });
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.http}/`, { headers: { host } });
      const [error] = (await once(socket, 'error')) as [Error];
      assert.match(error.message, /401/);
    });

    it('reach a back end by TLS', async () => {
      const host = newHost();
      const server = await proxy.use(createHTTPS(await makeSelfSigned(Date.now())));
      const sockets = new WebSocketServer({ server });
      sockets.on('connection', (socket) => socket.send('by TLS'));
      proxy.route({ host, ports: [server.port], protocol: 'https' });
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.http}/`, { headers: { host } });
      assert.equal(String((await once(socket, 'message'))[0]), 'by TLS');
      socket.terminate();
      sockets.close();
    });

    for (const [name, answer, want] of [
      ['breaks off is broken off', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', /half$/],
      ['has no status is 502', 'HTTP/1.1 700 Odd\r\nContent-Length: 0\r\n\r\n', /^HTTP\/1.1 502 /],
    ] as const)
      it(`whose answer ${name}`, async () => {
        const host = newHost();
        const server = await proxy.use(
          createTCPServer((socket) =>
            socket.on('error', () => undefined).once('data', () => socket.write(answer, () => setImmediate(() => socket.end()))),
          ),
        );
        proxy.route({ host, ports: [server.port] });
        assert.match(await say(upgradeOf(host)), want);
      });

    it('are nothing without a route, and who resets the connection then hurts nobody', async () => {
      for (const port of [proxy.http, proxy.https]) {
        const raw = connect(port, '127.0.0.1');
        const socket = port === proxy.http ? raw : connectTLS({ socket: raw, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
        raw.on('error', () => undefined);
        socket.on('error', () => undefined);
        await once(socket, port === proxy.http ? 'connect' : 'secureConnect');
        for (let i = 0; i < 20; i++) {
          const other = connect(proxy.http, '127.0.0.1').on('error', () => undefined);
          other.write(upgradeOf('nobody.test'), () => other.resetAndDestroy());
          await once(other, 'close');
        }
        socket.write(upgradeOf('nobody.test'));
        await once(socket, 'data');
        raw.resetAndDestroy();
        await once(raw, 'close');
      }
      assert.equal((await ask({ host: 'nobody.test' })).status, 404);
    });

    it('are nothing without a route', async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.http}/`, { headers: { host: 'nobody.test' } });
      assert.match(((await once(socket, 'error')) as [Error])[0].message, /404/);
    });
  });

  describe('TLS', () => {
    const nameOf = async (servername: string | undefined): Promise<string> => {
      const socket = connectTLS({ host: '127.0.0.1', port: proxy.https, servername, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };

    it('shows the certificate of the host, a new one at once, a self-made one for others', async () => {
      const [one, two] = await Promise.all([makeSelfSigned(Date.now()), makeSelfSigned(Date.now())]);
      const self = await nameOf('x.test');
      assert.equal(await nameOf(undefined), self);
      proxy.contexts.set('x.test', createSecureContext(one));
      const first = await nameOf('X.test');
      proxy.contexts.set('x.test', createSecureContext(two));
      const second = await nameOf('x.test');
      assert.equal(new Set([self, first, second]).size, 3);
      assert.equal(await nameOf('y.test'), self);
    });

    it('carries HTTP/1.1, and says so', async () => {
      const host = newHost();
      const server = await proxy.serve((request, response) => response.end(request.headers['x-forwarded-proto']));
      proxy.route({ host, ports: [server.port], policy: { redirectsToTLS: true } });
      const request = sendHTTPS({ host: '127.0.0.1', port: proxy.https, headers: { host }, rejectUnauthorized: false, agent: false });
      request.end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      assert.equal(await text(response), 'https');
    });

    it('carries WebSockets', async () => {
      const host = newHost();
      const server = await proxy.serve(() => undefined);
      const sockets = new WebSocketServer({ server });
      sockets.on('connection', (socket) => socket.send('hi'));
      proxy.route({ host, ports: [server.port] });
      const socket = new WebSocket(`wss://127.0.0.1:${proxy.https}/`, { headers: { host }, rejectUnauthorized: false });
      assert.equal(String((await once(socket, 'message'))[0]), 'hi');
      socket.terminate();
      sockets.close();
    });
  });

  describe('HTTP/2', () => {
    const session = () => connectHTTP2(`https://127.0.0.1:${proxy.https}`, { rejectUnauthorized: false });

    it('carries many requests on one connection, joins cookies, and answers bodies', async () => {
      const host = newHost();
      const server = await proxy.serve(async (request, response) =>
        response.end(`${request.headers.host} ${request.headers.cookie} ${await text(request)}`),
      );
      proxy.route({ host, ports: [server.port] });
      const client = session();
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const stream = client.request({ ':method': 'POST', ':path': '/', ':authority': host, cookie: ['a=1', 'b=2'] });
          stream.end(`body ${i}`);
          return text(stream);
        }),
      );
      assert.deepEqual(
        answers,
        Array.from({ length: 50 }, (_, i) => `${host} a=1; b=2 body ${i}`),
      );
      client.close();
    });

    it('carries gRPC: streams both ways, trailers, and answers of trailers alone', async () => {
      const host = newHost();
      const port = await proxy.serveHTTP2((stream, headers) => {
        assert.equal(headers['te'], 'trailers');
        if (headers[':path'] === '/none') {
          stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true });
          return;
        }
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'fine' }));
        stream.pipe(stream);
      });
      proxy.route({ host, ports: [port], protocol: 'h2c' });
      const client = session();
      const head = { ':method': 'POST', ':authority': host, te: 'trailers', 'content-type': 'application/grpc' };
      const stream = client.request({ ...head, ':path': '/echo' });
      const trailers = once(stream, 'trailers');
      for (const word of ['one', 'two', 'three']) {
        stream.write(word);
        assert.equal(String((await once(stream, 'data'))[0]), word);
      }
      stream.end();
      stream.resume();
      const [{ 'grpc-status': status, 'grpc-message': message }] = (await trailers) as [Record<string, string>];
      assert.deepEqual([status, message], ['0', 'fine']);
      const none = client.request({ ...head, ':path': '/none' }).end();
      const [headers, flags] = (await once(none, 'response')) as [Record<string, string>, number];
      assert.deepEqual([headers['grpc-status'], flags & constants.NGHTTP2_FLAG_END_STREAM], ['12', constants.NGHTTP2_FLAG_END_STREAM]);
      client.close();
    });

    it('says fields twice that its back end says twice, in trailers too, and nothing that is for the next hop', async () => {
      const host = newHost();
      const twice = 'Content-Type: text/plain\r\nX-Content-Type-Options: nosniff\r\n';
      const head = `HTTP/1.1 200 OK\r\n${twice}${twice}TE: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`;
      const trailers = 'Connection: x\r\nTransfer-Encoding: gzip\r\nContent-Type: a\r\nContent-Type: b\r\nX-A: y\r\n';
      const server = await proxy.use(
        createTCPServer((socket) => {
          socket.on('error', () => undefined).once('data', () => socket.write(`${head}1\r\nx\r\n0\r\n${trailers}\r\n`));
        }),
      );
      proxy.route({ host, ports: [server.port] });
      const client = session();
      const stream = client.request({ ':path': '/', ':authority': host });
      const told = once(stream, 'trailers');
      assert.equal(await text(stream), 'x');
      const [fields] = (await told) as [Record<string, string>];
      assert.deepEqual([fields['x-a'], fields['connection'], fields['transfer-encoding']], ['y', undefined, undefined]);
      client.close();
    });

    const answerOf = async (head: OutgoingHttpHeaders) => {
      const client = session();
      const stream = client.request({ ':path': '/', ...head });
      let status: unknown;
      stream.on('response', (headers) => {
        status = headers[':status'];
      });
      const body = await text(stream).catch((error: NodeJS.ErrnoException) => error.code);
      client.close();
      return [status, body];
    };
    describe('to a back end of HTTP/2', () => {
      const frame = (type: number, payload: Buffer, { flags = 0, id = 1 } = {}): Buffer => {
        const head = Buffer.alloc(9);
        head.writeUIntBE(payload.length, 0, 3);
        head.writeUInt8(type, 3);
        head.writeUInt8(flags, 4);
        head.writeUInt32BE(id, 5);
        return Buffer.concat([head, payload]);
      };
      /** Whether a head is among the frames. */
      const asks = (chunk: Buffer): boolean => {
        let at = chunk.toString('latin1', 0, 3) === 'PRI' ? 24 : 0;
        for (; at + 9 <= chunk.length; at += 9 + chunk.readUIntBE(at, 3)) if (chunk[at + 3] === 1) return true;
        return false;
      };
      const settings = frame(4, Buffer.alloc(0), { id: 0 });
      const half = Buffer.concat([frame(1, Buffer.from([0x88]), { flags: 4 }), frame(0, Buffer.from('half'))]);
      const reset = frame(3, Buffer.from([0, 0, 0, 2]));
      const goAway = frame(7, Buffer.alloc(8), { id: 0 });
      const lose: Readonly<Record<string, (socket: Socket) => unknown>> = {
        'ends its connection': (socket) => socket.end(),
        'breaks its connection': (socket) => socket.resetAndDestroy(),
        'goes away at once': (socket) => socket.end(goAway),
        'resets the stream': (socket) => socket.write(reset),
      };
      for (const [name, end] of Object.entries(lose)) {
        /** Once the request has come. */
        const losing = async (before: Buffer): Promise<string> => {
          const host = newHost();
          const server = await proxy.use(
            createTCPServer((socket) => {
              socket.on('error', () => undefined).write(settings);
              socket.on('data', (chunk: Buffer) => {
                if (asks(chunk)) socket.write(before, () => setImmediate(() => end(socket)));
              });
            }),
          );
          proxy.route({ host, ports: [server.port], protocol: 'h2c' });
          return host;
        };
        it(`that ${name} before an answer is 502, to both kinds of clients`, async () => {
          assert.equal((await ask({ host: await losing(Buffer.alloc(0)), method: 'POST' })).status, 502);
          assert.equal((await answerOf({ ':authority': await losing(Buffer.alloc(0)), ':method': 'POST' }))[0], 502);
        });
        it(`that ${name} in the middle of an answer breaks it off, for both kinds of clients`, async () => {
          await assert.rejects(ask({ host: await losing(half) }));
          assert.deepEqual(await answerOf({ ':authority': await losing(half) }), [200, 'ERR_HTTP2_STREAM_ERROR']);
        });
      }

      it('waits for an answer as long as it may take, and not as a connection may', async () => {
        const host = newHost();
        const port = await proxy.serveHTTP2((stream) => {
          setTimeout(() => {
            stream.respond({ ':status': 200 });
            stream.end('late');
          }, 1500);
        });
        proxy.route({ host, ports: [port], protocol: 'h2c', policy: { connectMs: 500 } });
        assert.equal((await ask({ host })).body, 'late');
      });

      it('passes on what a client says twice', async () => {
        const host = newHost();
        const port = await proxy.serveHTTP2((stream) => {
          stream.respond({ ':status': 200 });
          stream.end('x');
        });
        proxy.route({ host, ports: [port], protocol: 'h2c' });
        const lines = ['Host', 'Content-Type', 'User-Agent', 'Range', 'If-Match'].map((name) => `${name}: ${host}\r\n`);
        const answer = await say(`GET / HTTP/1.1\r\n${lines.join('')}${lines.slice(1).join('')}Connection: close\r\n\r\n`);
        assert.match(answer, /^HTTP\/1.1 200 /);
      });
    });

    it('gives 502 for a status that is none', async () => {
      const host = newHost();
      const server = await proxy.use(
        createTCPServer((socket) =>
          socket.on('error', () => undefined).once('data', () => socket.end('HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n')),
        ),
      );
      proxy.route({ host, ports: [server.port] });
      assert.equal((await ask({ host })).status, 502);
      assert.equal((await answerOf({ ':authority': host }))[0], 502);
    });

    it('does not hold a request that can’t be said against its endpoint', async () => {
      const port = await proxy.serveHTTP2(() => undefined);
      const asked = { method: 'GET', path: '/', host: 'x', headers: ['Connection', 'x\n'], body: undefined, readMs: 1000 };
      const protocols: readonly BackendProtocol[] = ['http', 'h2c'];
      for (const protocol of protocols) {
        const upstream = openUpstream({ address: '127.0.0.1', port }, protocol, 1000);
        const failed = new Promise<Error>((resolve) => {
          const nothing = (): void => undefined;
          try {
            upstream.send(asked, { sent: nothing, head: nothing, data: nothing, end: nothing, failed: resolve });
          } catch (error) {
            resolve(error as Error);
          }
        });
        assert.equal((await failed).name, 'UnsayableRequest');
        upstream.destroy();
      }
    });

    const trailing = async (host: string) => {
      const client = session();
      const stream = client.request({ ':path': '/', ':authority': host });
      let trailers: Record<string, unknown> | undefined;
      stream.on('trailers', (given: Record<string, unknown>) => {
        trailers = Object.fromEntries(Object.entries(given));
      });
      const failed = await text(stream).then(
        () => undefined,
        (error: NodeJS.ErrnoException) => error.code,
      );
      client.close();
      return failed ?? trailers;
    };
    for (const [name, trailers, want] of [
      ['one of single values twice', 'ETag: x\r\nETag: y', { etag: 'x' }],
      ['what is for one hop', 'Connection: x\r\nKeep-Alive: 1\r\nTransfer-Encoding: x\r\nUpgrade: x\r\nX-A: 1', { 'x-a': '1' }],
      ['what frames a message', 'Host: x\r\nTrailer: x\r\nX-A: 1', { 'x-a': '1' }],
      ['more of that', 'HTTP2-Settings: x\r\nTE: gzip\r\nProxy-Connection: x\r\nTrailer: x', undefined],
    ])
      it(`carries trailers of HTTP/1.1: ${name}`, async () => {
        const host = newHost();
        const bytes = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n${trailers}\r\n\r\n`;
        const server = await proxy.use(
          createTCPServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end(bytes))),
        );
        proxy.route({ host, ports: [server.port] });
        assert.deepEqual(await trailing(host), want);
      });

    it('goes on when the connection to the back end ends between requests', async () => {
      const host = newHost();
      const port = await proxy.serveHTTP2((stream) => {
        stream.respond({ ':status': 200 });
        stream.end('x');
        stream.once('close', () => stream.session?.close());
      });
      proxy.route({ host, ports: [port], protocol: 'h2c' });
      for (let i = 0; i < 5; i++) assert.equal((await ask({ host })).body, 'x');
    });

    it('takes no more than it says it takes', async () => {
      const client = session();
      await once(client, 'remoteSettings');
      assert.equal(client.remoteSettings.maxConcurrentStreams, 128);
      client.destroy();
    });
  });

  describe('abuse', () => {
    const host = 'abused.test';
    before(async () => {
      const server = await proxy.serve(async (request, response) => response.end(await text(request)));
      proxy.route({ host, ports: [server.port] });
    });
    const head = `Host: ${host}\r\n`;
    for (const [name, bytes] of Object.entries({
      'both lengths': `POST / HTTP/1.1\r\n${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n`,
      'two lengths': `POST / HTTP/1.1\r\n${head}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
      'an odd length': `POST / HTTP/1.1\r\n${head}Content-Length: +4\r\n\r\nabcd`,
      'an odd encoding': `POST / HTTP/1.1\r\n${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
      'chunked that is not last': `POST / HTTP/1.1\r\n${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
      'a space before the colon': `POST / HTTP/1.1\r\n${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
      'a folded line': `POST / HTTP/1.1\r\n${head}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\nX`,
      'a bare line feed': `GET / HTTP/1.1\n${head}X: y\n\n`,
      'a bad chunk': `POST / HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n2;\n\r\nab\r\n0\r\n\r\n`,
      'two hosts': `GET / HTTP/1.1\r\n${head}Host: other.test\r\n\r\n`,
      'no host': 'GET / HTTP/1.1\r\n\r\n',
      'a host that is none': 'GET / HTTP/1.1\r\nHost: a b@c\r\nConnection: close\r\n\r\n',
      'a version that is none': `GET /a HTTP/2.0\r\n${head}\r\n`,
      'no HTTP': 'SSH-2.0-x\r\n\r\n',
    }))
      it(`is refused: ${name}`, async () => {
        const answer = await say(bytes.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
        assert.match(answer, /^HTTP\/1\.1 400 /);
        assert.equal(answer.split('HTTP/1.1 ').length, 2, answer);
      });

    it('is refused: a head that never ends', async () => {
      assert.match(await say(`GET / HTTP/1.1\r\n${head}X: ${'y'.repeat(100_000)}`), /^HTTP\/1\.1 431 /);
    });

    it('is no way past the routes: an upgrade to HTTP/2 is an ordinary request', async () => {
      const answer = await say(
        `GET / HTTP/1.1\r\n${head}Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n`,
      );
      assert.match(answer, /^HTTP\/1\.1 200 /);
    });

    it('is no way past the routes: a URL with a host of its own has that host', async () => {
      assert.match(await say(`GET http://nobody.test/ HTTP/1.1\r\n${head}Connection: close\r\n\r\n`), /^HTTP\/1\.1 404 /);
    });

    it('is no way past the routes: CONNECT', async () => {
      assert.equal(await say(`CONNECT 127.0.0.1:22 HTTP/1.1\r\n${head}\r\n`), '');
    });

    it('of clients that send a head for too long, or nothing at all, ends', async () => {
      await using impatient = await IngressProxy.start(undefined, { headMs: 300 });
      for (const port of [impatient.http, impatient.https]) {
        for (const bytes of ['', 'GET / HTTP/1.1\r\nX: ']) {
          const socket = connect(port, '127.0.0.1');
          socket.on('error', () => undefined).resume();
          socket.write(bytes);
          await once(socket, 'close');
        }
      }
    });

    it('of clients that stop in the middle of a body reaches nobody', async () => {
      const other = newHost();
      const broken = Promise.withResolvers<void>();
      const server = await proxy.serve((request) => request.on('error', () => broken.resolve()));
      proxy.route({ host: other, ports: [server.port] });
      const request = open({ host: other, method: 'POST', headers: { 'content-length': '100' } });
      request.on('error', () => undefined);
      request.write('half', () => request.destroy());
      await broken.promise;
      assert.equal((await ask({ host, method: 'POST', body: 'x' })).body, 'x');
    });

    it('of a client that sends nothing of its body ends', async () => {
      const other = newHost();
      const server = await proxy.serve(() => undefined);
      proxy.route({ host: other, policy: { sendMs: 200 }, ports: [server.port] });
      const request = open({ host: other, method: 'POST', headers: { 'content-length': '100' } });
      request.on('error', () => undefined);
      request.flushHeaders();
      assert.equal(((await once(request, 'response')) as [IncomingMessage])[0].statusCode, 408);
    });

    it('of a client that takes nothing of its answer ends', async () => {
      const other = newHost();
      const gone = Promise.withResolvers<void>();
      const server = await proxy.serve((_, response) => {
        response.once('close', () => gone.resolve());
        response.end(Buffer.alloc(50_000_000));
      });
      proxy.route({ host: other, policy: { sendMs: 200 }, ports: [server.port] });
      const socket: Socket = connect(proxy.http, '127.0.0.1');
      socket.on('error', () => undefined).pause();
      socket.write(`GET / HTTP/1.1\r\nHost: ${other}\r\n\r\n`);
      await gone.promise;
      socket.destroy();
    });
  });
});
