/** Room is made for as many records as a header promises (CVE-2026-82399): 12 bytes that cost megabytes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeAnswer, decodeQuery, FormatError } from '../../src/addons/dns/message.ts';
import { encodeTestQuery } from '../kit/dns-messages.ts';

const promise = (packet: Buffer, at: number): Buffer => {
  const promising = Buffer.from(packet);
  promising.writeUInt16BE(0xffff, at);
  return promising;
};
const question = encodeTestQuery('example.org', 'A');

/** What one reading leaves on the heap at most, of many. */
function bytesEach(read: () => void): number {
  read();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 200; i++) read();
  return (process.memoryUsage().heapUsed - before) / 200;
}

describe('counts of sections', () => {
  for (const [section, at] of [
    ['questions', 4],
    ['answers', 6],
    ['authorities', 8],
    ['additionals', 10],
  ] as const) {
    it(`65535 ${section} promised, none there`, () => {
      const packet = promise(question, at);
      assert.equal(decodeQuery(packet)?.question, undefined);
      assert.ok(bytesEach(() => decodeQuery(packet)) < 20_000);
    });
  }
  it('an upstream promises 65535 answers', () => {
    const read = (): void => assert.throws(() => decodeAnswer(promise(question, 6)), FormatError);
    read();
    assert.ok(bytesEach(read) < 50_000);
  });
});
