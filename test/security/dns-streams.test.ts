/**
 * Streams without a bound (CVE-2025-47950, CVE-2026-32934): whoever opens connections, sends queries without reading,
 * or keeps questions under way holds a place that has an end, and others are served.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { Forwarder } from '../../src/addons/dns/forwarder.ts';
import { frame } from '../../src/addons/dns/stream-frame.ts';
import { realClock } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { connectTo, listenDNS, receive } from '../kit/dns-cluster.ts';
import { encodeTestQuery } from '../kit/dns-messages.ts';

const query = frame(encodeTestQuery('web.shop.svc.cluster.local', 'A'));

/** Holds every question for another domain until it is let go. */
class HoldingForwarder extends Forwarder {
  readonly held: (() => void)[] = [];
  asked = 0;
  constructor() {
    super([], realClock);
    this.ask = () => {
      this.asked++;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      this.held.push(() => resolve(undefined));
      return promise;
    };
  }
}

const ask = async (socket: Socket): Promise<void> => {
  socket.write(query);
  assert.equal((await receive(socket, 1)).length, 1);
};

describe('unbounded streams', () => {
  it('the 201st connection takes the place of the one that has asked nothing for the longest time', { timeout: 20_000 }, async () => {
    await using server = await listenDNS();
    const earliest = await connectTo(server.port);
    const idle = await connectTo(server.port);
    const others: Socket[] = [];
    for (let i = 0; i < 198; i++) others.push(await connectTo(server.port));
    for (const socket of [earliest, ...others]) await ask(socket);
    const ended = once(idle.resume(), 'end');
    const last = await connectTo(server.port);
    await ended;
    for (const socket of [last, earliest, ...others]) await ask(socket);
    for (const socket of [last, earliest, ...others, idle]) socket.destroy();
  });

  it('who has all the places loses his own to others, and takes none of theirs', { timeout: 20_000 }, async () => {
    await using server = await listenDNS();
    const others = [await connectTo(server.port, '127.0.0.2'), await connectTo(server.port, '127.0.0.3')];
    const busy: Socket[] = [];
    for (let i = 0; i < 198; i++) busy.push(await connectTo(server.port));
    for (const socket of busy) await ask(socket);
    for (const address of [...Array.from({ length: 250 }, () => '127.0.0.1'), '127.0.0.4']) {
      const ended = once((busy.shift() as Socket).resume(), 'end');
      (address === '127.0.0.1' ? busy : others).push(await connectTo(server.port, address));
      await ended;
    }
    for (const socket of others) await ask(socket);
    for (const socket of [...busy, ...others]) socket.destroy();
  });

  it('one stream has eight questions under way, and the next one another eight', async () => {
    const forwarder = new HoldingForwarder();
    await using server = await listenDNS(silentLog, forwarder);
    const foreign = frame(encodeTestQuery('example.org', 'A'));
    const sockets = [await connectTo(server.port), await connectTo(server.port)];
    for (const socket of sockets) socket.write(Buffer.concat(Array.from({ length: 500 }, () => foreign)));
    const other = await connectTo(server.port);
    other.write(query);
    assert.equal((await receive(other, 1)).length, 1);
    assert.equal(forwarder.asked, 16);
    for (const letGo of forwarder.held.splice(0)) letGo();
    for (const socket of sockets) socket.destroy();
  });

  it('answers that nobody reads stop the reading of questions', async () => {
    await using server = await listenDNS();
    const deaf = await connectTo(server.port);
    deaf.pause();
    const big = frame(encodeTestQuery('big.shop.svc.cluster.local', 'A'));
    const block = Buffer.concat(Array.from({ length: 1000 }, () => big));
    let blocks = 0;
    // 48 kB of questions are 1.7 MB of answers; once nothing moves any more, another client is still served
    while (blocks < 400 && deaf.write(block)) blocks++;
    for (let turn = 0; turn < 50 && deaf.writableNeedDrain; turn++) {
      const other = await connectTo(server.port);
      other.write(query);
      assert.equal((await receive(other, 1)).length, 1);
      while (blocks < 400 && !deaf.writableNeedDrain && deaf.write(block)) blocks++;
    }
    assert.ok(blocks < 400, 'the server reads on, and keeps what it has to say');
    assert.ok(process.memoryUsage().rss < 500e6);
    deaf.destroy();
  });
});
