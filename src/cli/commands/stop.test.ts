/** What is said when `down` or `delete` was not let finish. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { afterDelete, afterDown } from './stop.ts';

describe('an interrupted down', () => {
  const rows = [
    { name: 'before the cluster was asked', given: { isAsked: false, isThere: true }, want: 'cluster "a" goes on' },
    { name: 'while it stops', given: { isAsked: true, isThere: true }, want: 'cluster "a" goes on stopping' },
    { name: 'when it has ended', given: { isAsked: true, isThere: false }, want: 'cluster "a" does not run' },
    { name: 'of a crashed one', given: { isAsked: false, isThere: false }, want: 'cluster "a" does not run' },
  ];
  for (const { name, given, want } of rows) it(name, () => assert.equal(afterDown('a', given).left, want));
});

describe('an interrupted delete', () => {
  const rows = [
    { name: 'before anything is done', given: { isWanted: true, exists: true }, want: 'cluster "a" is as it was' },
    { name: 'in between', given: { isWanted: false, exists: true }, want: 'cluster "a" is deleted in part' },
    { name: 'at its end', given: { isWanted: false, exists: false }, want: 'cluster "a" is deleted' },
  ];
  for (const { name, given, want } of rows) it(name, () => assert.equal(afterDelete({ name: 'a', ...given }).left, want));
});
