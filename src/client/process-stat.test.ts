import assert from 'node:assert/strict';
import test from 'node:test';
import { parseProcessStat } from './process-stat.ts';

const after = 'S 1 40 40 34816 41 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 9 10\n';
const want = { state: 'S', parent: 1, group: 40, terminalGroup: 41, startTicks: '123456' };

for (const name of ['sh', 'a b', 'a) Z 9 9', ')', ''])
  test(`the fields after the name "${name}"`, () => assert.deepEqual(parseProcessStat(`42 (${name}) ${after}`), want));
