/**
 * What clients write becomes headers of answers: warnings, audit ids, what proxied servers say. None of it may end more
 * than its own exchange.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { realClock } from '../../src/client/clock.ts';
import { selfSubjectReviews } from '../../src/control-plane/api-server/authentication/reviews.ts';
import { accessReviews } from '../../src/control-plane/api-server/authorization/access-reviews.ts';
import type { ConnectEndpoint } from '../../src/control-plane/api-server/request/api-request.ts';
import { everybody, type Listening, listen } from '../kit/https-server.ts';

const printable = /^[\x20-\x7e]*$/;
const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const review = { spec: { nonResourceAttributes: { path: '/', verb: 'get' } } };
const allow = () => ({ verdict: 'allow', reason: '' }) as const;
const parts = { ...everybody, createEndpoints: [selfSubjectReviews(realClock), ...accessReviews(allow, [])] };

/** Over HTTP/2, where headers reach the wire by another way. */
async function askHTTP2({ http2 }: Listening, path: string, headers: Record<string, string>, body = ''): Promise<Record<string, unknown>> {
  const stream = http2().request({ ':path': path, ':method': body ? 'POST' : 'GET', 'content-type': 'application/json', ...headers });
  if (body) stream.end(body);
  const [answer] = (await once(stream, 'response')) as [Record<string, unknown>];
  stream.resume();
  await once(stream, 'close');
  return answer;
}

describe('text of clients in headers', () => {
  const members: readonly { readonly name: string; readonly member: string; readonly warning: string | undefined }[] = [
    { name: 'beyond Latin-1', member: 'x世', warning: '299 - "unknown field \\"x=?utf-8?q?=E4=B8=96?=\\""' },
    { name: 'in Latin-1', member: 'é', warning: '299 - "unknown field \\"=?utf-8?q?=C3=A9?=\\""' },
    { name: 'an emoji', member: '😀', warning: '299 - "unknown field \\"=?utf-8?q?=F0=9F=98=80?=\\""' },
    { name: 'a line break', member: 'a\r\nset-cookie: b', warning: '299 - "unknown field \\"a\\\\r\\\\nset-cookie: b\\""' },
    { name: 'whose low byte is a line break', member: 'Ċ', warning: '299 - "unknown field \\"=?utf-8?q?=C4=8A?=\\""' },
    { name: 'DEL', member: 'a\x7f', warning: undefined },
    { name: 'a control character of Latin-1', member: 'a\x85', warning: undefined },
  ];
  for (const { name, member, warning } of members) {
    it(`warns of an unknown member: ${name}`, async () => {
      await using listening = await listen(parts);
      const body = JSON.stringify({ ...review, [member]: 1 });
      const first = await listening.ask(reviews, { method: 'POST', body });
      const second = await askHTTP2(listening, reviews, {}, body);
      assert.deepEqual([first.code, first.headers['warning']], [201, warning]);
      assert.deepEqual([second[':status'], second['warning']], [201, warning]);
    });
  }

  it('takes the first of several audit ids, whatever is in it', async () => {
    await using listening = await listen();
    for (const [given, want] of [
      ['abc', 'abc'],
      ['x'.repeat(300), 'x'.repeat(300)],
      ['a\tb', 'a%09b'],
    ] as const) {
      const { code, headers } = await listening.ask('/api/v1/nodes', { headers: { 'audit-id': given } });
      assert.deepEqual([code, headers['audit-id']], [200, want]);
      const over2 = await askHTTP2(listening, '/api/v1/nodes', { 'audit-id': given });
      assert.deepEqual([over2[':status'], over2['audit-id']], [200, want]);
    }
    const socket = await listening.raw();
    socket.write('GET /api/v1/nodes HTTP/1.1\r\nHost: a\r\nAudit-ID: \xe9\xff\r\nAudit-ID: second\r\nConnection: close\r\n\r\n', 'latin1');
    let text = '';
    for await (const chunk of socket.setEncoding('latin1')) text += chunk;
    const [, id = ''] = /^audit-id: (.*)\r$/m.exec(text) ?? [];
    assert.match(text, /^HTTP\/1.1 200 /);
    assert.match(id, printable);
    assert.doesNotMatch(id, /second/);
  });

  it('ends the exchange alone when an endpoint has left headers that can not be sent', async () => {
    const broken: ConnectEndpoint = {
      resource: 'pods',
      subresource: 'log',
      methods: ['GET'],
      handle: async ({ response }) => {
        response?.setHeader('content-encoding', 'gzip');
        throw new Error('世');
      },
    };
    await using listening = await listen({ ...everybody, connectEndpoints: [broken] });
    const path = '/api/v1/namespaces/default/pods/a/log';
    const { code, headers, json } = await listening.ask(path);
    assert.deepEqual([code, headers['content-encoding'], json()['message']], [500, undefined, 'Internal error occurred: 世']);
    assert.equal((await askHTTP2(listening, path, {}))[':status'], 500);
    assert.equal((await listening.ask('/api/v1/nodes')).code, 200);
  });
});
