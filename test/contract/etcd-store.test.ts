/**
 * The store in etcd while etcd, or the way to it, is not as it should be: killed, paused, cut off, compacted by others, a
 * member short, full; over TLS; and its leases, which live by its clock. Acknowledged writes are there, and a watch that was
 * open all the time has told each once, in order.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { realClock } from '../../src/client/clock.ts';
import { memoryFiles, openClusterPKI } from '../../src/control-plane/pki/cluster-pki.ts';
import { type EtcdStoreOptions, openEtcdStore } from '../../src/control-plane/store/etcd/etcd-store.ts';
import {
  CompactedError,
  LeaseNotFoundError,
  type Revision,
  type Storage,
  StoreUnavailableError,
} from '../../src/control-plane/store/storage.ts';
import { etcdMissing, startEtcd } from '../kit/etcd.ts';
import { committed, list, put, takeEvents, temporaryDirectory } from './storage/stores.ts';

const never = new AbortController().signal;
const open = (servers: readonly string[], more: Partial<EtcdStoreOptions> = {}): Promise<Storage> =>
  openEtcdStore({ clock: realClock, servers, keys: { own: '', stored: '/t/' }, ...more });

/** Writes one after the other until it is stopped; what failed is tried again, as a new write. */
function writing(store: Storage) {
  const acknowledged: Revision[] = [];
  let isOver = false;
  let wanted = { count: 0, resolve: (): void => undefined };
  const running = (async () => {
    for (let i = 0; !isOver; i++) {
      try {
        acknowledged.push(await committed(store, put('k', `${i}`)));
      } catch (error) {
        assert.ok(error instanceof StoreUnavailableError, String(error));
      }
      if (acknowledged.length >= wanted.count) wanted.resolve();
    }
  })();
  return {
    /** resolves when so many more have been acknowledged */
    more: (count: number) =>
      new Promise<void>((resolve) => {
        wanted = { count: acknowledged.length + count, resolve };
      }),
    async stop(): Promise<readonly Revision[]> {
      isOver = true;
      await running;
      return acknowledged;
    },
  };
}

/** Follows from now on. */
async function following(store: Storage) {
  const from = await store.latestRevision();
  const stop = new AbortController();
  const seen: Revision[] = [];
  const reached = { revision: Number.POSITIVE_INFINITY, resolve: (): void => undefined };
  const running = (async () => {
    for await (const { revision, events } of store.watch({ prefix: '', revision: from }, stop.signal)) {
      seen.push(...events.map((event) => event.revision));
      if (revision >= reached.revision) reached.resolve();
    }
  })();
  return {
    async until(revision: Revision): Promise<readonly Revision[]> {
      const told = new Promise<void>((resolve) => Object.assign(reached, { revision, resolve }));
      if ((seen.at(-1) ?? 0) < revision) await Promise.race([told, running]);
      stop.abort();
      await running;
      return seen;
    },
  };
}

/** Everything acknowledged has been seen, once and in order; what was seen beside it had no answer. */
async function expectNothingLost(store: Storage, writer: ReturnType<typeof writing>, watch: Awaited<ReturnType<typeof following>>) {
  const acknowledged = await writer.stop();
  const seen = await watch.until(await store.latestRevision());
  assert.deepEqual(
    seen,
    [...new Set(seen)].sort((a, b) => a - b),
  );
  const told = new Set(seen);
  assert.deepEqual(
    acknowledged.filter((revision) => !told.has(revision)),
    [],
  );
  const [item] = (await store.range({ key: 'k' })).items;
  assert.equal(item?.revision, seen.at(-1));
}

/** A way to a server that can be cut. */
async function relay(to: string) {
  const { hostname, port } = new URL(to);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((incoming) => {
    if (isCut) return incoming.destroy();
    const outgoing = connect(Number(port), hostname);
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy()).on('close', () => sockets.delete(socket));
    }
    return undefined;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    server: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    cut(): void {
      isCut = true;
      drop();
    },
    mend(): void {
      isCut = false;
    },
    async [Symbol.asyncDispose]() {
      drop();
      await new Promise((closed) => server.close(closed));
    },
  };
}

