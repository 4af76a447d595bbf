import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeNft } from '../../../test/kit/fake-nft.ts';
import { silentLog } from '../../client/log.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { KeptTable } from './kept-table.ts';
import { emptyRuleset, type Ruleset, renderDifference } from './ruleset.ts';

const table = { family: 'inet', name: 't', base: '  chain c { }\n' } as const;
const withRule = (rule: string): Ruleset => ({ ...emptyRuleset, chains: new Map([['a', [rule]]]) });

function keep() {
  const [nft, clock] = [new FakeNft(), new VirtualClock()];
  const state = { want: withRule('accept') };
  const kept = new KeptTable({ table, tools: nft, clock, log: silentLog, plan: () => state.want });
  return { nft, clock, state, kept };
}
const kinds = (scripts: readonly string[]): string[] => scripts.map((script) => (script.startsWith('add table') ? 'whole' : 'difference'));

describe('a kept table', () => {
  test('is written whole once, then by differences', async () => {
    const { nft, state, kept } = keep();
    await using _ = kept;
    for (const rule of ['accept', 'accept', 'drop']) {
      state.want = withRule(rule);
      kept.changed();
      await kept.settled();
    }
    assert.deepEqual(kinds(nft.scripts), ['whole', 'difference']);
    assert.equal(nft.scripts[1], 'flush chain inet t a\nadd rule inet t a drop\n');
  });

  test('tells who waits that nft refused, and goes on trying', async () => {
    const { nft, clock, kept } = keep();
    await using _ = kept;
    nft.failures = 2;
    kept.changed();
    await assert.rejects(kept.settled(), /No such file/);
    await clock.advance(3000);
    await kept.inPlace();
    assert.deepEqual([kinds(nft.scripts), kept.ruleset.chains.size], [['whole', 'whole', 'whole'], 1]);
    await kept.settled();
  });

  test('is tried again ever later while nft refuses, and soon again after it took one', async () => {
    const { nft, clock, state, kept } = keep();
    await using _ = kept;
    nft.failures = Number.POSITIVE_INFINITY;
    kept.changed();
    await clock.advance(61_000); // at 0, 1, 3, 7, 15, 31 and 47 seconds
    assert.equal(nft.scripts.length, 7);
    nft.failures = 0;
    await clock.advance(16_000);
    await kept.settled();
    nft.failures = 2; // the difference and the whole
    state.want = withRule('drop');
    kept.changed();
    await assert.rejects(kept.settled());
    await clock.advance(1000);
    await kept.settled();
  });

  test('lets others have their turn while a large one is rendered', async () => {
    const { nft, state, kept } = keep();
    await using _ = kept;
    state.want = { ...emptyRuleset, chains: new Map([['a', Array.from({ length: 100_000 }, () => 'ip saddr 10.0.0.1 accept')]]) };
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    kept.changed();
    await kept.settled();
    isDone = true;
    assert.ok(turns > 5, `${turns} turns for ${nft.scripts[0]?.length} characters`);
  });

  test('is written anew when it is gone, or another has its place, and only then', async () => {
    const { nft, kept } = keep();
    await using _ = kept;
    kept.changed();
    await kept.settled();
    kept.check();
    await kept.settled();
    assert.equal(nft.scripts.length, 1, 'it is there');
    nft.flush();
    kept.check();
    await kept.settled();
    await nft.nft('add table inet t\ndelete table inet t\n'); // by somebody else
    kept.check();
    await kept.settled();
    assert.deepEqual(kinds(nft.scripts), ['whole', 'whole', 'whole', 'whole']);
  });

  test('is looked at again when somebody deletes it while it is looked at', async () => {
    const { nft, kept } = keep();
    await using _ = kept;
    kept.changed();
    await kept.settled();
    nft.listed = () => {
      nft.listed = undefined;
      nft.flush();
      kept.check();
    };
    kept.check();
    await kept.inPlace();
    assert.deepEqual(kinds(nft.scripts), ['whole', 'whole']);
  });

  test('stays when nobody keeps it any more, unless it is removed', async () => {
    const { nft, kept } = keep();
    kept.changed();
    await kept.settled();
    await kept[Symbol.asyncDispose]();
    assert.equal(nft.scripts.length, 1);
    await kept.remove();
    assert.equal(nft.scripts.at(-1), 'add table inet t\ndelete table inet t\n');
  });
});

const set = 'set { type ipv4_addr; }';
const one = {
  chains: new Map([['x', ['ip saddr @s accept']]]),
  sets: new Map([['s', set]]),
  elements: new Map([['s', new Map([['10.0.0.1', '']])]]),
};
const rows: readonly { name: string; have: Ruleset; want: Ruleset; lines: readonly string[] }[] = [
  {
    name: 'from nothing: what is referred to comes first',
    have: emptyRuleset,
    want: one,
    lines: [
      'add set inet t s { type ipv4_addr; }',
      'add chain inet t x',
      'add rule inet t x ip saddr @s accept',
      'add element inet t s { 10.0.0.1 }',
    ],
  },
  {
    name: 'to nothing: it goes last, with its elements',
    have: one,
    want: emptyRuleset,
    lines: ['flush chain inet t x', 'delete chain inet t x', 'delete set inet t s'],
  },
  {
    name: 'a pod more costs an element',
    have: one,
    want: {
      ...one,
      elements: new Map([
        [
          's',
          new Map([
            ['10.0.0.1', ''],
            ['10.0.0.2', ''],
          ]),
        ],
      ]),
    },
    lines: ['add element inet t s { 10.0.0.2 }'],
  },
  {
    name: 'another verdict of a key',
    have: { ...emptyRuleset, elements: new Map([['m', new Map([['10.0.0.1', 'goto a']])]]) },
    want: { ...emptyRuleset, elements: new Map([['m', new Map([['10.0.0.1', 'goto b']])]]) },
    lines: ['delete element inet t m { 10.0.0.1 }', 'add element inet t m { 10.0.0.1 : goto b }'],
  },
];
for (const { name, have, want, lines } of rows)
  test(`a difference of rulesets: ${name}`, () => assert.deepEqual(renderDifference(table, have, want).trimEnd().split('\n'), lines));
