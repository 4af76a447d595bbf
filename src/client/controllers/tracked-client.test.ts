import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap } from '../../api/kinds/core/config-map.ts';
import type { Client, GetOptions } from '../client.ts';
import { TrackedClient, Writes } from './tracked-client.ts';

const own = new AbortController().signal;
const given = new AbortController().signal;
const rows: readonly { readonly name: string; readonly options?: GetOptions; readonly want: AbortSignal }[] = [
  { name: 'a call without options ends with the controller', want: own },
  { name: 'so does one whose signal is undefined', options: { resourceVersion: '0', signal: undefined }, want: own },
  { name: 'one with a signal of its own ends with that', options: { signal: given }, want: given },
];

for (const { name, options, want } of rows) {
  test(name, async () => {
    const calls: (GetOptions | undefined)[] = [];
    const client = { get: async (...[, , passed]: Parameters<Client['get']>) => calls.push(passed) } as unknown as Client;
    const tracked = new TrackedClient({ client, reader: client, writes: new Writes(new Map()), signal: own });
    await tracked.get(configMap, { namespace: 'n', name: 'c' }, options);
    assert.deepEqual(calls, [{ ...options, signal: want }]);
  });
}