describe('the store in etcd', { skip: etcdMissing, concurrency: 3, timeout: 120_000 }, () => {
  it('etcd is killed and started again: writes go on, and nothing is lost', async () => {
    await using etcd = await startEtcd();
    await using store = await open(etcd.servers);
    const watch = await following(store);
    const writer = writing(store);
    for (let round = 0; round < 2; round++) {
      await writer.more(20);
      await etcd.members[0]?.kill();
      await etcd.members[0]?.start();
    }
    await writer.more(20);
    await expectNothingLost(store, writer, watch);
  });

  it('etcd is paused for three seconds: what was asked is answered then', async () => {
    await using etcd = await startEtcd();
    await using store = await open(etcd.servers);
    const watch = await following(store);
    const writer = writing(store);
    await writer.more(20);
    etcd.members[0]?.pause();
    const read = list(store, 'none');
    await realClock.sleep(3_000);
    etcd.members[0]?.resume();
    assert.deepEqual(await read, []);
    await writer.more(20);
    await expectNothingLost(store, writer, watch);
  });

  it('etcd is away: requests fail in time, also the one that opens', async () => {
    await using etcd = await startEtcd();
    await using store = await open(etcd.servers);
    await etcd.members[0]?.kill();
    const failing: Promise<unknown>[] = [
      Promise.resolve(store.latestRevision()),
      store.commit([put('a', '1')]),
      store.checkWritable(),
      store.grantLease(10),
      open(etcd.servers),
    ];
    await Promise.all(failing.map((each) => assert.rejects(each, StoreUnavailableError)));
  });

  it('the way is cut while others write: the watch goes on where it was', async () => {
    await using etcd = await startEtcd();
    await using way = await relay(etcd.servers[0] ?? '');
    await using here = await open([way.server]);
    await using there = await open(etcd.servers);
    const watch = await following(here);
    await committed(here, put('k', 'before'));
    way.cut();
    const writer = writing(there);
    await writer.more(50);
    way.mend();
    await writer.more(50);
    await expectNothingLost(here, writer, watch);
  });

  it('the way is cut while others compact: the watch is told', async () => {
    await using etcd = await startEtcd();
    await using way = await relay(etcd.servers[0] ?? '');
    await using here = await open([way.server]);
    await using there = await open(etcd.servers);
    const watch = here.watch({ prefix: '', revision: await here.latestRevision() }, never)[Symbol.asyncIterator]();
    const first = watch.next();
    await committed(there, put('k', '1'));
    assert.equal((await first).value?.events.length, 1);
    way.cut();
    const next = watch.next();
    for (let i = 0; i < 3; i++) await committed(there, put('k', `${i}`));
    await there.compact(await there.latestRevision());
    way.mend();
    await assert.rejects(next, CompactedError);
    await using again = await open(etcd.servers);
    assert.equal(again.compactedRevision, await there.latestRevision());
  });

  it('of three members, the one in use is killed, then the next is paused: the others answer', async () => {
    await using etcd = await startEtcd({ members: 3 });
    await using store = await open(etcd.servers);
    const watch = await following(store);
    const writer = writing(store);
    await writer.more(20);
    await etcd.members[0]?.kill();
    await writer.more(20);
    await etcd.members[0]?.start();
    // It is back when it can be asked.
    await using back = await open(etcd.servers.slice(0, 1));
    await back.latestRevision();
    etcd.members[1]?.pause();
    await store.range({ key: 'k' });
    await writer.more(20);
    etcd.members[1]?.resume();
    await expectNothingLost(store, writer, watch);
  });

  it('a full etcd says so, and is read', async () => {
    await using etcd = await startEtcd({ flags: ['--quota-backend-bytes', String(4 * 2 ** 20)] });
    await using store = await open(etcd.servers);
    await store.checkWritable();
    await assert.rejects(
      async () => {
        for (let i = 0; i < 20; i++) await committed(store, { key: `k${i}`, put: Buffer.alloc(2 ** 20, 'x') });
      },
      (error) => error instanceof StoreUnavailableError && /no space left \(alarm NOSPACE\)/.test(error.message),
    );
    await realClock.sleep(1_000); // a check that succeeded answers for a second
    await assert.rejects(store.checkWritable(), /alarm NOSPACE/);
    assert.ok((await store.range({ prefix: 'k', countOnly: true })).count > 0);
  });

  it('what another server wrote and nobody here can read is in nobody’s way', async () => {
    await using etcd = await startEtcd();
    await using store = await open(etcd.servers);
    await committed(store, put('ranges/ports', 'k8s\0 of a kind that is not known'), put('pods/a', '1'));
    const events = await takeEvents(store.watch({ prefix: '', revision: 1 }, never), 2);
    assert.deepEqual(
      events.map(({ key }) => key),
      ['ranges/ports', 'pods/a'],
    );
    assert.deepEqual(await list(store, 'pods/'), ['pods/a=1@2+2']);
    await assert.rejects(list(store, 'ranges/'), /another server wrote ranges\/ports in a form that this one can't read/);
  });

  it('leases end, are renewed and are told from each other by etcd', async () => {
    await using etcd = await startEtcd();
    await using store = await open(etcd.servers);
    const [short, long] = [await store.grantLease(4), await store.grantLease(1000)];
    await committed(store, put('short', '1', { lease: short }), put('long', '1', { lease: long }), put('none', '1'));
    const ends = takeEvents(store.watch({ prefix: '', revision: await store.latestRevision() }, never), 1);
    for (let i = 0; i < 3; i++) {
      await realClock.sleep(1_500);
      await store.renewLease(short);
    }
    assert.deepEqual(
      (await store.range({ prefix: '' })).items.map((item) => [item.key, item.lease]),
      [
        ['long', long],
        ['none', undefined],
        ['short', short],
      ],
    );
    assert.deepEqual(
      (await ends).map(({ type, key }) => `${type} ${key}`),
      ['delete short'],
    );
    await assert.rejects(store.renewLease(short), LeaseNotFoundError);
  });

  it('over TLS, with a certificate to show', async () => {
    await using directory = await temporaryDirectory();
    const pki = await openClusterPKI({ files: memoryFiles(), clock: realClock });
    const server = await pki.certificate('etcd', { commonName: 'etcd', ipAddresses: ['127.0.0.1'], usages: ['server', 'client'] });
    const client = await pki.certificate('client', { commonName: 'client', usages: ['client'] });
    const files = {
      ca: pki.authority.certPem,
      cert: server.certPem,
      key: server.keyPem,
      clientCert: client.certPem,
      clientKey: client.keyPem,
    };
    const at = (name: keyof typeof files): string => join(directory.path, name);
    await Promise.all(Object.entries(files).map(([name, pem]) => writeFile(join(directory.path, name), pem, { mode: 0o600 })));
    const flags = ['--client-cert-auth', '--trusted-ca-file', at('ca'), '--cert-file', at('cert'), '--key-file', at('key')];
    await using etcd = await startEtcd({ scheme: 'https', flags });
    await using store = await open(etcd.servers, { cafile: at('ca'), certfile: at('clientCert'), keyfile: at('clientKey') });
    await committed(store, put('a', '1'));
    const refused = [open(etcd.servers, { cafile: at('ca') }), open(etcd.servers)];
    await Promise.all(refused.map((each) => assert.rejects(each, StoreUnavailableError)));
  });
});
