/** Connections that are opened and say nothing: what each costs is bounded, and all of it comes back. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { it } from 'node:test';
import { connect as connectTLS } from 'node:tls';
import { everybody, listen } from '../kit/https-server.ts';

const connections = 300;
/** Measured with 1,000: 50 kB, the session of HTTP/2 with it; so 2,000 take 100 MB. */
const connectionBytesMax = 150_000;

const [, , role, port = '', ca = ''] = process.argv;
if (role === 'clients') {
  for (let i = 0; i < connections; i++) {
    const socket = connectTLS({ host: '127.0.0.1', port: Number(port), ca, ALPNProtocols: ['h2'] });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
  }
  process.send?.('open');
} else {
  it(`holds ${connections} connections that say nothing`, async () => {
    await using listening = await listen(everybody);
    await listening.ask('/api/v1/nodes');
    const before = process.memoryUsage().rss;
    const clients = fork(import.meta.filename, ['clients', String(listening.port), listening.authority.certPem]);
    await new Promise((resolve) => clients.once('message', resolve));
    const each = (process.memoryUsage().rss - before) / connections;
    assert.equal((await listening.ask('/api/v1/nodes')).code, 200);
    clients.kill('SIGKILL');
    assert.ok(each < connectionBytesMax, `${Math.round(each)} bytes each`);
  });
}
