/**
 * Clients that ask for much and never read: what the server holds for them is bounded, per user and in all, and nobody
 * else waits for them.
 */
import assert from 'node:assert/strict';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { describe, it } from 'node:test';
import { ConfigMap } from '../../src/api/generated/kinds.ts';
import type { ServerParts } from '../../src/control-plane/api-server/api-server.ts';
import { flowLimits, userShare } from '../../src/control-plane/api-server/chain/flow-control.ts';
import { type Listening, listen } from '../kit/https-server.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const users: ServerParts = {
  authenticators: [{ authenticate: ({ headers }) => ({ name: String(headers['x-user'] ?? 'other'), groups: ['system:authenticated'] }) }],
};
/** 600 kB in all */
async function fill({ server }: Listening): Promise<void> {
  for (let i = 0; i < 6; i++)
    await server.loopback.create(ConfigMap, { metadata: { name: `c${i}`, namespace: 'default' }, data: { k: 'x'.repeat(100_000) } });
}

const ask = (session: ClientHttp2Session, path: string): ClientHttp2Stream => {
  const stream = session.request({ ':path': path, 'x-user': 'greedy' });
  return stream.on('error', () => undefined).pause();
};
const statusOf = (stream: ClientHttp2Stream): Promise<unknown> =>
  new Promise((resolve) => {
    stream.once('response', (answer) => resolve(answer[':status'])).once('close', () => resolve('closed'));
  });

describe('a client that does not read', () => {
  it('has 300 watches of 600 kB on one connection, and gets all of them when it reads', async () => {
    await using listening = await listen(users);
    await fill(listening);
    const session = listening.http2();
    const watches = Array.from({ length: 300 }, () => ask(session, `${configMaps}?watch=true`));
    assert.deepEqual(new Set(await Promise.all(watches.map(statusOf))), new Set([200]));
    assert.equal((await listening.ask(`${configMaps}/c0`)).code, 200);
    await Promise.all(
      watches.map(async (watch) => {
        let received = 0;
        for await (const chunk of watch as AsyncIterable<Buffer>) {
          received += chunk.length;
          if (received > 600_000) break;
        }
      }),
    );
  });

  it('has a quarter of the lists that may be under way; others have the rest', async () => {
    await using listening = await listen(users);
    await fill(listening);
    const lists = Array.from({ length: 20 }, () => listening.http2()).flatMap((session) =>
      Array.from({ length: 25 }, () => ask(session, configMaps)),
    );
    const before = process.memoryUsage().rss;
    let begun = 0;
    await new Promise<void>((resolve) => {
      for (const list of lists) list.once('response', () => ++begun === flowLimits.readOnlyMax * userShare && resolve());
    });
    for (let i = 0; i < 20; i++) assert.equal((await listening.ask(`${configMaps}/c0`)).code, 200);
    assert.equal(begun, flowLimits.readOnlyMax * userShare);
    assert.ok(process.memoryUsage().rss - before < 400_000_000);
  });
});
