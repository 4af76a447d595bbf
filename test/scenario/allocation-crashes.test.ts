/**
 * What is handed out (addresses, node ports, ranges of nodes, quota), at every point at which a process may die. A kill
 * leaves the store as it was after some revision, since all that a commit writes has one; so the walk looks at each
 * revision of a store on which random clients have raced, without any repair, and starts a server on some of them. And
 * processes are killed (SIGKILL) in the midst of it, with their store on disk.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ResourceQuota } from '../../src/api/generated/kinds.ts';
import { compareQuantities } from '../../src/api/meta/quantity.ts';
import { realClock, seededRandom } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { VirtualClock } from '../../src/client/virtual-clock.ts';
import { openLmdbStore } from '../../src/control-plane/store/lmdb-store.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';
import type { Revision } from '../../src/control-plane/store/storage.ts';
import { temporaryDirectory } from '../contract/storage/stores.ts';
import { act, contradictions, limit, startAllocatingServer, stateAt, usedOf } from '../kit/allocations.ts';

const rounds = 150;
const atOnce = 6;
const startedEvery = 25;
const actsAfterStart = 20;
/** of the event loop: a recount is a write of its own */
const turnsUntilCounted = 20;
const kills = 8;
/** acts that a process has told of when it is killed, at least and at most */
const actsUntilKilled = { min: 20, max: 400 };
const childProgram = fileURLToPath(new URL('allocating-child.ts', import.meta.url));

const clock = new VirtualClock();

describe('what is handed out, after a kill at any moment', () => {
  const storage = openMemoryStore({ clock, historyRevisions: 1_000_000 });
  let last: Revision;

  before(async () => {
    await using server = await startAllocatingServer(storage, { clock, seed: 1 });
    const client = server.loopback;
    await limit(client);
    const random = seededRandom(42);
    for (let round = 0; round < rounds; round++) await Promise.all(Array.from({ length: atOnce }, () => act(client, () => random.next())));
    last = await storage.latestRevision();
  });

  it('agrees with who holds it, at every revision', async () => {
    let seen = 0;
    for (let revision = 2; revision <= last; revision++) {
      const state = await stateAt(storage, revision);
      assert.deepEqual(contradictions(state), [], `revision ${revision}`);
      seen = Math.max(seen, state.of('ipaddresses').length + state.of('claims/nodeports').length + state.of('claims/podcidrs').length);
    }
    assert.ok(last > 300 && seen > 10, `a walk over ${last} revisions that hand out ${seen} things at most shows nothing`);
  });

  it('needs no repair at the next start, and is counted right', async () => {
    for (let revision = 2; revision <= last; revision += startedEvery) {
      const state = await stateAt(storage, revision);
      await using copy = openMemoryStore({ clock });
      for (const { key, value } of state.items) await copy.commit([{ key, put: value }]);
      // (A node that brought another's range may get the claim once that one is gone.)
      const records = async (): Promise<string[]> =>
        (await stateAt(copy, await copy.latestRevision())).items.map(({ key }) => key).filter((key) => /ipaddresses|nodeports/.test(key));
      const before = await records();
      await using server = await startAllocatingServer(copy, { clock, seed: revision });
      assert.deepEqual(await records(), before);
      const random = seededRandom(revision);
      for (let i = 0; i < actsAfterStart; i++) await act(server.loopback, () => random.next());
      for (let i = 0; i < turnsUntilCounted; i++) await turn();
      const after = await stateAt(copy, await copy.latestRevision());
      assert.deepEqual(contradictions(after), [], `started at ${revision}`);
      const [quota] = after.of<ResourceQuota>('resourcequotas');
      const counted = Object.entries(quota?.status?.used ?? {}).filter(
        ([name, used]) => compareQuantities(used, `${usedOf(after)[name]}`) !== 0,
      );
      assert.deepEqual(counted, [], `recounted after a start at ${revision}`);
    }
  });
});

it('what is handed out agrees with who holds it, whenever the process is killed', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'store');
  const random = seededRandom(7);
  let checked = 1;
  for (let kill = 0; kill < kills; kill++) {
    const child = spawn(process.execPath, [childProgram, path, `${kill}`], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    let left = actsUntilKilled.min + Math.floor(random.next() * (actsUntilKilled.max - actsUntilKilled.min));
    for await (const _line of createInterface(child.stdout)) if (--left === 0) child.kill('SIGKILL');
    assert.deepEqual(await exited, [null, 'SIGKILL']);
    await using store = await openLmdbStore({ path, clock: realClock, log: silentLog });
    const last = await store.latestRevision();
    assert.ok(last > checked, 'nothing was written');
    while (checked < last) assert.deepEqual(contradictions(await stateAt(store, ++checked)), [], `kill ${kill}, revision ${checked}`);
  }
});
