import assert from 'node:assert/strict';
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
    assert.deepEqual(await ask('other'), { ok: false, message: 'error: health rpc probe failed: unknown service' }));
  test('refused', async () => assert.match((await ask('', 1)).message, /^error: failed to connect service at "127.0.0.1:1"/));
  test('no answer in time', async () => {
    const answer = await ask('never', port, AbortSignal.timeout(50));
    assert.equal(answer.ok, false);
    assert.match(answer.message, /^timeout: /);
  });
});
