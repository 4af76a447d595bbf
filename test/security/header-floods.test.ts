/**
 * Heads of requests: as large as upstream takes them (1 MiB, 16,384 headers), and what is more is refused. None of a
 * request's headers is ever dropped without a word.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { requestHeadersMax } from '../../src/client/transport/node-http.ts';
import type { ServerParts } from '../../src/control-plane/api-server/api-server.ts';
import { type Listening, listen } from '../kit/https-server.ts';

/** Who does not show the last header is nobody. */
const lastWins: ServerParts = {
  authenticators: [
    { authenticate: ({ headers }) => (headers['x-last'] === 'me' ? { name: 'tester', groups: ['system:masters'] } : undefined) },
  ],
};
const target = '/api/v1/namespaces/default/configmaps';
const flood = (headers: number): string[] => ['host: a', ...Array.from({ length: headers - 2 }, (_, i) => `x-${i}: y`), 'x-last: me'];

async function overHTTP1(listening: Listening, lines: readonly string[], query = ''): Promise<number> {
  const socket = await listening.raw();
  socket.write(`GET ${target}${query} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  const [first] = (await once(socket, 'data')) as [Buffer];
  return Number(first.toString().split(' ')[1]);
}

/** Undefined: the connection was ended. */
async function overHTTP2(listening: Listening, lines: readonly string[], query = ''): Promise<number | undefined> {
  const headers = Object.fromEntries(lines.map((line) => line.split(': ')));
  const stream = listening.http2().request({ ':path': `${target}${query}`, ...headers });
  stream.on('error', () => undefined);
  return new Promise((resolve) => {
    stream.once('response', (answer) => resolve(answer[':status'])).once('close', () => resolve(undefined));
  });
}

describe('the head of a request', () => {
  const rows = [
    { name: 'with as many headers as it may have', ask: overHTTP1, headers: requestHeadersMax, bytes: 0, want: 200 },
    { name: 'with too many', ask: overHTTP1, headers: requestHeadersMax + 1, bytes: 0, want: 431 },
    { name: 'with far too many', ask: overHTTP1, headers: 100_000, bytes: 0, want: 431 },
    { name: 'of almost 1 MiB', ask: overHTTP1, headers: 3, bytes: 1_040_000, want: 200 },
    { name: 'of more', ask: overHTTP1, headers: 3, bytes: 1_060_000, want: 431 },
    { name: 'with many headers over HTTP/2', ask: overHTTP2, headers: 8000, bytes: 0, want: 200 },
    { name: 'with too many over HTTP/2', ask: overHTTP2, headers: 100_000, bytes: 0, want: undefined },
    { name: 'long over HTTP/2', ask: overHTTP2, headers: 3, bytes: 60_000, want: 200 },
    { name: 'too long over HTTP/2', ask: overHTTP2, headers: 3, bytes: 1_060_000, want: undefined },
  ];
  for (const { name, ask, headers, bytes, want } of rows) {
    it(name, async () => {
      await using listening = await listen(lastWins);
      const query = bytes ? `?unknown=${'k'.repeat(bytes)}` : '';
      assert.equal(await ask(listening, flood(headers), query), want);
      assert.equal((await listening.ask(target, { headers: { 'x-last': 'me' } })).code, 200, 'another client');
    });
  }
});
