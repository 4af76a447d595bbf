import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Deployment, Namespace, Pod } from '../../api/generated/kinds.ts';
import { errors, isNotFound, isStatusError } from '../../api/meta/status-error.ts';
import type { Client } from '../client.ts';
import { seededRandom } from '../clock.ts';
import { silentLog } from '../log.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { createHTTPClient, type HTTPClientOptions } from './http-client.ts';

interface Seen {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A loopback server that answers as the test says. */
async function serve(answer: (request: Seen, response: ServerResponse) => void, options: Partial<HTTPClientOptions> = {}) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const entry = { line: `${request.method} ${request.url}`, headers: request.headers, body: Buffer.concat(chunks).toString() };
      seen.push(entry);
      answer(entry, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clock = new VirtualClock();
  const client = createHTTPClient({
    server: `http://127.0.0.1:${port}/prefix/`,
    clock,
    random: seededRandom(1),
    log: silentLog,
    ...options,
  });
  return {
    client,
    clock,
    seen,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const pod = { metadata: { name: 'p', namespace: 'n' }, spec: { containers: [] } };
const requests: { name: string; call: (client: Client) => Promise<unknown>; line: string; type?: string; body?: unknown }[] = [
  { name: 'get', call: (c) => c.get(Pod, { namespace: 'n', name: 'p' }), line: 'GET /prefix/api/v1/namespaces/n/pods/p' },
  { name: 'get cluster-scoped', call: (c) => c.get(Namespace, { name: 'n' }), line: 'GET /prefix/api/v1/namespaces/n' },
  {
    name: 'list',
    call: (c) => c.list(Deployment, { labelSelector: 'a in (b,c)', limit: 5 }),
    line: 'GET /prefix/apis/apps/v1/deployments?labelSelector=a+in+%28b%2Cc%29&limit=5',
  },
  {
    name: 'create',
    call: (c) => c.create(Pod, pod, { dryRun: true }),
    line: 'POST /prefix/api/v1/namespaces/n/pods?dryRun=All',
    type: 'application/json',
    body: { apiVersion: 'v1', kind: 'Pod', ...pod },
  },
  {
    name: 'update a subresource',
    call: (c) => c.update(Pod, { apiVersion: 'v1', kind: 'Pod', ...pod } as unknown as Pod, { subresource: 'status', fieldManager: 'm' }),
    line: 'PUT /prefix/api/v1/namespaces/n/pods/p/status?fieldManager=m',
    type: 'application/json',
    body: { apiVersion: 'v1', kind: 'Pod', ...pod },
  },
  {
    name: 'apply',
    call: (c) => c.patch(Pod, { namespace: 'n', name: 'p' }, { type: 'apply', body: pod, force: true }, { fieldManager: 'm' }),
    line: 'PATCH /prefix/api/v1/namespaces/n/pods/p?fieldManager=m&force=true',
    type: 'application/apply-patch+yaml',
    body: pod,
  },
  {
    name: 'delete',
    call: (c) => c.delete(Pod, { namespace: 'n', name: 'p' }, { gracePeriodSeconds: 0, preconditions: { uid: 'u' } }),
    line: 'DELETE /prefix/api/v1/namespaces/n/pods/p',
    type: 'application/json',
    body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: 'u' } },
  },
  {
    name: 'deleteCollection',
    call: (c) => c.deleteCollection(Pod, { namespace: 'n', fieldSelector: 'a=b' }, { propagationPolicy: 'Background' }),
    line: 'DELETE /prefix/api/v1/namespaces/n/pods?fieldSelector=a%3Db',
    type: 'application/json',
    body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' },
  },
  {
    name: 'post to a subresource',
    call: (c) => c.post(Pod, { namespace: 'n', name: 'p' }, 'eviction', { a: 1 }),
    line: 'POST /prefix/api/v1/namespaces/n/pods/p/eviction',
    type: 'application/json',
    body: { a: 1 },
  },
  { name: 'raw', call: (c) => c.raw('/apis?x=y'), line: 'GET /prefix/apis?x=y' },
];
for (const { name, call, line, type, body } of requests) {
  test(`request: ${name}`, async () => {
    await using server = await serve((_, response) => response.end('{}'));
    await call(server.client);
    const [seen] = server.seen;
    assert.equal(seen?.line, line);
    assert.equal(seen?.headers['content-type'], type);
    assert.deepEqual(seen.body ? JSON.parse(seen.body) : undefined, body);
  });
}

test('items of a list get the type that the list leaves out', async () => {
  await using server = await serve((_, response) => response.end('{"kind":"PodList","metadata":{},"items":[{"metadata":{"name":"p"}}]}'));
  const list = await server.client.list(Pod);
  assert.deepEqual(list.items, [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }]);
});

