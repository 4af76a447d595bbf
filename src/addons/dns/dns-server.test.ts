import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { connectTo, FakeForwarder, listenDNS, receive, smallZone } from '../../../test/kit/dns-cluster.ts';
import { type Described, describeMessage, encodeTestQuery } from '../../../test/kit/dns-messages.ts';
import { realClock, seededRandom } from '../../client/clock.ts';
import { silentLog } from '../../client/log.ts';
import { Forwarder } from './forwarder.ts';
import { Responder } from './responder.ts';
import { frame } from './stream-frame.ts';

const responder = (forwarder: Forwarder = new Forwarder([], realClock)) =>
  new Responder({ zone: smallZone, forwarder, random: seededRandom(1) });
const answered = async (packet: Buffer, via: 'udp' | 'tcp' = 'udp', from = responder()): Promise<Described | undefined> => {
  const answer = await from.answer(packet, via);
  return answer && describeMessage(answer);
};

const web = 'web.shop.svc.cluster.local';
const uint16s = (...values: number[]): Buffer => Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]));
const question = encodeTestQuery(web, 'A').subarray(12);
const raw = (flags: number, counts: number[], ...body: Uint8Array[]): Buffer => Buffer.concat([uint16s(7, flags, ...counts), ...body]);
const opt = (version: number, owner = Buffer.of(0)): Buffer =>
  Buffer.concat([owner, uint16s(41, 1232), Buffer.of(0, version, 0, 0), uint16s(0)]);
const cookie = Buffer.concat([Buffer.of(0), uint16s(41, 1232, 0, 0, 12, 10, 8), Buffer.alloc(8, 1)]);

