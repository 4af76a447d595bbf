import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { envOfDaemon } from './daemon.ts';

const here = (file: string): string => join(process.cwd(), file);
const rows = [
  { name: 'none', given: undefined, want: undefined },
  { name: 'a relative file, as the tour has it', given: 'tour.yaml', want: here('tour.yaml') },
  { name: 'several', given: '/a:b:', want: `/a:${here('b')}:` },
];
for (const { name, given, want } of rows)
  test(`KUBECONFIG of a cluster that works in /: ${name}`, () =>
    assert.equal(envOfDaemon(given === undefined ? {} : { KUBECONFIG: given })['KUBECONFIG'], want));
