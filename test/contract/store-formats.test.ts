/** What becomes of stores that other programs wrote: earlier ones are taken over whole, later ones are refused as they are. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLog } from '../../src/client/log.ts';
import { VirtualClock } from '../../src/client/virtual-clock.ts';
import { openLmdbStore } from '../../src/control-plane/store/lmdb-store.ts';
import { type Storage, StoreDamagedError, StoreTooNewError } from '../../src/control-plane/store/storage.ts';
import { storeFormat } from '../kit/store-format.ts';
import { describeStore, layOut, oldFormats, readOldStore, type StoreContents } from './storage/old-store.ts';
import { committed, part, put, temporaryDirectory, text } from './storage/stores.ts';

const formatNow = 3;
const killedOpening = fileURLToPath(new URL('storage/killed-opening.ts', import.meta.url));
const pointsMax = 20;

const open = (path: string): Promise<Storage> => openLmdbStore({ path, clock: new VirtualClock(), log: silentLog });

for (const format of oldFormats) {
  describe(`a store of format ${format}`, () => {
    const old = readOldStore(format);
    const want: StoreContents = {
      revision: old.revision,
      compactedRevision: old.compactedRevision,
      objects: old.objects,
      events: old.events,
    };

    it('is what its writer read in it: every object, every revision, every event', async () => {
      await using directory = await temporaryDirectory();
      layOut(old, directory.path);
      assert.equal(await storeFormat(directory.path), String(format));
      {
        await using store = await open(directory.path);
        assert.deepEqual(await describeStore(store), want);
      }
      assert.equal(await storeFormat(directory.path), String(formatNow));
      await using again = await open(directory.path);
      assert.deepEqual(await describeStore(again), want);
    });

    it('is written to, with managed parts beside what had none', async () => {
      await using directory = await temporaryDirectory();
      layOut(old, directory.path);
      const managed = part('[{"manager":"baker"}]');
      const key = '/registry/configmaps/default/añade';
      {
        await using store = await open(directory.path);
        await committed(store, put(key, 'new', { managed }), put('/registry/x', 'x', { managed }));
        await committed(store, { key: '/registry/pods/default/web-0' });
      }
      await using store = await open(directory.path);
      const { items } = await store.range({ prefix: '/registry/' });
      const marked = items.filter((item) => item.managed);
      assert.deepEqual(
        marked.map((item) => [item.key, text(item.value), String(item.managed), item.createRevision]),
        [
          [key, 'new', String(managed), 15],
          ['/registry/x', 'x', String(managed), old.revision + 1],
        ],
      );
      assert.equal(marked[0]?.managed, marked[1]?.managed, 'read from the disk, they share');
      assert.equal(items.length, (old.objects[String(old.revision)]?.length ?? 0) + 1 - 1);
      const before = await store.range({ key, atRevision: old.revision });
      assert.equal(before.items[0]?.revision, 15);
      await store.compact(await store.latestRevision());
      assert.equal((await store.range({ prefix: '/registry/' })).items.length, items.length);
    });

    it('is the old one or the new one, whole, wherever its taking over was killed', async () => {
      await using directory = await temporaryDirectory();
      const formats: (string | undefined)[] = [];
      for (let point = 1; ; point++) {
        assert.ok(point < pointsMax);
        const path = join(directory.path, String(point));
        layOut(old, path);
        const { signal, stdout, stderr } = spawnSync(process.execPath, [killedOpening, path, String(point)], { encoding: 'utf8' });
        if (signal === null) {
          assert.equal(stdout, `opened at ${old.revision}\n`, stderr);
          break;
        }
        assert.equal(signal, 'SIGKILL');
        formats.push(await storeFormat(path));
        await using store = await open(path);
        assert.deepEqual(await describeStore(store), want);
      }
      // before and after the owner's record, before and after the format: none of it was there without the rest
      assert.deepEqual(
        formats,
        Array.from({ length: 4 }, () => String(format)),
      );
    });
  });
}

it('a store of a later format is refused by both formats, and left as it is', async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const file = join(path, 'data.mdb');
  let want: StoreContents;
  {
    await using store = await open(path);
    await committed(store, put('a', '1', { managed: part('m') }));
    want = await describeStore(store);
  }
  await storeFormat(path, String(formatNow + 1));
  const before = readFileSync(file);
  for (const _ of ['once', 'again']) {
    await assert.rejects(open(path), (error) => {
      assert.ok(error instanceof StoreTooNewError);
      assert.equal(error.message, `the store in ${path} has format 4, this timonier reads up to format 3`);
      return true;
    });
    assert.ok(readFileSync(file).equals(before));
  }
  await storeFormat(path, String(formatNow));
  await using store = await open(path);
  assert.deepEqual(await describeStore(store), want);
});

it('a store whose format is no number is damaged', async () => {
  await using directory = await temporaryDirectory();
  for (const format of ['', 'new', '0', '2.5', '-1']) {
    await (await open(directory.path))[Symbol.asyncDispose]();
    await storeFormat(directory.path, format);
    await assert.rejects(open(directory.path), StoreDamagedError, format);
    await storeFormat(directory.path, String(formatNow));
  }
});