const packets: { name: string; packet: Buffer; want: string | undefined }[] = [
  { name: 'a question', packet: raw(0x100, [1, 0, 0, 0], question), want: 'NOERROR aa rd ra' },
  { name: 'a question that wants no recursion, unchecked', packet: raw(0x10, [1, 0, 0, 0], question), want: 'NOERROR aa ra cd' },
  { name: 'bits that mean nothing in a query', packet: raw(0x6e5, [1, 0, 0, 0], question), want: 'NOERROR aa ra' },
  { name: 'bytes behind it', packet: raw(0x100, [1, 0, 0, 0], question, Buffer.from('junk')), want: 'NOERROR aa rd ra' },
  { name: 'nothing', packet: Buffer.alloc(0), want: undefined },
  { name: 'less than a header', packet: Buffer.alloc(11), want: undefined },
  { name: 'an answer', packet: raw(0x8100, [1, 0, 0, 0], question), want: undefined },
  { name: 'no question', packet: raw(0x100, [0, 0, 0, 0]), want: 'FORMERR rd ra' },
  { name: 'two questions', packet: raw(0x100, [2, 0, 0, 0], question, question), want: 'FORMERR rd ra' },
  { name: 'half a question', packet: raw(0x100, [1, 0, 0, 0], question.subarray(0, 20)), want: 'FORMERR rd ra' },
  { name: 'records that are not there', packet: raw(0x100, [1, 0, 0, 1], question), want: 'FORMERR rd ra' },
  { name: 'a pointer to itself', packet: raw(0x100, [1, 0, 0, 0], Buffer.of(0xc0, 12), uint16s(1, 1)), want: 'FORMERR rd ra' },
  { name: 'a pointer around a label', packet: raw(0x100, [1, 0, 0, 0], Buffer.of(1, 97, 0xc0, 12), uint16s(1, 1)), want: 'FORMERR rd ra' },
  { name: 'a pointer forwards', packet: raw(0x100, [1, 0, 0, 0], Buffer.of(0xc0, 20), uint16s(1, 1, 0, 0)), want: 'FORMERR rd ra' },
  { name: 'a pointer into the header', packet: raw(0x100, [1, 0, 0, 0], Buffer.of(0xc0, 0), uint16s(1, 1)), want: 'FORMERR rd ra' },
  { name: 'a label of an unknown form', packet: raw(0x100, [1, 0, 0, 0], Buffer.of(0x41, 97, 0), uint16s(1, 1)), want: 'FORMERR rd ra' },
  { name: 'a label of 63 bytes', packet: encodeTestQuery(`${'a'.repeat(63)}.cluster.local`, 'A'), want: 'NXDOMAIN aa rd ra' },
  {
    name: 'a name of 255 bytes',
    packet: encodeTestQuery([...Array<string>(3).fill('a'.repeat(63)), 'b'.repeat(47), 'cluster', 'local'], 'A'),
    want: 'NXDOMAIN aa rd ra',
  },
  {
    name: 'a name of 256 bytes',
    packet: encodeTestQuery([...Array<string>(3).fill('a'.repeat(63)), 'b'.repeat(48), 'cluster', 'local'], 'A'),
    want: 'FORMERR rd ra',
  },
  { name: 'bytes above 127', packet: encodeTestQuery(['\xc3\xff\x80', 'shop', 'svc', 'cluster', 'local'], 'A'), want: 'NXDOMAIN aa rd ra' },
  ...[1, 2, 3, 4, 5, 6, 15].map((opcode) => ({
    name: `opcode ${opcode}`,
    packet: raw((opcode << 11) | 0x100, [1, 0, 0, 0], question),
    want: 'NOTIMP rd ra',
  })),
  ...[0, 3, 4, 254, 255].map((number) => ({
    name: `class ${number}`,
    packet: encodeTestQuery(web, 'A', { class: number }),
    want: 'REFUSED rd ra',
  })),
  { name: 'a transfer of the zone', packet: encodeTestQuery('cluster.local', 'AXFR'), want: 'REFUSED rd ra' },
  { name: 'the changes of the zone', packet: encodeTestQuery('cluster.local', 'IXFR'), want: 'REFUSED rd ra' },
  { name: 'EDNS', packet: raw(0x100, [1, 0, 0, 1], question, opt(0)), want: 'NOERROR aa rd ra, version 0, 1232 bytes' },
  { name: 'EDNS with a cookie', packet: raw(0x100, [1, 0, 0, 1], question, cookie), want: 'NOERROR aa rd ra, version 0, 1232 bytes' },
  {
    name: 'DNSSEC wanted',
    packet: encodeTestQuery(web, 'A', { udpBytes: 512, dnssecOK: true }),
    want: 'NOERROR aa rd ra, version 0, 1232 bytes, do',
  },
  { name: 'EDNS of version 1', packet: raw(0x100, [1, 0, 0, 1], question, opt(1)), want: 'BADVERS rd ra, version 0, 1232 bytes' },
  { name: 'EDNS twice', packet: raw(0x100, [1, 0, 0, 2], question, opt(0), opt(0)), want: 'FORMERR rd ra' },
  { name: 'EDNS with a name', packet: raw(0x100, [1, 0, 0, 1], question, opt(0, Buffer.of(1, 97, 0))), want: 'FORMERR rd ra' },
  {
    name: 'EDNS, and the name does not exist',
    packet: encodeTestQuery('x.cluster.local', 'A', { udpBytes: 1232 }),
    want: 'NXDOMAIN aa rd ra, version 0, 1232 bytes',
  },
  {
    name: 'another domain, and nobody to ask',
    packet: encodeTestQuery('example.org', 'A', { udpBytes: 1232 }),
    want: 'SERVFAIL rd ra, version 0, 1232 bytes',
  },
];

