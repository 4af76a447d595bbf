import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aptFailure } from './install.ts';

const rows: readonly { readonly name: string; readonly said: string; readonly code: string; readonly message: RegExp }[] = [
  {
    name: 'no name server',
    said: "W: Failed to fetch http://mirror/ Temporary failure resolving 'mirror'",
    code: 'no-network',
    message: /no network$/,
  },
  { name: 'no route', said: 'E: Failed to fetch: Network is unreachable', code: 'no-network', message: /no network$/ },
  {
    name: 'another apt',
    said: 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7',
    code: 'apt-busy',
    message: /another program/,
  },
  {
    name: 'anything else',
    said: 'E: Broken packages',
    code: 'apt-failed',
    message: /^apt-get install failed \(exit 100\): E: Broken packages$/,
  },
];
for (const { name, said, code, message } of rows) {
  test(`what apt failed of: ${name}`, () => {
    const error = aptFailure('apt-get install failed (exit 100)', said);
    assert.equal(error.code, code);
    assert.match(error.message, message);
  });
}
