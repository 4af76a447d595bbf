/**
 * The store of a cluster's API server, as its configuration asks for it: in an etcd, in a file of its directory, or in
 * memory where it has none. What only one of them needs is loaded with it.
 */
import { join } from 'node:path';
import { messageOf } from '../../api/meta/status-error.ts';
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { registryPrefix } from '../../control-plane/api-server/cache/watch-cache.ts';
import { openMemoryStore } from '../../control-plane/store/memory-store.ts';
import type { Storage } from '../../control-plane/store/storage.ts';
import { OperationError } from '../operation-error.ts';
import { type ClusterConfig, configDefaults } from '../settings/config.ts';

export interface OpenStoreOptions {
  readonly config: ClusterConfig;
  /** absent: all in memory, but for an etcd */
  readonly dataDir?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export async function openStore({ config, dataDir, clock, log: parent }: OpenStoreOptions): Promise<Storage> {
  const historyMs = (config.historySeconds ?? configDefaults.historySeconds) * 1000;
  const log = parent.child({ component: 'store' });
  if (config.store === 'etcd') return openEtcd(config, { clock, historyMs, log });
  const alone = Object.entries(config).find(([name, value]) => name.startsWith('etcd') && value !== undefined);
  if (alone) throw refusal(`${alone[0]} is about an etcd, and the store is none`, 'give store: etcd too');
  if (dataDir === undefined) return openMemoryStore({ clock, historyMs });
  const { openLmdbStore } = await import('../../control-plane/store/lmdb-store.ts');
  return openLmdbStore({ path: join(dataDir, 'store'), clock, historyMs, log });
}

async function openEtcd(config: ClusterConfig, options: { clock: Clock; historyMs: number; log: Log }): Promise<Storage> {
  const { etcdServers: servers = [], etcdCafile: cafile, etcdCertfile: certfile, etcdKeyfile: keyfile } = config;
  if (servers.length === 0) throw refusal('the store is an etcd, and nothing says where', 'give etcdServers, such as http://10.0.0.1:2379');
  if ((certfile === undefined) !== (keyfile === undefined))
    throw refusal('a certificate for etcd goes with its key', 'give etcdCertfile and etcdKeyfile');
  const { openEtcdStore } = await import('../../control-plane/store/etcd/etcd-store.ts');
  const keys = { own: registryPrefix, stored: `${config.etcdPrefix ?? configDefaults.etcdPrefix}/` };
  return openEtcdStore({ ...options, servers, cafile, certfile, keyfile, keys }).catch((cause: unknown) => {
    const fix = 'start etcd, or give the right --etcd-servers and certificates';
    throw new OperationError({ code: 'no-etcd', message: `no use of the etcd at ${servers.join()}: ${messageOf(cause)}`, fix, cause });
  });
}

const refusal = (message: string, fix: string): OperationError => new OperationError({ code: 'bad-config', message, fix });
