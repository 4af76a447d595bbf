/**
 * One process at a time has a store. Its name is a record in the store itself, claimed in a write transaction, which
 * LMDB lets one process at a time have; a process that was killed is recognized as gone, so its claim blocks nobody.
 *
 * A process is known by its id, the time it started at and the boot of the machine. Across PID namespaces (two
 * containers on one volume) ids mean nothing: a claim from another namespace counts as gone.
 */

import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import type { Database } from 'lmdb';
import { parseJSON } from '../../api/schema/json-scan.ts';
import { isAlive as isProcessAlive, knownProcess } from '../../client/processes.ts';
import { StoreUnavailableError } from './storage.ts';

export interface StoreOwner {
  readonly pid: number;
  /** what identifies the process besides its id; where the system does not say, '' */
  readonly process: string;
  /** the boot and the PID namespace in which the id means something */
  readonly machine: string;
  /** of this opening */
  readonly id: string;
}

const ownerKey = 'owner';

export function claimStore(meta: Database<Buffer, string>, path: string): StoreOwner {
  const own: StoreOwner = { pid: process.pid, process: startOf(process.pid) ?? '', machine: machineOf(), id: randomUUID() };
  const other = meta.transactionSync(() => {
    const owner = readOwner(meta);
    if (owner && isAlive(owner, own)) return owner;
    meta.putSync(ownerKey, Buffer.from(JSON.stringify(own)));
    return undefined;
  });
  if (other) throw new StoreUnavailableError(`the store in ${path} is in use by process ${other.pid}`);
  return own;
}

export function releaseStore(meta: Database<Buffer, string>, own: StoreOwner): void {
  meta.transactionSync(() => {
    if (readOwner(meta)?.id === own.id) meta.removeSync(ownerKey);
  });
}

function readOwner(meta: Database<Buffer, string>): StoreOwner | undefined {
  const record = meta.get(ownerKey);
  return record && (parseJSON(record.toString()) as StoreOwner);
}

function isAlive(owner: StoreOwner, own: StoreOwner): boolean {
  if (owner.machine !== own.machine) return false;
  const start = startOf(owner.pid);
  return start !== undefined && start === owner.process;
}

/** Undefined: there is no such process. */
const startOf = (pid: number): string | undefined => (isProcessAlive({ pid }) ? (knownProcess(pid).startTicks ?? '') : undefined);

function machineOf(): string {
  if (process.platform !== 'linux') return '';
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
}
