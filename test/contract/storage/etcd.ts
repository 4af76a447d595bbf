/** The store in a real etcd, as one more implementation of the contract. */
import { openEtcdStore } from '../../../src/control-plane/store/etcd/etcd-store.ts';
import type { Revision, Storage } from '../../../src/control-plane/store/storage.ts';
import type { StoreOptions } from '../../../src/control-plane/store/store-options.ts';
import { type Etcd, etcdMissing, startEtcd } from '../../kit/etcd.ts';
import { RebasedStorage } from '../../kit/rebased-storage.ts';

const order = 'requests that are under way at the same time have no order in etcd';
const time = 'leases live by etcd’s clock: etcd-store.test.ts';
const attached = 'attachments are not carried';

/** One etcd for all: each store is a part of it, below a prefix, and counts revisions from its beginning. */
export function etcdImplementation() {
  let etcd: Promise<Etcd> | undefined;
  let opened = 0;
  const places = new Map<string, { readonly stored: string; readonly begins: Revision }>();
  const openBelow = async (stored: string, begins: Revision | undefined, options: StoreOptions) => {
    // larger than etcd takes by itself
    etcd ??= startEtcd({ flags: ['--max-request-bytes', '16777216', '--max-txn-ops', '1024'] });
    const { servers } = await etcd;
    const store = await openEtcdStore({ ...options, servers, keys: { own: '', stored } });
    const from = begins ?? (await store.latestRevision());
    if (begins === undefined) await store.compact(from);
    return { from, store: new RebasedStorage(store, from) };
  };
  return {
    name: 'etcd',
    missing: etcdMissing,
    isRemote: true,
    open: async (options: StoreOptions): Promise<Storage> => (await openBelow(`/store${++opened}/`, undefined, options)).store,
    async openAt(path: string, options: StoreOptions): Promise<Storage> {
      const place = places.get(path);
      const stored = place?.stored ?? `/store${++opened}/`;
      const { from, store } = await openBelow(stored, place?.begins, options);
      places.set(path, { stored, begins: from });
      return store;
    },
    async stop(): Promise<void> {
      await (await etcd)?.[Symbol.asyncDispose]();
    },
    skips: {
      'commit: of many that expect the same, one wins, and the rest learn what they lost to': order,
      'commit: a loser sees, at once, what it lost to': order,
      'commit: a queued write can be built upon before it is durable': order,
      'commit: nothing is visible before it resolves, everything after': order,
      'commit: carries what the writer attached, and hands out the bytes it was given': attached,
      'watch: carries attachments to events': attached,
      'watch: starts at an old revision and goes on with what comes': order,
      'watch: the batch is with the reader before the commit resolves': 'events come by another way than answers',
      'lease: its end deletes its keys, with events as usual': time,
      'lease: a key that has left it stays': time,
      'lease: a renewal starts its time anew': time,
      'lease: thousands of keys on one end in slices, and one timer serves all leases': time,
    },
  };
}
