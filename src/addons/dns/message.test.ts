import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { describeMessage, describeRecord, encodeTestQuery } from '../../../test/kit/dns-messages.ts';
import {
  type DNSName,
  type DNSRecord,
  decodeAnswer,
  decodeQuery,
  encodeAddress,
  encodeDNSMessage,
  encodeQuery,
  encodeUint16s,
  FormatError,
  messageBytesMax,
  parseName,
  recordTypes,
} from './message.ts';

const zone = 'shop.svc.cluster.local';
const address = (name: string, i: number): DNSRecord => ({
  name: parseName(name),
  type: recordTypes.A,
  ttl: 30,
  data: [Uint8Array.of(10, 244, 0, i)],
});
const port = (i: number): DNSRecord => ({
  name: parseName(`_sql._tcp.db.${zone}`),
  type: recordTypes.SRV,
  ttl: 30,
  data: [encodeUint16s(0, 25, 5432), parseName(`db-${i}.db.${zone}`)],
});
const pointer = (i: number): DNSRecord => ({
  name: parseName('7.0.244.10.in-addr.arpa'),
  type: recordTypes.PTR,
  ttl: 30,
  data: [parseName(`10-244-0-7.service-${i}.${zone}`)],
});
const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const ask = (name: string, type: number) => ({ name: parseName(name), type, class: 1 });

