import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { findProgram } from '../cluster/machine/machine.ts';
import { renderManPage } from './man-page.ts';
import { createProgram } from './program.ts';

const page = renderManPage(createProgram(), '1.2.3');

test('the man page has every command, also those of groups, with its options', () => {
  for (const line of ['.SS timonier up [options] [NAME]', '.SS timonier image load [options] <FILE...>', '.B \\-\\-data\\-dir <DIR>'])
    assert.ok(page.includes(`${line}\n`), line);
});

test('no line of text is taken for a request', () => {
  const requests = page.split('\n').filter((line) => /^[.']/.test(line));
  assert.deepEqual([...new Set(requests.map((line) => line.split(' ')[0]))].sort(), ['.B', '.SH', '.SS', '.TH', '.TP']);
});

test('man reads it without a warning', { skip: findProgram('groff') ? false : 'no groff here' }, () => {
  const { stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww'], { input: page, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.match(stdout, /TIMONIER/);
});
