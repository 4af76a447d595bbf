import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { suite, test } from 'node:test';
import { describeMessage } from '../../../test/kit/dns-messages.ts';
import { realClock } from '../../client/clock.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { Forwarder, parseUpstream } from './forwarder.ts';
import { type DNSQuery, decodeQuery, encodeDNSMessage, parseName } from './message.ts';
import { frame } from './stream-frame.ts';

/** A broadcast address: connecting to it fails at once, without a packet. */
const unreachable = { address: '255.255.255.255', port: 53 };
const question = { name: parseName('www.Example.org'), type: 1, class: 1 };
const asked = { question, flags: 0x110, edns: { dnssecOK: true }, client: '10.244.0.2' };

/** Answers each query with what `answers` makes of it, over UDP, and over TCP with 100 addresses. */
/** Both on one port: one that is free for the one may be taken for the other. */
async function listenOnBoth(tcp: Server) {
  for (let attempt = 0; ; attempt++) {
    const udp = createSocket('udp4').bind(0, '127.0.0.1');
    await once(udp, 'listening');
    try {
      await once(tcp.listen(udp.address().port, '127.0.0.1'), 'listening');
      return udp;
    } catch (error) {
      udp.close();
      if (attempt === 20) throw error;
    }
  }
}

async function startUpstream(answers: (query: DNSQuery) => readonly Buffer[]) {
  const seen: DNSQuery[] = [];
  const tcp = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      // in two pieces, behind an answer to something else
      const framed = Buffer.concat([
        frame(answerTo({ id: 1, question })),
        frame(answerTo(decodeQuery(bytes.subarray(2)) as DNSQuery, 100)),
      ]);
      socket.write(framed.subarray(0, 99));
      setImmediate(() => socket.write(framed.subarray(99)));
    });
  });
  const udp = await listenOnBoth(tcp);
  udp.on('message', (message, from) => {
    const query = decodeQuery(message) as DNSQuery;
    seen.push(query);
    for (const answer of answers(query)) udp.send(answer, from.port, from.address);
  });
  return {
    upstream: { address: '127.0.0.1', port: (tcp.address() as AddressInfo).port },
    seen,
    async [Symbol.asyncDispose]() {
      udp.close();
      tcp.close();
      await once(tcp, 'close');
    },
  };
}

const answerTo = ({ id, question: q = question }: Pick<DNSQuery, 'id' | 'question'>, count = 1, bytesMax = 65_535): Buffer =>
  encodeDNSMessage(
    {
      id,
      flags: 0x8180,
      question: q,
      answers: Array.from({ length: count }, (_, i) => ({ name: q.name, type: 1, ttl: 9, data: [Uint8Array.of(192, 0, 2, i)] })),
    },
    bytesMax,
  );

suite('forwarder', () => {
  test('nobody can be reached', async () => {
    assert.equal(await new Forwarder([unreachable], realClock).ask(asked, 'udp'), undefined);
  });

  test('the next server is asked when one cannot be reached; nothing but the question goes out', async () => {
    await using server = await startUpstream((query) => [answerTo(query)]);
    const answer = await new Forwarder([unreachable, server.upstream], realClock).ask(asked, 'udp');
    assert.deepEqual(answer && describeMessage(answer).answers, ['www.Example.org 9 A 192.0.2.0']);
    assert.deepEqual(
      [server.seen[0]?.question, server.seen[0]?.flags, server.seen[0]?.edns],
      [question, 0x110, { udpBytes: 1232, version: 0, dnssecOK: true }],
    );
  });

  test('only an answer to this very question counts', async () => {
    const wrong = (query: DNSQuery): Buffer[] => [
      answerTo({ ...query, id: query.id ^ 1 }),
      answerTo({ ...query, question: { ...question, name: parseName('evil.example.org') } }),
      answerTo({ ...query, question: { ...question, type: 28 } }),
      answerTo({ ...query, question: { ...question, class: 3 } }),
      encodeDNSMessage({ id: query.id, flags: 0x8000 }, 512),
      Buffer.from([1, 2, 3]),
      Buffer.concat([answerTo(query).subarray(0, 30)]),
    ];
    await using server = await startUpstream((query) => [
      ...wrong(query),
      answerTo({ ...query, question: { ...question, name: parseName('WWW.EXAMPLE.ORG') } }),
    ]);
    const answer = await new Forwarder([server.upstream], realClock).ask(asked, 'udp');
    assert.equal(answer && describeMessage(answer).question, 'WWW.EXAMPLE.ORG A class 1');
  });

  test('each query has an identity of its own', async () => {
    await using server = await startUpstream((query) => [answerTo(query)]);
    const forwarder = new Forwarder([server.upstream], realClock);
    await Promise.all(Array.from({ length: 50 }, () => forwarder.ask(asked, 'udp')));
    assert.ok(new Set(server.seen.map(({ id }) => id)).size > 40);
  });

  for (const [via, want] of [
    ['udp', 29],
    ['tcp', 100],
  ] as const) {
    test(`an answer that was cut, for a client that came by ${via}`, async () => {
      await using server = await startUpstream((query) => [answerTo(query, 100, 512)]);
      const answer = await new Forwarder([server.upstream], realClock).ask({ ...asked, edns: undefined }, via);
      assert.equal(answer && describeMessage(answer).answers.length, want);
    });
  }

  test('a server that says nothing is left after two seconds, and questions under way are bounded, in all and of one client', async () => {
    await using server = await startUpstream(() => []);
    const clock = new VirtualClock();
    const forwarder = new Forwarder([server.upstream], clock);
    const ask = (client: string) => forwarder.ask({ ...asked, client }, 'udp');
    const waiting: Promise<unknown>[] = [];
    for (const client of ['a', 'b', 'c', 'd']) {
      waiting.push(...Array.from({ length: 250 }, () => ask(client)));
      assert.equal(await ask(client), undefined); // at once: one too many of this client
    }
    assert.equal(await ask('e'), undefined); // at once: one too many of all
    await clock.advance(2000);
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set([undefined]));
    const again = ask('a');
    assert.equal(await Promise.race([again, Promise.resolve('under way')]), 'under way');
    await clock.advance(2000);
    await again;
  });

  for (const [text, address, port] of [
    ['10.0.0.2', '10.0.0.2', 53],
    ['10.0.0.2:5353', '10.0.0.2', 5353],
    ['2001:db8::2', '2001:db8::2', 53],
    ['[2001:db8::2]:5353', '2001:db8::2', 5353],
  ] as const) {
    test(`upstream ${text}`, () => assert.deepEqual(parseUpstream(text), { address, port }));
  }
});
