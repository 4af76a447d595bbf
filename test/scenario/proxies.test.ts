/**
 * What clients of the proxies, of logs and of streams see when something is wrong on the way, in upstream's codes and
 * words, each taken from its own API server; and which headers and bodies pass.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import {
  messageOf,
  nobody,
  type ProxiedNetwork,
  parseAnswer,
  request,
  startProxiedNetwork,
  upgradeHeaders,
} from '../kit/proxied-network.ts';

const nodes = '/api/v1/nodes';
const pods = '/api/v1/namespaces/default/pods';
const services = '/api/v1/namespaces/default/services';
const unreachable = 'error trying to reach service:';

/** What listens at the pod's address, by port. */
const backends: Readonly<Record<number, string | ((socket: Socket) => void)>> = {
  8080: (socket) =>
    socket.once('data', (chunk) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${chunk.length}\r\n\r\n${chunk.toString()}`)),
  8081: '',
  8082: (socket) => socket.once('data', () => socket.resetAndDestroy()),
  8083: 'garbage\r\n\r\n',
  8084: 'HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1:10250/runningpods/\r\nContent-Length: 0\r\n\r\n',
  8085: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort',
  8086: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
  8087: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  8088: 'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n',
  8089: 'HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nnope',
  8090: 'HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n',
  8091: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
  8092: 'HTTP/1.1 302 Found\r\nLocation: /login?a=b\r\nContent-Length: 0\r\n\r\n',
};

const rows: readonly { readonly name: string; readonly path: string; readonly want: string; readonly upgrade?: boolean }[] = [
  { name: 'no such node', path: `${nodes}/missing/proxy/healthz`, want: '404 nodes "missing" not found' },
  { name: 'a node without an address', path: `${nodes}/none/proxy/healthz`, want: '500 no preferred addresses found; known addresses: []' },
  { name: 'a node with a name that nobody knows', path: `${nodes}/unnamed/proxy/healthz`, want: '400 lookup nosuch.invalid: no such host' },
  {
    name: 'a node whose kubelet is down',
    path: `${nodes}/down/proxy/healthz`,
    want: `503 ${unreachable} dial tcp 10.0.0.1:10250: connect: connection refused`,
  },
  {
    name: 'a kubelet without TLS',
    path: `${nodes}/plain/proxy/healthz`,
    want: `503 ${unreachable} tls: first record does not look like a TLS handshake`,
  },
  {
    name: 'a kubelet of another authority',
    path: `${nodes}/foreign/proxy/healthz`,
    want: `503 ${unreachable} tls: failed to verify certificate: x509: certificate signed by unknown authority`,
  },
  {
    name: 'a port that is closed',
    path: `${nodes}/down:81/proxy/healthz`,
    want: `503 ${unreachable} dial tcp 10.0.0.1:81: connect: connection refused`,
  },
  { name: 'a port that is none', path: `${nodes}/down:abc/proxy/healthz`, want: '400 invalid port "abc"' },
  {
    name: 'a port beyond all',
    path: `${nodes}/down:70000/proxy/healthz`,
    want: `503 ${unreachable} dial tcp: address 70000: invalid port`,
  },
  { name: 'another protocol', path: `${nodes}/ftp:down:1/proxy/healthz`, want: '400 invalid node request "ftp:down:1"' },
  { name: 'no such pod', path: `${pods}/missing/proxy/x`, want: '404 pods "missing" not found' },
  { name: 'a pod without an address', path: `${pods}/noip/proxy/x`, want: '400 address not allowed' },
  {
    name: 'a pod where nothing listens',
    path: `${pods}/good/proxy/x`,
    want: `503 ${unreachable} dial tcp 10.0.0.1:80: connect: connection refused`,
  },
  { name: 'a backend that says nothing', path: `${pods}/good:8081/proxy/x`, want: `503 ${unreachable} EOF` },
  { name: 'a backend that resets', path: `${pods}/good:8082/proxy/x`, want: `503 ${unreachable} read: connection reset by peer` },
  { name: 'a redirect', path: `${pods}/good:8084/proxy/x`, want: '302 ' },
  {
    name: 'a protocol that nobody asked for',
    path: `${pods}/good:8086/proxy/x`,
    want: '500 backend tried to switch protocol "x" when "" was requested',
  },
  { name: 'a status that is none', path: `${pods}/good:8088/proxy/x`, want: `503 ${unreachable} malformed HTTP status code "999"` },
  { name: 'an error of the backend', path: `${pods}/good:8089/proxy/x`, want: '403 nope' },
  {
    name: 'TLS to a backend without',
    path: `${pods}/https:good:8080/proxy/x`,
    want: `503 ${unreachable} tls: first record does not look like a TLS handshake`,
  },
  { name: 'no such service', path: `${services}/missing/proxy/x`, want: '404 services "missing" not found' },
  { name: 'no such service, by port', path: `${services}/missing:80/proxy/x`, want: '404 services "missing" not found' },
  {
    name: 'a service port by another number',
    path: `${services}/unnamed:81/proxy/x`,
    want: '503 no service port 81 found for service "unnamed"',
  },
  {
    name: 'a service port by another name',
    path: `${services}/unnamed:b/proxy/x`,
    want: '503 no endpoints available for service "unnamed:b"',
  },
  { name: 'a service port without its name', path: `${services}/named/proxy/x`, want: '503 no endpoints available for service "named"' },
  { name: 'a service with its port’s name', path: `${services}/named:a/proxy/x`, want: '403 nope' },
  { name: 'a service with its port’s number', path: `${services}/named:80/proxy/x`, want: '403 nope' },
  { name: 'a service without endpoints', path: `${services}/empty/proxy/x`, want: '503 no endpoints available for service "empty"' },
  { name: 'a service of which no endpoints are kept', path: `${services}/bare/proxy/x`, want: '404 services "bare" not found' },
  { name: 'logs of a pod without a node', path: `${pods}/noip/log`, want: '204 ' },
  {
    name: 'logs of a node that is down',
    path: `${pods}/good/log`,
    want: '500 Get "https://10.0.0.1:10250/containerLogs/default/good/main": dial tcp 10.0.0.1:10250: connect: connection refused',
  },
  { name: 'logs of a node without an address', path: `${pods}/nowhere/log`, want: '500 no preferred addresses found; known addresses: []' },
  {
    name: 'exec on a node that is down',
    path: `${pods}/good/exec?command=a&stdout=1`,
    upgrade: true,
    want: '500 error dialing backend: dial tcp 10.0.0.1:10250: connect: connection refused',
  },
  {
    name: 'exec on a kubelet of another authority',
    path: `${pods}/foreign/exec?command=a&stdout=1`,
    upgrade: true,
    want: '500 error dialing backend: tls: failed to verify certificate: x509: certificate signed by unknown authority',
  },
  { name: 'exec without an upgrade', path: `${pods}/good/exec?command=a&stdout=1`, want: '400 Upgrade request required' },
  {
    name: 'exec that says yes in another word',
    path: `${pods}/good/exec?command=a&stdin&stdout=False`,
    want: '400 Upgrade request required',
  },
  {
    name: 'exec that says no',
    path: `${pods}/good/exec?command=a&stdin=0&stdout=False`,
    want: '400 you must specify at least one of stdin, stdout, stderr',
  },
  {
    name: 'exec in a pod without a node',
    path: `${pods}/noip/exec?command=a&stdout=1`,
    upgrade: true,
    want: '400 pod noip does not have a host assigned',
  },
  {
    name: 'an upgrade where nothing listens',
    path: `${pods}/good:81/proxy/x`,
    upgrade: true,
    want: '500 error dialing backend: dial tcp 10.0.0.1:81: connect: connection refused',
  },
  { name: 'an upgrade to which nothing is said', path: `${pods}/good:8081/proxy/x`, upgrade: true, want: '500 unexpected EOF' },
  { name: 'an upgrade that is refused', path: `${pods}/good:8089/proxy/x`, upgrade: true, want: '403 nope' },
  {
    name: 'an upgrade that is redirected',
    path: `${pods}/good:8084/proxy/x`,
    upgrade: true,
    want: '500 invalid upgrade response: status code 302',
  },
  {
    name: 'an upgrade that is none',
    path: `${pods}/good:8090/proxy/x`,
    upgrade: true,
    want: '500 invalid upgrade response: status code 200',
  },
];

describe('proxies', () => {
  let network: ProxiedNetwork;
  before(async () => {
    network = await startProxiedNetwork();
    for (const [port, words] of Object.entries(backends)) await network.place(`10.0.0.1:${port}`, words);
    const address = [{ type: 'InternalIP', address: '10.0.0.1' }];
    const { createAuthority } = await import('../../src/control-plane/pki/authority.ts');
    const { realClock } = await import('../../src/client/clock.ts');
    const other = await createAuthority({ commonName: 'other', clock: realClock });
    await network.place(
      '10.0.0.1:9443',
      '',
      await other.issue({ commonName: 'system:node:foreign', ipAddresses: ['10.0.0.1'], usages: ['server'] }),
    );
    await network.node('none', []);
    await network.node('unnamed', [{ type: 'Hostname', address: 'nosuch.invalid' }]);
    await network.node('down', address);
    await network.node('plain', address, 8083);
    await network.node('foreign', address, 9443);
    await network.pod('good', { ip: '10.0.0.1', node: 'down' });
    await network.pod('foreign', { ip: '10.0.0.1', node: 'foreign' });
    await network.pod('nowhere', { ip: '10.0.0.1', node: 'none' });
    await network.pod('noip', {});
    const targetRef = { kind: 'Pod', namespace: 'default', name: 'good' };
    const subset = (name: string) => [{ addresses: [{ ip: '10.0.0.1', targetRef }], ports: [{ name, port: 8089 }] }];
    await network.service('unnamed', [{ port: 80 }]);
    await network.endpoints('unnamed', subset(''));
    await network.service('named', [{ name: 'a', port: 80 }]);
    await network.endpoints('named', subset('a'));
    await network.service('empty', [{ port: 80 }]);
    await network.endpoints('empty', []);
    await network.service('bare', [{ port: 80 }]);
  });
  after(() => network[Symbol.asyncDispose]());

  const ask = async (path: string, given: Parameters<typeof request>[1] = {}) => parseAnswer(await network.say(request(path, given)));

  for (const { name, path, want, upgrade } of rows) {
    it(name, async () => {
      const answer = await ask(path, upgrade ? { headers: upgradeHeaders } : {});
      assert.equal(`${answer.code} ${messageOf(answer)}`, want);
    });
  }

  it('an answer that is none', async () => {
    const answer = await ask(`${pods}/good:8083/proxy/x`);
    assert.match(
      `${answer.code} ${messageOf(answer)}`,
      /^503 error trying to reach service: net\/http: HTTP\/1.x transport connection broken: malformed/,
    );
  });

  it('an answer with two lengths is refused, and what follows it is nobody’s', async () => {
    assert.match(messageOf(await ask(`${pods}/good:8087/proxy/x`)), /transport connection broken/);
  });

  for (const port of [8085, 8091]) {
    it(`an answer that breaks off is broken off (${port})`, async () => {
      const text = await network.say(request(`${pods}/good:${port}/proxy/x`));
      const { head, body } = parseAnswer(text);
      assert.match(head, /^HTTP\/1.1 200/);
      // Neither as long as it should be, nor with the last chunk.
      assert.ok(body.length < 100 && !body.endsWith('0\r\n\r\n'), body);
    });
  }

  it('redirects lead through the proxy, and are not followed', async () => {
    const { head } = await ask(`${pods}/good:8092/proxy/x`);
    assert.match(head, new RegExp(`^location: ${pods}/good:8092/proxy/login\\?a=b\r?$`, 'im'));
    assert.match((await ask(`${pods}/good:8084/proxy/x`)).head, /^location: http:\/\/10.0.0.1:10250\/runningpods\/\r?$/im);
    assert.equal(network.received('10.0.0.1:10250'), '');
  });

  it('headers of an answer that concern one connection, or another site, stay behind', async () => {
    const { head } = await ask(`${pods}/good:8090/proxy/x`);
    assert.doesNotMatch(head, /x-hop|access-control|timeout=5/i);
    assert.equal(head.match(/^set-cookie: [ab]=\d\r?$/gim)?.length, 2);
  });

  it('headers of a request by which a client shows who it is stay behind, and those of one connection', async () => {
    const headers = [
      'Authorization: Bearer secret-token',
      'Proxy-Authorization: Basic secret',
      'X-Remote-User: secret',
      'X-Remote-Group: secret',
      'X-Remote-Extra-Scopes: secret',
      'Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.secret',
      'Connection: close, X-Hop, Content-Length',
      'X-Hop: secret',
      'TE: trailers',
      'Keep-Alive: timeout=secret',
      'Expect: 100-continue',
      'Cookie: a=b',
      'X-Forwarded-For: 9.9.9.9',
    ];
    const path = `${pods}/good:8080/proxy/x`;
    const { body } = await ask(`${path}?y=1`, { method: 'POST', headers, body: 'hello' });
    assert.match(body, /^POST \/x\?y=1 HTTP\/1.1\r$/m);
    assert.doesNotMatch(body, /secret|^(te|expect|keep-alive):/im);
    for (const line of [
      'cookie: a=b',
      'x-forwarded-for: 9.9.9.9, 127.0.0.1',
      `x-forwarded-uri: ${path}`,
      'content-length: 5',
      'connection: close',
    ])
      assert.ok(body.toLowerCase().includes(`\r\n${line}\r\n`), `${line} in ${body}`);
    assert.ok(body.endsWith('\r\n\r\nhello'));
  });

  it('a token among the protocols of a WebSocket stays behind', async () => {
    const headers = [...upgradeHeaders, 'Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.c2VjcmV0, chat'];
    await ask(`${pods}/good:8090/proxy/socket`, { headers });
    const heard = network.received('10.0.0.1:8090');
    assert.match(heard, /^sec-websocket-protocol: chat\r$/im);
    assert.match(heard, /^x-forwarded-for: 127.0.0.1\r$/im);
    assert.doesNotMatch(heard, /c2VjcmV0/);
  });

  it('a body of a GET is the request’s own, and not the beginning of the next', async () => {
    const { body } = await ask(`${pods}/good:8080/proxy/x`, { body: 'GET /admin HTTP/1.1\r\n\r\n' });
    assert.ok(body.endsWith('\r\n\r\nGET /admin HTTP/1.1\r\n\r\n'));
    assert.match(body, /^content-length: 23\r$/im);
  });

  it('a request with two lengths is refused before it is anybody’s', async () => {
    const headers = ['Transfer-Encoding: chunked', 'Content-Length: 4'];
    const heard = network.received('10.0.0.1:8080');
    assert.equal((await ask(`${pods}/good:8080/proxy/x`, { method: 'POST', headers })).code, 400);
    assert.equal(network.received('10.0.0.1:8080'), heard);
  });

  it('over HTTP/2 the same: bodies pass, and what breaks off is reset', async () => {
    const session = network.http2();
    const fetch = (path: string, method: string, body?: string): Promise<string> =>
      new Promise((resolve) => {
        const stream = session.request({ ':path': path, ':method': method }, { endStream: body === undefined });
        let text = '';
        let code = 0;
        stream.on('response', (headers) => {
          code = Number(headers[':status']);
        });
        stream.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        stream.on('error', () => resolve(`${code} reset`)).on('end', () => resolve(`${code} ${text}`));
        if (body !== undefined) stream.end(body);
      });
    assert.match(
      await fetch(`${pods}/good:8080/proxy/x`, 'GET'),
      /^200 GET \/x HTTP\/1.1\r\n(?!.*(transfer-encoding|content-length)).*\r\n\r\n$/is,
    );
    assert.match(await fetch(`${pods}/good:8080/proxy/x`, 'PUT', 'hello'), /^200 PUT \/x HTTP\/1.1\r\n.*hello/s);
    assert.equal(await fetch(`${pods}/good:8085/proxy/x`, 'GET'), '200 reset');
    assert.equal(await fetch(`${pods}/good:8091/proxy/x`, 'GET'), '200 reset');
    assert.match(await fetch(`${pods}/good:8081/proxy/x`, 'GET'), /^503 .*EOF/);
  });
});

it('who does not answer is not waited for', async () => {
  await using network = await startProxiedNetwork({ timeoutMs: 200 });
  await network.place('10.0.0.1:10250', () => undefined);
  await network.node('silent', [{ type: 'InternalIP', address: nobody }]);
  await network.node('deaf', [{ type: 'InternalIP', address: '10.0.0.1' }]);
  await network.pod('lost', { ip: nobody, node: 'silent' });
  const ask = async (path: string, headers: readonly string[] = []): Promise<string> => {
    const answer = parseAnswer(await network.say(request(path, { headers })));
    return `${answer.code} ${messageOf(answer)}`;
  };
  const late = `dial tcp ${nobody}:10250: i/o timeout`;
  assert.equal(await ask(`${nodes}/silent/proxy/healthz`), `503 ${unreachable} ${late}`);
  assert.equal(await ask(`${pods}/lost/proxy/`), `503 ${unreachable} dial tcp ${nobody}:80: i/o timeout`);
  assert.equal(await ask(`${pods}/lost/log`), `500 Get "https://${nobody}:10250/containerLogs/default/lost/main": ${late}`);
  assert.equal(await ask(`${pods}/lost/exec?command=a&stdout=1`, upgradeHeaders), `500 error dialing backend: ${late}`);
  assert.equal(await ask(`${nodes}/deaf/proxy/healthz`), `503 ${unreachable} net/http: TLS handshake timeout`);
});
