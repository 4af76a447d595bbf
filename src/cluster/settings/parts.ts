/**
 * Whether a cluster's directory still has all that a cluster that was ready once has. What is gone is refused as what is
 * damaged is: a start would make it anew, without a word, and give an empty cluster, or one that old credentials don't fit.
 * So it would with another store.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OperationError } from '../operation-error.ts';
import { readNetworks } from './address-plan.ts';
import type { ClusterConfig } from './config.ts';
import { type SettingsRecord, settingsFile } from './settings.ts';

/** Not the key of tokens: without it a new one is made, as whoever removes a damaged one is told. */
const storeFile = 'store/data.mdb';
const parts = [storeFile, 'pki/ca.crt', 'pki/ca.key', 'network.json'] as const;

/** `given`: the settings of this call, which can stand for those that are gone. Throws; undefined record: there is none. */
export function checkParts(
  { name, dir }: { readonly name: string; readonly dir: string },
  record: SettingsRecord | undefined,
  given: ClusterConfig = {},
): void {
  const gone = (part: string, fix: string): never => {
    throw new OperationError({ code: 'part-gone', message: `${join(dir, part)} is gone`, fix });
  };
  const keptIn = record?.kept?.config.store ?? 'lmdb';
  if (record?.kept && (given.store ?? keptIn) !== keptIn) {
    const message = `what ${name} keeps is in ${keptIn === 'lmdb' ? 'its directory' : 'an etcd'}, and would not be in the other store`;
    throw new OperationError({ code: 'other-store', message, fix: 'give another NAME for a new cluster, or leave --store out' });
  }
  const has = (part: string): boolean => existsSync(join(dir, part));
  if (record?.kept || (!record && has(storeFile))) {
    for (const part of parts)
      if (!has(part) && !(part === storeFile && keptIn === 'etcd'))
        gone(part, `mount it, or put it back from a copy; or give the cluster up: timonier delete ${name}`);
    readNetworks(dir);
  }
  if (!record && parts.some(has) && (given.nodes === undefined || given.port === undefined))
    gone(settingsFile, `put it back from a copy; or say what was in it: timonier up ${name} --nodes N --port P`);
}
