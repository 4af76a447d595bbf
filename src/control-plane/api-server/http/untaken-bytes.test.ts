import assert from 'node:assert/strict';
import { it } from 'node:test';
import { UntakenBytes } from './untaken-bytes.ts';

const megabyte = 1024 * 1024;

it('slows who lets too much lie, and everybody when all together do', () => {
  const untaken = new UntakenBytes();
  untaken.change('a', 65 * megabyte);
  assert.deepEqual([untaken.isTooMuch('a'), untaken.isTooMuch('b')], [true, false]);
  untaken.change('a', -2 * megabyte);
  assert.equal(untaken.isTooMuch('a'), false);
  for (let i = 0; i < 4; i++) untaken.change(`u${i}`, 50 * megabyte);
  assert.equal(untaken.isTooMuch('b'), true);
  for (let i = 0; i < 4; i++) untaken.change(`u${i}`, -50 * megabyte);
  untaken.change('a', -63 * megabyte);
  assert.deepEqual([untaken.isTooMuch('a'), untaken.total], [false, 0]);
});
