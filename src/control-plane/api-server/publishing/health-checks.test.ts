import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BootHook, bootHooks, healthChecks } from './health-checks.ts';

/** A server that is as it should be, but for what a row says; and the checks that fail then. */
async function failing({
  isCacheCurrent = true,
  isReadable = true,
  isWritable = true,
  isStuck = false,
  missing,
  unregistered = [],
  stops = false,
}: Fault = {}): Promise<string[]> {
  const stopping = new AbortController();
  if (stops) stopping.abort();
  const checks = healthChecks({
    storage: {
      range: () => (isReadable ? Promise.resolve({ items: [], revision: 1, count: 0, more: false }) : Promise.reject(new Error('no'))),
      checkWritable: () => (isWritable ? Promise.resolve() : Promise.reject(new Error('no'))),
    },
    threads: { answers: () => (isStuck ? Promise.reject(new Error('no')) : Promise.resolve()) },
    isCacheCurrent: () => isCacheCurrent,
    hooksDone: new Set(bootHooks.filter((hook) => hook !== missing)),
    unregistered: () => unregistered,
    stopping: stopping.signal,
  });
  const names: string[] = [];
  for (const { name, of, check } of checks) {
    try {
      await check();
    } catch {
      names.push(`${name} ${of.length === 3 ? 'everywhere' : of.join()}`);
    }
  }
  return names;
}

interface Fault {
  readonly isCacheCurrent?: boolean;
  readonly isReadable?: boolean;
  readonly isWritable?: boolean;
  readonly isStuck?: boolean;
  readonly missing?: BootHook;
  readonly unregistered?: readonly string[];
  readonly stops?: boolean;
}

describe('health checks', () => {
  const rows: readonly { readonly name: string; readonly given: Fault; readonly want: readonly string[] }[] = [
    { name: 'all is well', given: {}, want: [] },
    { name: 'the store can not be read', given: { isReadable: false }, want: ['etcd everywhere'] },
    { name: 'the store can not be written', given: { isWritable: false }, want: ['etcd-readiness readyz'] },
    { name: 'the threads are stuck', given: { isStuck: true }, want: ['thread-pool everywhere'] },
    {
      name: 'the cache does not follow the store',
      given: { isCacheCurrent: false },
      want: [
        'informer-sync readyz',
        'poststarthook/generic-apiserver-start-informers everywhere',
        'poststarthook/storage-readiness everywhere',
      ],
    },
    { name: 'an APIService is missing', given: { unregistered: ['v1.apps'] }, want: ['autoregister-completion everywhere'] },
    { name: 'the server stops', given: { stops: true }, want: ['shutdown readyz'] },
    ...bootHooks.map((missing) => ({
      name: `${missing} has not ended`,
      given: { missing },
      want: [`poststarthook/${missing} everywhere`],
    })),
  ];
  for (const { name, given, want } of rows) it(name, async () => assert.deepEqual(await failing(given), want));
});