suite('DNS messages', () => {
  const fits: {
    name: string;
    question: ReturnType<typeof ask>;
    answers: DNSRecord[];
    additionals?: DNSRecord[];
    want: [answers: number, additionals: number, tc: boolean];
  }[] = [
    { name: '12 addresses', question: ask(`db.${zone}`, 1), answers: many(12, (i) => address(`db.${zone}`, i)), want: [12, 0, false] },
    { name: '60 addresses', question: ask(`db.${zone}`, 1), answers: many(60, (i) => address(`db.${zone}`, i)), want: [29, 0, true] },
    {
      name: '4 ports with their addresses',
      question: ask(`_sql._tcp.db.${zone}`, 33),
      answers: many(4, port),
      additionals: many(4, (i) => address(`db-${i}.db.${zone}`, i)),
      want: [4, 4, false],
    },
    {
      name: '7 ports: addresses go, silently',
      question: ask(`_sql._tcp.db.${zone}`, 33),
      answers: many(7, port),
      additionals: many(7, (i) => address(`db-${i}.db.${zone}`, i)),
      want: [7, 6, false],
    },
    {
      name: '12 ports',
      question: ask(`_sql._tcp.db.${zone}`, 33),
      answers: many(12, port),
      additionals: [address(`db-0.db.${zone}`, 0)],
      want: [9, 0, true],
    },
    { name: '10 names of one address', question: ask('7.0.244.10.in-addr.arpa', 12), answers: many(10, pointer), want: [10, 0, false] },
  ];
  for (const { name, question, answers, additionals = [], want } of fits) {
    test(`512 bytes: ${name}`, () => {
      const bytes = encodeDNSMessage({ id: 1, flags: 0, question, answers, additionals }, 512);
      const got = describeMessage(bytes);
      assert.ok(bytes.length <= 512);
      assert.deepEqual([got.answers.length, got.additionals.length, got.status.includes('tc')], want);
      assert.deepEqual(got.answers, answers.slice(0, want[0]).map(describeRecord));
      assert.deepEqual(got.additionals, additionals.slice(0, want[1]).map(describeRecord));
    });
  }

  test('EDNS has its place before anything else', () => {
    const answers = many(100, (i) => address(`db.${zone}`, i));
    const bytes = encodeDNSMessage(
      { id: 1, flags: 0, rcode: 'BADVERS', question: ask(`db.${zone}`, 1), answers, edns: { dnssecOK: true } },
      512,
    );
    const got = describeMessage(bytes);
    assert.deepEqual(
      [got.status, got.edns, got.answers.length, bytes.length <= 512],
      ['BADVERS tc', 'version 0, 1232 bytes, do', 28, true],
    );
  });

  test('a compressed name is its own in every byte', () => {
    const odd: DNSName[] = [['a\0b', 'c'], ['a', 'b', 'c'], ['a.b', 'c'], ['A', 'b', 'c'], ['\x01b', 'c'], ['\xff', 'c'], []];
    const answers = odd.map((name): DNSRecord => ({ name, type: recordTypes.CNAME, ttl: 1, data: [name] }));
    const bytes = encodeDNSMessage({ id: 1, flags: 0, question: { name: odd[0] as DNSName, type: 5, class: 1 }, answers }, 512);
    assert.deepEqual(decodeAnswer(bytes).answers, answers);
  });

  test('names far into a message are written out: a pointer has 14 bits', () => {
    const answers = many(1200, (i) => pointer(i)).map((record, i): DNSRecord => ({ ...record, name: ['x', `${i}`] }));
    const bytes = encodeDNSMessage({ id: 1, flags: 0, question: ask('x', 12), answers }, messageBytesMax);
    assert.ok(bytes.length > 0x4000);
    assert.deepEqual(decodeAnswer(bytes).answers, answers);
  });

  const addresses: [string, string | undefined][] = [
    ['10.96.0.7', '0a600007'],
    ['2001:db8::5', '20010db8000000000000000000000005'],
    ['::', '00000000000000000000000000000000'],
    ['2001:db8::', '20010db8000000000000000000000000'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['fe80::1%eth0', undefined],
    ['010.0.0.1', undefined],
    ['example.org', undefined],
  ];
  for (const [text, want] of addresses) {
    test(`address ${text}`, () =>
      assert.equal(encodeAddress(text) && Buffer.from(encodeAddress(text) as Uint8Array).toString('hex'), want));
  }

  test('any records come back as they were', () => {
    const label = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
      minLength: 1,
      maxLength: 20,
    });
    const name = fc.array(fc.oneof(label, fc.constantFrom('a', 'b', 'cluster')), { maxLength: 6 });
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((data) => Buffer.from(data));
    const records = fc.oneof(
      fc.record({ name, type: fc.constantFrom(1, 28, 16, 99), ttl: fc.nat(), data: fc.tuple(bytes) }),
      fc.record({ name, type: fc.constantFrom(2, 5, 12), ttl: fc.nat(), data: fc.tuple(name) }),
      fc.record({
        name,
        type: fc.constant(33),
        ttl: fc.nat(),
        data: fc.tuple(
          fc.uint8Array({ minLength: 6, maxLength: 6 }).map((data) => Buffer.from(data)),
          name,
        ),
      }),
      fc.record({ name, type: fc.constant(6), ttl: fc.nat(), data: fc.tuple(name, name, bytes) }),
    );
    const record = records.map((made): DNSRecord => ({ ...made })); // fast-check's have no prototype
    fc.assert(
      fc.property(name, fc.array(record, { maxLength: 30 }), fc.integer({ min: 512, max: 4096 }), (asked, answers, bytesMax) => {
        const bytes = encodeDNSMessage({ id: 1, flags: 0, question: { name: asked, type: 1, class: 1 }, answers }, bytesMax);
        assert.ok(bytes.length <= bytesMax);
        const got = decodeAnswer(bytes);
        assert.deepEqual(got.question.name, asked);
        assert.deepEqual(got.answers, answers.slice(0, got.answers.length));
        assert.equal((bytes.readUInt16BE(2) & 0x200) !== 0, got.answers.length < answers.length);
      }),
    );
  });

  test('any bytes are read, or refused', () => {
    const base = encodeTestQuery(`web.${zone}`, 'A', { udpBytes: 1232 });
    const head = fc.array(fc.constantFrom(0, 1, 2, 0xff, 0xc0, 12), { minLength: 12, maxLength: 12 });
    const packet = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.tuple(head, fc.uint8Array({ maxLength: 300 })).map(([first, rest]) => Buffer.from([...first, ...rest])),
      fc.tuple(fc.nat(base.length), fc.nat(base.length - 1), fc.nat(255)).map(([length, at, byte]) => {
        const changed = Buffer.from(base);
        changed[at] = byte;
        return changed.subarray(0, length);
      }),
    );
    fc.assert(
      fc.property(packet, (bytes) => {
        decodeQuery(Buffer.from(bytes));
        try {
          decodeAnswer(Buffer.from(bytes));
        } catch (error) {
          assert.ok(error instanceof FormatError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('a query of our own is read as a query', () => {
    const query = decodeQuery(encodeQuery({ id: 7, flags: 0x100, question: ask('example.org', 1), edns: { dnssecOK: true } }));
    assert.deepEqual(
      [query?.id, query?.flags, query?.question, query?.edns],
      [7, 0x100, ask('example.org', 1), { udpBytes: 1232, version: 0, dnssecOK: true }],
    );
  });
});
