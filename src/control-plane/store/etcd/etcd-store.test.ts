/** Which etcd will do; the rest is in test/contract/etcd-store.test.ts, on a real one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { versionProblem } from './etcd-store.ts';

const rows = [
  { version: '3.6.8', will: true },
  { version: '3.7.0-alpha.0', will: true },
  { version: '3.5.13', will: true },
  { version: '3.5.12', will: false },
  { version: '3.4.31', will: true },
  { version: '3.4.23+dfsg', will: false },
  { version: '3.3.99', will: false },
  { version: '4.0.0', will: true },
];

for (const { version, will } of rows) {
  test(`etcd ${version}`, () => {
    if (will) assert.equal(versionProblem(version), undefined);
    else assert.match(versionProblem(version) ?? '', new RegExp(`^etcd ${version.replace('+', '.')} .* 3\\.4\\.31, 3\\.5\\.13`));
  });
}
