/**
 * A process that defines custom resources is killed (SIGKILL) in the midst of it: at no revision of its store is there an
 * object whose definition is gone, and a server that is started on it finishes what was begun. Each server that starts
 * serves at once what was established before.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CustomResourceDefinition } from '../../src/api/generated/kinds.ts';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import { isConditionTrue } from '../../src/api/meta/conditions.ts';
import { realClock, seededRandom } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { createApiServer } from '../../src/control-plane/api-server/api-server.ts';
import { openLmdbStore } from '../../src/control-plane/store/lmdb-store.ts';
import type { Storage } from '../../src/control-plane/store/storage.ts';
import { temporaryDirectory } from '../contract/storage/stores.ts';
import { kindOf, whenDefined } from '../kit/definitions.ts';

const kills = 8;
/** steps that a process has told of when it is killed, at most */
const stepsMax = 40;
const childProgram = fileURLToPath(new URL('definition-child.ts', import.meta.url));
const definitions = '/registry/apiextensions.k8s.io/customresourcedefinitions/';

it('a definition is finished by the next server, whenever the process is killed', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'store');
  const random = seededRandom(3);
  let checked = 1;
  for (let kill = 0; kill < kills; kill++) {
    const child = spawn(process.execPath, [childProgram, path, `${kill}`], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    let left = 1 + Math.floor(random.next() * stepsMax);
    for await (const _line of createInterface(child.stdout)) if (--left === 0) child.kill('SIGKILL');
    assert.deepEqual(await exited, [null, 'SIGKILL']);
    await using storage = await openLmdbStore({ path, clock: realClock, log: silentLog });
    const last = await storage.latestRevision();
    assert.ok(last > checked, 'nothing was written');
    while (checked < last) assert.deepEqual(await orphans(storage, ++checked), [], `kill ${kill}, revision ${checked}`);
    await finish(storage);
    checked = await storage.latestRevision();
  }
});

/** Objects at a revision whose definition is not there. */
async function orphans(storage: Storage, atRevision: number): Promise<readonly string[]> {
  const { items } = await storage.range({ prefix: '/registry/', atRevision });
  const defined = new Set(items.filter(({ key }) => key.startsWith(definitions)).map(({ key }) => key.slice(definitions.length)));
  return items
    .map(({ key }) => key)
    .filter((key) => key.startsWith('/registry/example.com/') && !defined.has(`${key.split('/')[3]}.example.com`));
}

/** What is being deleted goes, and what is not is established; that which was is served before anything else. */
async function finish(storage: Storage): Promise<void> {
  const random = seededRandom(1);
  await using server = await createApiServer({ storage, registry: builtInRegistry(), clock: realClock, random, log: silentLog });
  const client = server.loopback;
  const all = [...server.reader.list(CustomResourceDefinition)];
  for (const each of all) {
    if (isConditionTrue(each.status.conditions ?? [], 'Established')) assert.ok((await client.list(kindOf(each))).items);
  }
  for (const each of all) {
    if (each.metadata.deletionTimestamp) await whenGone(client, each);
    else await whenDefined(client, each, ({ status }) => isConditionTrue(status.conditions ?? [], 'Established'));
  }
}

async function whenGone(client: Parameters<typeof whenDefined>[0], { metadata }: CustomResourceDefinition): Promise<void> {
  const fieldSelector = `metadata.name=${metadata.name}`;
  for await (const event of client.watch(CustomResourceDefinition, { fieldSelector, sendInitialEvents: true, allowWatchBookmarks: true })) {
    if (event.type === 'DELETED') return;
    const isThere = (await client.list(CustomResourceDefinition, { fieldSelector })).items.length > 0;
    if (!isThere) return;
  }
}