suite('DNS responder', () => {
  for (const { name, packet, want } of packets) {
    test(name, async () => {
      const got = await answered(packet);
      assert.equal(got && [got.status, ...(got.edns ? [got.edns] : [])].join(', '), want);
      if (got) assert.equal(got.id, packet.readUInt16BE(0));
    });
  }

  const sizes: [name: string, via: 'udp' | 'tcp', udpBytes: number | undefined, count: number, tc: boolean][] = [
    ['UDP', 'udp', undefined, 29, true],
    ['UDP with EDNS of 0 bytes', 'udp', 0, 28, true],
    ['UDP with EDNS of 1232 bytes', 'udp', 1232, 73, true],
    ['UDP with EDNS of 65535 bytes: no more than a packet', 'udp', 65_535, 73, true],
    ['TCP', 'tcp', undefined, 100, false],
    ['TCP with EDNS of 512 bytes', 'tcp', 512, 100, false],
  ];
  for (const [name, via, udpBytes, count, tc] of sizes) {
    test(`100 addresses over ${name}`, async () => {
      const got = await answered(encodeTestQuery('big.shop.svc.cluster.local', 'A', udpBytes === undefined ? {} : { udpBytes }), via);
      assert.deepEqual([got?.answers.length, got?.status.includes('tc')], [count, tc]);
    });
  }

  test('addresses come in another order each time, behind their alias', async () => {
    const from = responder(new FakeForwarder(5));
    const ask = async () => (await answered(encodeTestQuery('outside.shop.svc.cluster.local', 'A'), 'udp', from))?.answers;
    const [first, second] = [await ask(), await ask()];
    assert.equal(first?.[0], 'outside.shop.svc.cluster.local 30 CNAME example.org');
    assert.notDeepEqual(first, second);
    assert.deepEqual(first?.toSorted(), second?.toSorted());
  });

  test('the alias alone when nobody knows what it leads to', async () => {
    const got = await answered(encodeTestQuery('outside.shop.svc.cluster.local', 'A'));
    assert.deepEqual([got?.status, got?.answers], ['NOERROR aa rd ra', ['outside.shop.svc.cluster.local 30 CNAME example.org']]);
  });

  test("another domain's answer comes under the client's identity and in its spelling", async () => {
    const got = await answered(encodeTestQuery('wWw.eXample.ORG', 'A', { id: 4711 }), 'udp', responder(new FakeForwarder(2)));
    assert.deepEqual([got?.id, got?.question, got?.status], [4711, 'wWw.eXample.ORG A class 1', 'NOERROR rd ra']);
    assert.deepEqual(got?.answers, ['wWw.eXample.ORG 9 A 192.0.2.0', 'wWw.eXample.ORG 9 A 192.0.2.1']);
  });

  test("another domain's answer that is too long for the client is cut", async () => {
    const got = await answered(encodeTestQuery('example.org', 'A'), 'udp', responder(new FakeForwarder(60)));
    assert.deepEqual([got?.status, got?.answers], ['NOERROR tc rd ra', []]);
  });

  test('no bytes make it throw', async () => {
    const from = responder(new FakeForwarder(1));
    const tail = fc.uint8Array({ maxLength: 120 });
    const packet = fc.oneof(
      tail.map((bytes) => Buffer.from(bytes)),
      tail.map((bytes) => raw(0x100, [1, 0, 0, 1], question, bytes)),
      fc.tuple(fc.nat(question.length - 1), fc.nat(255), tail).map(([at, byte, bytes]) => {
        const changed = Buffer.from(raw(0x100, [1, 0, 0, 0], question, bytes));
        changed[12 + at] = byte;
        return changed;
      }),
    );
    await fc.assert(
      fc.asyncProperty(packet, fc.constantFrom('udp' as const, 'tcp' as const), async (bytes, via) => {
        await answered(bytes, via, from);
      }),
      { numRuns: 2000 },
    );
  });
});

suite('DNS server', () => {
  test('UDP and TCP on one port', async () => {
    await using server = await listenDNS();
    const client = createSocket('udp4');
    client.send(encodeTestQuery(web, 'A'), server.port, '127.0.0.1');
    const [answer] = (await once(client, 'message')) as [Buffer];
    client.close();
    assert.deepEqual(describeMessage(answer).answers, [`${web} 30 A 10.96.0.7`]);
    const socket = await connectTo(server.port);
    socket.write(frame(encodeTestQuery(web, 'A')));
    assert.deepEqual((await receive(socket, 1))[0]?.answers, [`${web} 30 A 10.96.0.7`]);
  });

  test('queries one behind the other, byte by byte, before the client ends', async () => {
    await using server = await listenDNS();
    const socket = await connectTo(server.port);
    socket.setNoDelay();
    const all = Buffer.concat(Array.from({ length: 40 }, (_, id) => frame(encodeTestQuery(web, 'A', { id }))));
    for (const byte of all.subarray(0, 60)) socket.write(Buffer.of(byte));
    socket.end(all.subarray(60));
    const got = await receive(socket, 41);
    assert.deepEqual(
      got.map(({ id }) => id),
      Array.from({ length: 40 }, (_, id) => id),
    );
  });

  test('a query of more bytes than any has ends the connection', async () => {
    await using server = await listenDNS();
    const socket = await connectTo(server.port);
    socket.write(uint16s(4097));
    assert.deepEqual(await receive(socket, 1), []);
  });

  test('who cannot be answered is told to the log, and the next one is answered', async () => {
    const told: string[] = [];
    const failing = new Forwarder([], realClock);
    failing.ask = () => Promise.reject(new Error('broken'));
    await using server = await listenDNS({ ...silentLog, warn: (_fields, message) => told.push(message) }, failing);
    const socket = await connectTo(server.port);
    socket.write(Buffer.concat([frame(encodeTestQuery('example.org', 'A')), frame(encodeTestQuery(web, 'A', { id: 2 }))]));
    assert.deepEqual(
      (await receive(socket, 1)).map(({ id }) => id),
      [2],
    );
    assert.deepEqual(told, ['DNS query failed']);
  });
});
