/**
 * Whether a cluster's directory still has all that a cluster that was ready once has. What is gone is refused as what is
 * damaged is: a start would make it anew, without a word, and give an empty cluster, or one that old credentials don't fit.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OperationError } from '../operation-error.ts';
import { readNetworks } from './address-plan.ts';
import type { ClusterConfig } from './config.ts';
import { type SettingsRecord, settingsFile } from './settings.ts';

/** Not the key of tokens: without it a new one is made, as whoever removes a damaged one is told. */
const parts = ['store/data.mdb', 'pki/ca.crt', 'pki/ca.key', 'network.json'] as const;

/** `given`: the settings of this call, which can stand for those that are gone. Throws; undefined record: there is none. */
export function checkParts(
  { name, dir }: { readonly name: string; readonly dir: string },
  record: SettingsRecord | undefined,
  given: ClusterConfig = {},
): void {
  const gone = (part: string, fix: string): never => {
    throw new OperationError({ code: 'part-gone', message: `${join(dir, part)} is gone`, fix });
  };
  const has = (part: string): boolean => existsSync(join(dir, part));
  if (record?.kept || (!record && has('store/data.mdb'))) {
    for (const part of parts)
      if (!has(part)) gone(part, `mount it, or put it back from a copy; or give the cluster up: timonier delete ${name}`);
    readNetworks(dir);
  }
  if (!record && parts.some(has) && (given.nodes === undefined || given.port === undefined))
    gone(settingsFile, `put it back from a copy; or say what was in it: timonier up ${name} --nodes N --port P`);
}
