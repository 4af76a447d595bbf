/** What is no question is passed on (CVE-2026-86003, UPDATE forwarded): a server behind would take it for ours. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recordTypes } from '../../src/addons/dns/message.ts';
import { Responder } from '../../src/addons/dns/responder.ts';
import { seededRandom } from '../../src/client/clock.ts';
import { FakeForwarder, smallZone } from '../kit/dns-cluster.ts';
import { describeMessage, encodeTestQuery } from '../kit/dns-messages.ts';

const forwarder = new FakeForwarder(1);
const { ask } = forwarder;
let asked = 0;
forwarder.ask = (...given) => {
  asked++;
  return ask(...given);
};
const responder = new Responder({ zone: smallZone, forwarder, random: seededRandom(1) });

describe('only questions are passed on', () => {
  for (const name of ['example.org', 'web.shop.svc.cluster.local']) {
    for (let opcode = 1; opcode < 16; opcode++) {
      it(`opcode ${opcode} for ${name} is not`, async () => {
        for (const via of ['udp', 'tcp'] as const) {
          const answer = await responder.answer(encodeTestQuery(name, 'SOA', { flags: opcode << 11 }), via);
          assert.match(answer ? describeMessage(answer).status : '', /^NOTIMP/);
        }
        assert.equal(asked, 0);
      });
    }
    for (const type of [recordTypes.AXFR, recordTypes.IXFR]) {
      it(`a transfer (${type}) of ${name} is not`, async () => {
        const answer = await responder.answer(encodeTestQuery(name, type), 'tcp');
        assert.match(answer ? describeMessage(answer).status : '', /^REFUSED/);
        assert.equal(asked, 0);
      });
    }
  }
  it('a question is', async () => {
    await responder.answer(encodeTestQuery('example.org', 'SOA'), 'udp');
    assert.equal(asked, 1);
  });
});
