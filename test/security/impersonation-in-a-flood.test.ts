/**
 * A flood of headers, with those of impersonation at its end: what comes after a limit is not lost without a word, or the
 * request would be done with the rights of whoever passes it on. And every value that is asked for is checked.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';

let running: GuardedServer;
let pair: { readonly certPem: string; readonly keyPem: string };
before(async () => {
  running = await startGuardedServer();
  pair = await running.pki.certificate('passer', { commonName: 'passer', organizations: ['system:masters'], usages: ['client'] });
});
after(() => running[Symbol.asyncDispose]());

async function whoAmI(headers: readonly string[]): Promise<string> {
  const { port, pki } = running;
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca: pki.authority.certPem,
    cert: pair.certPem,
    key: pair.keyPem,
    ALPNProtocols: ['http/1.1'],
  });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  const head = [
    'POST /apis/authentication.k8s.io/v1/selfsubjectreviews HTTP/1.1',
    'Host: x',
    'Content-Length: 2',
    'Connection: close',
    ...headers,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n{}`);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

const groups = (count: number): string[] => Array.from({ length: count }, (_, i) => `Impersonate-Group: g${i}`);
const others = (count: number): string[] => Array.from({ length: count }, (_, i) => `X-${i}: 1`);

describe('impersonation', () => {
  for (const count of [0, 100, 1_900, 2_100, 5_000, 12_000, 20_000]) {
    it(`after ${count} other headers is done or refused, never left out`, async () => {
      const answer = await whoAmI([...others(count), 'Impersonate-User: guest']);
      assert.ok(/^HTTP\/1\.1 (400|413|431) /.test(answer) || answer.includes('"username":"guest"') || answer === '', answer.slice(0, 400));
      assert.ok(!answer.includes('"username":"passer"'));
    });
  }
  for (const count of [1, 500, 1_990, 2_100, 10_000]) {
    it(`of ${count} groups is of all of them, or refused`, async () => {
      const answer = await whoAmI(['Impersonate-User: guest', ...groups(count)]);
      if (/^HTTP\/1\.1 (400|413|431) /.test(answer) || answer === '') return;
      assert.ok(answer.includes('"username":"guest"') && answer.includes(`"g${count - 1}"`), answer.slice(0, 300));
      assert.ok(!answer.includes('system:masters'));
    });
  }
});
