/**
 * Writes a small store with the code of a checkout, and what that code reads from it, as test data:
 * `node scripts/make-old-store.ts CHECKOUT FORMAT > test/contract/storage/data/format-FORMAT.json`. Run once per format of the
 * store, by the last commit that wrote it: the text is never made again, since no later program can.
 *
 * In it: objects that were changed, one of several pages, one that was deleted and came back, one with a lease, a
 * compacted past and a history.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describeStore, type OldStore, revisionOf } from '../test/contract/storage/old-store.ts';

const [checkout = '.', format = ''] = process.argv.slice(2);
const its = (path: string): Promise<unknown> => import(pathToFileURL(join(checkout, path)).href);
const { openLmdbStore } = (await its('src/control-plane/store/lmdb-store.ts')) as typeof import('../src/control-plane/store/lmdb-store.ts');
const { VirtualClock } = (await its('src/client/virtual-clock.ts')) as typeof import('../src/client/virtual-clock.ts');
const { silentLog } = (await its('src/client/log.ts')) as typeof import('../src/client/log.ts');

const key = (resource: string, name: string): string => `/registry/${resource}/default/${name}`;
const object = (kind: string, name: string, more: object): Buffer =>
  Buffer.from(JSON.stringify({ kind, apiVersion: 'v1', metadata: { name, namespace: 'default' }, ...more }));
const longText = 'salt and flour '.repeat(2000);

const path = mkdtempSync(join(tmpdir(), 'timonier-old-store-'));
try {
  let held: Omit<OldStore, 'about' | 'format' | 'data'>;
  {
    await using store = await openLmdbStore({ path, clock: new VirtualClock(), log: silentLog });
    const put = async (resource: string, name: string, value: Buffer, lease?: number): Promise<void> => {
      await store.commit([{ key: key(resource, name), put: value, ...(lease !== undefined && { lease }) }]);
    };
    for (let i = 0; i < 12; i++) await put('pods', `web-${i}`, object('Pod', `web-${i}`, { spec: { nodeName: '' } }));
    await put('configmaps', 'long', object('ConfigMap', 'long', { data: { text: longText } }));
    await put('configmaps', 'añade', object('ConfigMap', 'añade', { data: { pan: '日本 🚢' } }));
    await put('configmaps', 'back', object('ConfigMap', 'back', { data: { first: 'yes' } }));
    await store.commit([{ key: key('configmaps', 'back') }]);
    await store.compact((await revisionOf(store)) - 1);
    await put('configmaps', 'back', object('ConfigMap', 'back', { data: { first: 'no' } }));
    for (let i = 0; i < 12; i++) await put('pods', `web-${i}`, object('Pod', `web-${i}`, { spec: { nodeName: `node-${i % 3}` } }));
    await put('events', 'started', object('Event', 'started', { reason: 'Started' }), await store.grantLease(3600));
    await store.commit(['web-3', 'web-4'].map((name) => ({ key: key('pods', name) })));
    held = await describeStore(store);
  }
  const commit = execFileSync('git', ['-C', checkout, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const kept: OldStore = {
    about: `A store of format ${format} as commit ${commit} wrote it, and what it read there: scripts/make-old-store.ts made both. "data" is its data.mdb, gzip, base64.`,
    format: Number(format),
    ...held,
    data: gzipSync(readFileSync(join(path, 'data.mdb')), { level: 9 }).toString('base64'),
  };
  process.stdout.write(`${JSON.stringify(kept, null, 2)}\n`);
} finally {
  rmSync(path, { recursive: true, force: true });
}
