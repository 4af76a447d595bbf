import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noSuchCluster } from './find-instance.ts';

const rows: readonly { readonly name: string; readonly names: readonly string[]; readonly fix: string }[] = [
  { name: 'none at all', names: [], fix: 'timonier up typo makes it' },
  { name: 'one', names: ['default'], fix: 'name one that is there: default' },
  { name: 'some', names: ['a', 'b', 'c', 'd', 'e'], fix: 'name one that is there: a, b, c, d, e' },
  { name: 'many', names: ['a', 'b', 'c', 'd', 'e', 'f', 'g'], fix: 'name one that is there: a, b, c, d, e and 2 more' },
];
for (const { name, names, fix } of rows) {
  test(`a cluster that never was, where there are: ${name}`, () => {
    const error = noSuchCluster('typo', names);
    assert.deepEqual([error.code, error.message, error.fix], ['no-such-cluster', 'there is no cluster "typo"', fix]);
  });
}
