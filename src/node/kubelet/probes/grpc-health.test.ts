import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { grpcHealthProbe } from './grpc-health.ts';

/** The health service, by hand: both messages have one field. */
const check = {
  path: '/grpc.health.v1.Health/Check',
  requestStream: false,
  responseStream: false,
  requestDeserialize: (bytes: Buffer) => ({ service: bytes.subarray(2).toString() }),
  requestSerialize: ({ service }: { readonly service: string }) => Buffer.from(service),
  responseSerialize: (code: number) => Buffer.from([0x08, code]),
  responseDeserialize: (bytes: Buffer) => bytes[1] ?? 0,
};

describe('grpcHealthProbe', () => {
  const server = new Server();
  let port = 0;
  before(async () => {
    const answers: Readonly<Record<string, number>> = { '': 1, sick: 2 };
    server.addService({ check }, {
      check: (
        call: { readonly request: { readonly service: string } },
        reply: (error: { code: number; details: string } | null, code?: number) => void,
      ) => {
        const { service } = call.request;
        if (service === 'never') return;
        const answer = answers[service];
        if (answer === undefined) reply({ code: status.NOT_FOUND, details: 'unknown service' });
        else reply(null, answer);
      },
    } as never);
    port = await new Promise((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
    );
  });
  after(() => server.forceShutdown());
  const ask = (service: string, at = port, signal = new AbortController().signal) =>
    grpcHealthProbe({ host: '127.0.0.1', port: at, service, timeoutSeconds: 1, signal });

  test('serving', async () => assert.deepEqual(await ask(''), { ok: true, message: 'service healthy' }));
  test('not serving', async () =>
    assert.deepEqual(await ask('sick'), { ok: false, message: 'service unhealthy (responded with "NOT_SERVING")' }));
  test('unknown', async () =>
    assert.deepEqual(await ask('other'), {
      ok: false,
      message: 'error: health rpc probe failed: rpc error: code = NotFound desc = unknown service',
    }));
  test('refused', async () => assert.match((await ask('', 1)).message, /^error: failed to connect service at "127.0.0.1:1"/));
  test('no answer in time', async () => {
    const answer = await ask('never', port, AbortSignal.timeout(50));
    assert.equal(answer.ok, false);
    assert.match(answer.message, /^timeout: /);
  });

  /** Servers that hold the connection, whatever they are told. */
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  for (const { name, says, want } of [
    { name: 'nothing is said', says: Buffer.alloc(0), want: /^timeout: failed to connect service/ },
    { name: 'a greeting, and nothing more', says: settings, want: /^timeout: health rpc did not complete within 1s$/ },
    { name: 'what is no HTTP/2', says: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), want: /^(error|timeout): / },
  ]) {
    test(`the connection is closed after ${name}`, { timeout: 10_000 }, async () => {
      const closed = Promise.withResolvers<void>();
      const holder = createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('error', () => undefined).on('close', closed.resolve);
        socket.resume().write(says);
        socket.on('end', () => socket.end());
      }).listen(0, '127.0.0.1');
      await once(holder, 'listening');
      const held = (holder.address() as AddressInfo).port;
      assert.match((await ask('', held, AbortSignal.timeout(200))).message, want);
      await closed.promise;
      holder.close();
    });
  }
});
