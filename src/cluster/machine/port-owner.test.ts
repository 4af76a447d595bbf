import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename } from 'node:path';
import { test } from 'node:test';
import { describePortOwner, listenersOn } from './port-owner.ts';

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:192B 0100007F:8A2C 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 20 4 30 10 -1
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 100 0 0 10 0
`;
const rows = [
  { name: 'who listens, and no connection', port: 6443, want: [{ address: '0100007F', inode: '4711' }] },
  { name: 'every address', port: 80, want: [{ address: '00000000', inode: '4713' }] },
  { name: 'nobody', port: 8080, want: [] },
];
for (const { name, port, want } of rows) test(`the listeners on a port: ${name}`, () => assert.deepEqual(listenersOn(port, table), want));

test('the owner of a port is this process', { skip: !existsSync('/proc/net/tcp') && 'needs /proc' }, async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  assert.equal(describePortOwner(port), `process ${process.pid}, ${basename(process.argv0)}`);
  server.close();
  await once(server, 'close');
  assert.equal(describePortOwner(port), undefined);
});
