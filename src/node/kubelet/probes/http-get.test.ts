/** Answers that nobody means well with: each ends in Go's words, and with its connection closed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Container } from '../../../api/generated/core-v1.ts';
import { type HTTPAnswer, httpGet, planHTTPGet } from './http-get.ts';

const container: Container = { name: 'main' };
const redirect = (location: string): string => `HTTP/1.1 301 Moved\r\nLocation: ${location}\r\nContent-Length: 100000\r\n\r\nabc`;
const limitMs = 300;

/** The server says it, and holds the connection. PORT and URL stand for its own. */
const answers: readonly { readonly name: string; readonly says: string; readonly want: HTTPAnswer | string }[] = [
  {
    name: 'a redirect to what is no host',
    says: redirect('http://[bad'),
    want: `Get "URL": failed to parse Location header "http://[bad": parse "http://[bad": missing ']' in host`,
  },
  {
    name: 'a redirect to what is no port',
    says: redirect('http://127.0.0.1:x/'),
    want: `Get "URL": failed to parse Location header "http://127.0.0.1:x/": parse "http://127.0.0.1:x/": invalid port ":x" after host`,
  },
  {
    name: 'a redirect to a port that there can not be',
    says: redirect('http://127.0.0.1:99999/'),
    want: 'Get "http://127.0.0.1:99999/": dial tcp: address 99999: invalid port',
  },
  {
    name: 'a redirect to another protocol',
    says: redirect('ftp://127.0.0.1/'),
    want: 'Get "ftp://127.0.0.1/": unsupported protocol scheme "ftp"',
  },
  {
    name: 'a redirect to no host is one to another, and its body does not come',
    says: redirect('//:99999/'),
    want: 'context deadline exceeded (Client.Timeout or context cancellation while reading body)',
  },
  {
    name: 'a redirect to another host',
    says: 'HTTP/1.1 302 F\r\nLocation: http://a.test/\r\nContent-Length: 1\r\n\r\nx',
    want: { statusCode: 302, body: 'x' },
  },
  { name: 'a redirect to nowhere', says: 'HTTP/1.1 302 F\r\nContent-Length: 1\r\n\r\nx', want: { statusCode: 302, body: 'x' } },
  { name: 'a redirect to itself', says: redirect('/'), want: 'Get "/": stopped after 10 redirects' },
  { name: '305 leads nowhere', says: 'HTTP/1.1 305 U\r\nLocation: /\r\nContent-Length: 1\r\n\r\nx', want: { statusCode: 305, body: 'x' } },
  { name: 'another protocol', says: 'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nabc', want: { statusCode: 101, body: '' } },
  {
    name: 'nothing but announcements',
    says: 'HTTP/1.1 103 E\r\n\r\nHTTP/1.1 100 C\r\n\r\n',
    want: 'Get "URL": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
  },
  {
    name: 'half a head',
    says: 'HTTP/1.1 200 OK\r\nContent-',
    want: 'Get "URL": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
  },
  {
    name: 'half a body',
    says: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc',
    want: 'context deadline exceeded (Client.Timeout or context cancellation while reading body)',
  },
  {
    name: 'what is no HTTP',
    says: 'SSH-2.0-x\r\nmore',
    want: 'Get "URL": net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0-x"',
  },
  {
    name: 'a head without end',
    says: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(2 ** 21)}`,
    want: 'Get "URL": net/http: server response headers exceeded 1048576 bytes; aborted',
  },
  {
    name: 'a body without end',
    says: `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(2 ** 20)}`,
    want: { statusCode: 200, body: 'x'.repeat(10 * 1024) },
  },
];

describe('httpGet', () => {
  const sockets = new Set<Socket>();
  let says = '';
  let ends = false;
  let heard = '';
  let server: Server;
  let port = 0;
  before(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      socket.once('data', (head) => {
        heard = head.toString('latin1');
        if (ends) socket.end(says);
        else socket.write(says);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  after(() => server.close());

  const get = async (given: string, httpHeaders: { name: string; value: string }[] = []): Promise<HTTPAnswer | string> => {
    says = given;
    const plan = planHTTPGet({ port, httpHeaders }, container, { podIP: '127.0.0.1', purpose: 'probe' });
    const answer = await httpGet(plan, AbortSignal.timeout(limitMs)).catch((error: Error) => error.message.replace(plan.url.href, 'URL'));
    await Promise.all(
      [...sockets].map((socket) => (socket.destroyed ? undefined : new Promise((resolve) => socket.resume().on('close', resolve)))),
    );
    return answer;
  };

  for (const { name, says: given, want } of answers) {
    test(name, { timeout: 10_000 }, async () => assert.deepEqual(await get(given), want));
  }
  test('a connection that breaks off', async () => {
    ends = true;
    try {
      assert.equal(await get(''), 'Get "URL": EOF');
      assert.equal(await get('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'), 'unexpected EOF');
    } finally {
      ends = false;
    }
  });
  test('headers: text in UTF-8, the frame is the own, and no control characters', async () => {
    const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    await get(ok, [
      { name: 'X-A', value: 'ü€' },
      { name: 'Content-Length', value: '5' },
      { name: 'Transfer-Encoding', value: 'chunked' },
    ]);
    assert.match(heard, new RegExp(`X-A: ${Buffer.from('ü€').toString('latin1')}\r\n`));
    assert.doesNotMatch(heard, /length|encoding/i);
    assert.equal(await get(ok, [{ name: 'X-A', value: 'a\nb' }]), 'Get "URL": net/http: invalid header field value for "X-A"');
  });
  test('a host that is none', () => {
    const plan = (host: string) => () => planHTTPGet({ port: 80, host }, container, { podIP: '', purpose: 'probe' });
    assert.throws(plan('a b'), { message: 'parse "http://a b:80/": invalid character " " in host name' });
    assert.throws(plan('[bad'), { message: `parse "http://[bad:80/": missing ']' in host` });
  });
});
