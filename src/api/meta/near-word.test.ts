import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearWord } from './near-word.ts';

const words = ['nodes', 'simulated', 'port', 'host', 'dataDir', 'timeoutMs', 'onPhase'];
const rows: readonly { name: string; given: string; want: string | undefined }[] = [
  { name: 'a letter too few', given: 'simulatd', want: 'simulated' },
  { name: 'a letter too many', given: 'nodess', want: 'nodes' },
  { name: 'another letter', given: 'pord', want: 'port' },
  { name: 'two letters in each other’s place', given: 'ndoes', want: 'nodes' },
  { name: 'another case', given: 'datadir', want: 'dataDir' },
  { name: 'the nearest of several', given: 'hort', want: 'port' },
  { name: 'too much is wrong', given: 'help', want: undefined },
  { name: 'another word', given: 'replicas', want: undefined },
  { name: 'hardly a word', given: 'x', want: undefined },
  { name: 'nothing', given: '', want: undefined },
  { name: 'a very long one', given: 'nodes'.repeat(100_000), want: undefined },
];
for (const { name, given, want } of rows) test(name, () => assert.equal(nearWord(given, words), want));
