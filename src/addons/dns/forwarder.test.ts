import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { realClock } from '../../client/clock.ts';
import { Forwarder } from './forwarder.ts';

/** A broadcast address: connecting to it fails at once, without a packet. */
const unreachable = { address: '255.255.255.255', port: 53 };
const query = Buffer.from([7, 7, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

suite('forwarder', () => {
  test('nobody can be reached', async () => {
    assert.equal(await new Forwarder([unreachable], realClock).ask(query), undefined);
  });

  test('the next server is asked when one cannot be reached', async () => {
    const server = createSocket('udp4');
    server.on('message', (message, { port, address }) => server.send(message, port, address));
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    const forwarder = new Forwarder([unreachable, { address: '127.0.0.1', port: server.address().port }], realClock);
    assert.deepEqual(await forwarder.ask(query), query);
    server.close();
  });
});
