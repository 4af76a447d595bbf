import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharesRoot } from './machine.ts';

const line = (place: string, options: string): string => `25 1 254:0 / ${place} rw,relatime ${options}- ext4 /dev/vda rw`;
const rows: { name: string; given: string[]; want: boolean }[] = [
  { name: 'shared', given: [line('/', 'shared:1 ')], want: true },
  { name: 'private', given: [line('/', '')], want: false },
  { name: 'a slave that is shared on', given: [line('/', 'shared:7 master:1 ')], want: true },
  { name: 'a slave only', given: [line('/', 'master:1 ')], want: false },
  { name: 'the one on top counts', given: [line('/', 'shared:1 '), line('/', '')], want: false },
  { name: 'others do not count', given: [line('/proc', 'shared:1 '), line('/', '')], want: false },
  { name: 'nothing to read', given: [], want: false },
];
for (const { name, given, want } of rows) test(`shared mounts: ${name}`, () => assert.equal(sharesRoot(given.join('\n')), want));
