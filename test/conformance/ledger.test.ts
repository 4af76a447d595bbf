import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  compareOutcomes,
  isBesideConformance,
  isConformance,
  isOfFeature,
  type Ledger,
  nodeSorts,
  readLedger,
  recordOutcomes,
} from './ledger.ts';
import { planGroups } from './plan-groups.ts';

const verdict = /^(passes|not run|(needs|skips|differs|fails|unsteady|empty)\b.{3,})$/;

describe('the conformance ledger', () => {
  it('has a verdict for each of the 446 conformance tests, the 412 beside them and the 48 of NetworkPolicy', () => {
    const ledger = readLedger(join(import.meta.dirname, 'ledger.json'));
    const names = Object.keys(ledger);
    const counts = [isConformance, isBesideConformance, isOfFeature].map((is) => names.filter(is).length);
    assert.deepEqual([...counts, names.length], [446, 412, 48, 446 + 412 + 48]);
    for (const [name, verdicts] of Object.entries(ledger)) for (const sort of nodeSorts) assert.match(verdicts[sort], verdict, name);
  });

  const cases: { name: string; verdict: string; passed: boolean; differs: RegExp | undefined; becomes: string }[] = [
    { name: 'expected pass', verdict: 'passes', passed: true, differs: undefined, becomes: 'passes' },
    { name: 'unexpected failure', verdict: 'passes', passed: false, differs: /^fails, /, becomes: 'fails: why' },
    { name: 'expected failure', verdict: 'needs webhooks', passed: false, differs: undefined, becomes: 'needs webhooks' },
    { name: 'unexpected pass', verdict: 'needs webhooks', passed: true, differs: /^passes, /, becomes: 'passes' },
    { name: 'first pass', verdict: 'not run', passed: true, differs: /^passes, /, becomes: 'passes' },
    { name: 'first failure', verdict: 'not run', passed: false, differs: /^not judged yet: /, becomes: 'fails: why' },
    { name: 'one that comes and goes', verdict: 'unsteady: load', passed: false, differs: undefined, becomes: 'unsteady: load' },
  ];
  for (const { name, verdict: simulated, passed, differs, becomes } of cases)
    it(`tells ${name}`, () => {
      const ledger: Ledger = { test: { simulated, real: 'not run' } };
      const outcomes = [{ name: 'test', passed, seconds: 1, message: 'why' }];
      const lines = compareOutcomes(ledger, 'simulated', outcomes);
      assert.equal(lines.length, differs ? 1 : 0);
      if (differs) assert.match(lines[0] ?? '', differs);
      assert.deepEqual(recordOutcomes(ledger, 'simulated', outcomes), { test: { simulated: becomes, real: 'not run' } });
    });

  it('runs serial tests alone and bounds the groups', () => {
    assert.deepEqual(planGroups(['[a] 1', '[a] 2', '[a] 3', '[b] 4', '[b] [Serial] 5'], 2), {
      together: [['[a] 1', '[a] 2'], ['[a] 3'], ['[b] 4']],
      alone: [['[b] [Serial] 5']],
    });
  });
});