test('a refusal is the StatusError that the body says, or one made of the code', async () => {
  const status = errors.notFound(Pod, 'p').status;
  await using server = await serve(({ line }, response) => {
    response.statusCode = line.includes('/p') && line.includes('pods') ? 404 : 503;
    response.end(response.statusCode === 404 ? JSON.stringify(status) : '<html>bad gateway');
  });
  await assert.rejects(server.client.get(Pod, { namespace: 'n', name: 'p' }), isNotFound);
  await assert.rejects(server.client.raw('/version'), (e) => isStatusError(e) && e.code === 503 && e.reason === 'ServiceUnavailable');
});

test('too many requests: again after the time that the server says', async () => {
  let answers = 0;
  await using server = await serve((_, response) => {
    if (++answers < 3) response.writeHead(429, { 'retry-after': '2' });
    response.end('{}');
  });
  const { clock } = server;
  const done = server.client.raw('/version');
  while (answers < 3) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(clock.pending > 0 ? 2000 : 0);
  }
  await done;
  assert.equal(clock.now() - Date.UTC(2026, 0, 1), 4000);
});

test('a watch yields its events wherever the stream is cut, and throws an ERROR event', async () => {
  const lines = ['ADDED', 'MODIFIED'].map((type) => `${JSON.stringify({ type, object: { metadata: { name: 'grün' } } })}\n`).join('');
  const bytes = Buffer.from(`${lines}${JSON.stringify({ type: 'ERROR', object: errors.expired('too old').status })}\n`);
  await using server = await serve(async (_, response) => {
    for (const byte of bytes) {
      response.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });
  const types: string[] = [];
  await assert.rejects(
    async () => {
      for await (const event of server.client.watch(Pod, { resourceVersion: '5' }))
        types.push(`${event.type} ${event.object.metadata.name}`);
    },
    (e) => isStatusError(e) && e.reason === 'Expired',
  );
  assert.deepEqual(types, ['ADDED grün', 'MODIFIED grün']);
  assert.equal(server.seen[0]?.line, 'GET /prefix/api/v1/pods?resourceVersion=5&watch=true');
});

test('two hundred watches starve nobody', async () => {
  await using server = await serve(({ line }, response) => {
    if (line.includes('watch')) response.write('{"type":"ADDED","object":{"metadata":{}}}\n');
    else response.end('{}');
  });
  const stop = new AbortController();
  const watches = Array.from({ length: 200 }, () => server.client.watch(Pod, { signal: stop.signal })[Symbol.asyncIterator]());
  await Promise.all(watches.map((watch) => watch.next()));
  await server.client.raw('/version');
  stop.abort();
  await Promise.allSettled(watches.map((watch) => watch.next()));
});

test('a token file is read again when its token was refused, and each minute', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'token-'));
  const tokenFile = join(folder, 'token');
  try {
    await writeFile(tokenFile, 'one\n');
    let accepted = 'one';
    await using server = await serve(
      ({ headers }, response) => {
        if (headers.authorization !== `Bearer ${accepted}`) response.statusCode = 401;
        response.end('{}');
      },
      { tokenFile },
    );
    await server.client.raw('/version');
    await writeFile(tokenFile, 'two');
    await server.client.raw('/version');
    accepted = 'two';
    await assert.rejects(server.client.raw('/version'), (e) => isStatusError(e) && e.reason === 'Unauthorized');
    await server.client.raw('/version');
    await writeFile(tokenFile, 'three');
    accepted = 'three';
    await server.clock.advance(60_000);
    await server.client.raw('/version');
  } finally {
    await rm(folder, { recursive: true });
  }
});
