/** What a directory has to have, by where its objects are kept. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { ClusterConfig } from './config.ts';
import { checkParts } from './parts.ts';

const networks = JSON.stringify({ number: 0, serviceCIDR: '10.96.0.0/16', podCIDR: '10.244.0.0/16', nodeCIDR: '172.31.250.0/24' });
const others = ['pki/ca.crt', 'pki/ca.key', 'network.json'];
const rows: readonly { name: string; files: readonly string[]; kept: ClusterConfig; given?: ClusterConfig; want?: RegExp }[] = [
  { name: 'the file of a store', files: [...others, 'store/data.mdb'], kept: {} },
  { name: 'the file of a store that is gone', files: others, kept: {}, want: /data\.mdb is gone/ },
  { name: 'no file where an etcd keeps the objects', files: others, kept: { store: 'etcd' } },
  { name: 'a certificate that is gone beside an etcd', files: others.slice(1), kept: { store: 'etcd' }, want: /ca\.crt is gone/ },
  { name: 'the same store', files: others, kept: { store: 'etcd' }, given: { store: 'etcd' } },
  { name: 'from an etcd to a file', files: others, kept: { store: 'etcd' }, given: { store: 'lmdb' }, want: /keeps is in an etcd/ },
  { name: 'from a file to an etcd', files: [...others, 'store/data.mdb'], kept: {}, given: { store: 'etcd' }, want: /is in its directory/ },
];

for (const { name, files, kept, given, want } of rows) {
  test(name, () => {
    const dir = mkdtempSync(join(tmpdir(), 'timonier-parts-'));
    try {
      for (const file of files) {
        mkdirSync(dirname(join(dir, file)), { recursive: true });
        writeFileSync(join(dir, file), file === 'network.json' ? networks : '');
      }
      const check = (): void => checkParts({ name: 'c', dir }, { name: 'c', kept: { config: kept }, kubeconfigs: [] }, given);
      if (want) assert.throws(check, want);
      else check();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
}
