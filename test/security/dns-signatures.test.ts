/** A signature that nobody verifies is taken for a good one (CVE-2026-35579): here there are no keys, so none is good. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Responder } from '../../src/addons/dns/responder.ts';
import { seededRandom } from '../../src/client/clock.ts';
import { FakeForwarder, smallZone } from '../kit/dns-cluster.ts';
import { describeMessage, encodeTestQuery } from '../kit/dns-messages.ts';

const algorithm = Buffer.from('\x0bhmac-sha256\0', 'latin1');
const mac = Buffer.concat([algorithm, Buffer.alloc(6), Buffer.of(1, 44, 0, 32), Buffer.alloc(32, 7), Buffer.of(18, 52, 0, 0, 0, 0)]);
const tsig = Buffer.concat([Buffer.from('\x03key\0', 'latin1'), Buffer.of(0, 250, 0, 255, 0, 0, 0, 0, 0, mac.length), mac]);
const responder = new Responder({ zone: smallZone, forwarder: new FakeForwarder(1), random: seededRandom(1) });

describe('signed queries', () => {
  for (const name of ['web.shop.svc.cluster.local', 'example.org']) {
    for (const via of ['udp', 'tcp'] as const) {
      it(`${name} over ${via}`, async () => {
        const packet = Buffer.concat([encodeTestQuery(name, 'A'), tsig]);
        packet.writeUInt16BE(1, 10);
        const answer = await responder.answer(packet, via);
        const got = answer && describeMessage(answer);
        assert.deepEqual([got?.status, got?.answers], ['NOTAUTH rd ra', []]);
      });
    }
  }
});
